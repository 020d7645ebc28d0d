# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Manifests of a task: inline objects, templates and files of the controller, handed to either door as one text.

One text, since a list of objects that must not be logged would make every word in it a secret of the result.
"""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterator, Mapping
from pathlib import Path

from ansible.errors import AnsibleError
from ansible.template import trust_as_template
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.manifests import opened, parse_manifests
from ansible_collections.aiplatform.eks.plugins.plugin_utils._in_process import InProcessAction

SOURCES = ("objects", "templates", "files")
SUFFIXES = (".yaml", ".yml", ".json")


class ManifestAction(InProcessAction):
    """An action whose module takes C(objects), C(templates) and C(files)."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Read and render the manifests here, then run as every action of ours."""
        variables = task_vars or {}
        try:
            documents = [document for source in SOURCES for document in self._documents(source, variables)]
        except PlatformError as error:
            return {"failed": True, "changed": False, "msg": error.message, **error.details}
        given = [source for source in SOURCES if self._task.args.get(source) is not None]
        if not given and self._task.args.get("state", "present") == "present":
            return {"failed": True, "changed": False, "msg": f"one of {', '.join(SOURCES)} is needed to apply a set"}
        arguments = {name: value for name, value in self._task.args.items() if name not in SOURCES}
        self._task.args = {**arguments, "objects": json.dumps(documents, default=str)}
        return super().run(tmp, task_vars)

    def _documents(self, source: str, variables: dict[str, t.Any]) -> Iterator[dict[str, t.Any]]:
        value = self._task.args.get(source)
        if value is None:
            return
        if source == "objects":
            yield from _parsed(value, "objects")
            return
        for name in [value] if isinstance(value, str) else value:
            if source == "templates":
                yield from self._rendered(str(name), variables)
            else:
                yield from self._read(str(name))

    def _rendered(self, name: str, variables: dict[str, t.Any]) -> Iterator[dict[str, t.Any]]:
        path = self._found("templates", name)
        near = [*variables.get("ansible_search_path", []), self._loader.get_basedir(), str(path.parent)]
        search = [place for folder in near for place in (str(Path(folder) / "templates"), folder)]
        names = {**variables, "template_path": name, "template_fullpath": str(path)}
        templar = self._templar.copy_with_new_env(searchpath=search, available_variables=names)
        try:
            text = trust_as_template(self._loader.get_text_file_contents(str(path)))
            rendered = templar.template(text, escape_backslashes=False)
        except AnsibleError as error:
            raise PlatformError(f"template {name} cannot be rendered: {error}") from error
        yield from _parsed(rendered, f"template {name}")

    def _read(self, name: str) -> Iterator[dict[str, t.Any]]:
        path = self._found("files", name)
        paths = sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES) if path.is_dir() else [path]
        if not paths:
            raise PlatformError(f"files: {name} holds no file that ends in {', '.join(SUFFIXES)}")
        for file in paths:
            inside = f"/{file.relative_to(path)}" if file != path else ""
            yield from _parsed(self._loader.get_text_file_contents(str(file)), f"file {name}{inside}")

    def _found(self, folder: str, name: str) -> Path:
        try:
            return Path(self._find_needle(folder, name))
        except AnsibleError as error:
            raise PlatformError(f"{folder}: {name} is not found in the task's search path") from error


def _parsed(value: t.Any, source: str) -> list[dict[str, t.Any]]:
    if isinstance(value, str):
        return parse_manifests(value, source=source)
    return list(opened([value] if isinstance(value, Mapping) else value or [], source=source))


__all__ = ("ManifestAction",)
