# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The API objects of a local control plane: who may do what, and the stages by which kwok plays its parts.

Stages are objects, not kwok's start-up files: kwok ends at start when a file names a kind that is not there yet,
whereas a stage object of an unknown kind waits until the stage C(custom-resources-known) tells kwok to look again.
"""

from __future__ import annotations

import glob
import hashlib
import json
import typing as t
from collections.abc import Mapping, Sequence
from pathlib import Path

from .._core.concurrency import map_concurrently
from .._core.errors import PlatformError
from .._k8s.client import APPLY_PATCH, KubeClient, Object
from .._k8s.errors import KubeApiError
from .addon_definitions import SNAPSHOT_DEFINITIONS

try:
    import yaml
except ImportError as import_error:
    yaml = None  # type: ignore[assignment]  # mypy knows the module only
    IMPORT_ERROR: ImportError | None = import_error
else:
    IMPORT_ERROR = None

MANAGER = "aiplatform-local-cloud"
STAGE_API = "kwok.x-k8s.io/v1alpha1"
STAGES_PATH = f"/apis/{STAGE_API}/stages"
RBAC_API = "rbac.authorization.k8s.io"
RBAC_PATH = f"/apis/{RBAC_API}/v1"
READS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("", ("nodes", "namespaces", "persistentvolumes")),
    ("storage.k8s.io", ("storageclasses", "csidrivers")),
    ("scheduling.k8s.io", ("priorityclasses",)),
    ("apiextensions.k8s.io", ("customresourcedefinitions",)),
)
# kwok itself reads its stages strictly; the server only has to store them.
STAGE_DEFINITION: Object = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "stages.kwok.x-k8s.io"},
    "spec": {
        "group": "kwok.x-k8s.io",
        "scope": "Cluster",
        "names": {"kind": "Stage", "listKind": "StageList", "plural": "stages", "singular": "stage"},
        "versions": [
            {
                "name": "v1alpha1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                        },
                    }
                },
            }
        ],
    },
}


def rights() -> list[tuple[str, Object]]:
    """The roles and bindings of the identities C(user) and C(readonly), each with its collection's path."""
    reader = "aiplatform-local-readonly"
    rules = [
        {"apiGroups": [group], "resources": list(resources), "verbs": ["get", "list", "watch"]}
        for group, resources in READS
    ]
    role: Object = {
        "apiVersion": f"{RBAC_API}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": reader},
        "rules": rules,
    }
    return [
        (f"{RBAC_PATH}/clusterroles", role),
        _binding("aiplatform-local-user", "cluster-admin", "user"),
        _binding(reader, reader, "readonly"),
        _binding(f"{reader}-view", "view", "readonly"),
    ]


def _binding(name: str, role: str, user: str) -> tuple[str, Object]:
    return f"{RBAC_PATH}/clusterrolebindings", {
        "apiVersion": f"{RBAC_API}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": RBAC_API, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": RBAC_API, "kind": "User", "name": user}],
    }


def read_stages(paths: Sequence[Path]) -> dict[str, Object]:
    """The stage objects of files and of the C(*.yaml) of folders, by name; a path may be a pattern.

    A file that is named twice is read once: a pattern over all roles also meets our own.

    :raises PlatformError: a file cannot be read, holds something else than stages, or two stages have one name.
    """
    if yaml is None:
        raise PlatformError(f"the Python package 'PyYAML' cannot be imported ({IMPORT_ERROR}); ansible-core brings it")
    stages: dict[str, Object] = {}
    for file in _files(paths):
        for stage in _documents(file):
            name = _stage_name(stage, file)
            if name in stages:
                raise PlatformError(f"{file}: a stage named {name!r} was already read from another file")
            stages[name] = stage
    return stages


def _files(paths: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for pattern in paths:
        named = [Path(path) for path in sorted(glob.glob(str(pattern)))] if "*" in str(pattern) else [pattern]  # noqa: PTH207 (the pattern may be absolute)
        for path in named:
            files += sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    return list(dict.fromkeys(file.resolve() for file in files))


def _documents(file: Path) -> list[t.Any]:
    try:
        return [document for document in yaml.safe_load_all(file.read_text()) if document is not None]
    except (OSError, yaml.YAMLError) as error:
        raise PlatformError(f"the stages of {file} cannot be read: {error}") from error


def _stage_name(stage: t.Any, file: Path) -> str:
    kind = (stage.get("apiVersion"), stage.get("kind")) if isinstance(stage, dict) else None
    if kind != (STAGE_API, "Stage"):
        raise PlatformError(f"{file} holds {kind or type(stage).__name__}, wanted are only kind Stage of {STAGE_API}")
    try:
        return str(stage["metadata"]["name"])
    except (KeyError, TypeError) as error:
        raise PlatformError(f"{file} holds a stage without metadata.name") from error


def digests(stages: Mapping[str, Object]) -> dict[str, str]:
    """A short hash of every stage."""
    return {
        name: hashlib.sha256(json.dumps(stage, sort_keys=True).encode()).hexdigest()[:16]
        for name, stage in stages.items()
    }


def apply_rights(client: KubeClient) -> None:
    """Apply roles, bindings and the definitions of stages and of what add-ons bring.

    :raises PlatformError: the server refuses.
    """
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    known = [(definitions, one) for one in (STAGE_DEFINITION, *SNAPSHOT_DEFINITIONS)]
    map_concurrently(lambda item: _apply(client, *item), [*known, *rights()])


def stages_are_served(client: KubeClient) -> bool:
    """Whether the API server serves stages by now."""
    try:
        client.request("GET", STAGES_PATH, query={"limit": 1})
    except KubeApiError:
        return False
    return True


def change_stages(client: KubeClient, stages: Mapping[str, Object], *, delete: Sequence[str] = ()) -> None:
    """Apply stages, and delete others by name."""
    map_concurrently(lambda stage: _apply(client, STAGES_PATH, stage), stages.values())
    for name in delete:
        try:
            client.request("DELETE", f"{STAGES_PATH}/{name}")
        except KubeApiError as error:
            if error.status != 404:
                raise


def namespaces_work(client: KubeClient) -> bool:
    """Whether the controllers have given the default namespace its service account: then they all work."""
    try:
        client.request("GET", "/api/v1/namespaces/default/serviceaccounts/default")
    except KubeApiError:
        return False
    return True


def _apply(client: KubeClient, collection: str, body: Object) -> None:
    client.request(
        "PATCH",
        f"{collection}/{body['metadata']['name']}",
        query={"fieldManager": MANAGER, "force": "true"},
        body=body,
        content_type=APPLY_PATCH,
    )


__all__ = (
    "apply_rights",
    "change_stages",
    "digests",
    "namespaces_work",
    "read_stages",
    "rights",
    "stages_are_served",
)
