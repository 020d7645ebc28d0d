# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The in-process door: run a module's use case inside the controller when that gives the same result.

A module process costs 0.3-0.6 s before it does anything; a use case that runs in the forked worker costs 30 ms.
"""

from __future__ import annotations

import json
import os
import sys
import typing as t
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase
from ansible.utils.vars import merge_hash
from ansible_collections.aiplatform.eks.plugins.module_utils._core.clock import SystemClock
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context, UseCase

DOOR_VARIABLE = "aiplatform_in_process"


class InProcessAction(ActionBase):  # type: ignore[misc]
    """Base of our action plugins: a subclass names its use case and nothing else."""

    _requires_connection = False
    use_case: t.ClassVar[UseCase]

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the use case here, or execute the module of the same name."""
        variables = task_vars or {}
        result: dict[str, t.Any] = super().run(tmp, variables)
        if self._needs_module_process(variables):
            return t.cast(
                "dict[str, t.Any]",
                merge_hash(result, self._execute_module(task_vars=variables, wrap_async=self._task.async_val)),
            )
        result.update(self._run_here())
        return result

    def _needs_module_process(self, variables: Mapping[str, t.Any]) -> bool:
        """Whether a module process could see another machine, user, interpreter or clock than we do."""
        if not self._variable(variables, DOOR_VARIABLE, True):
            return True
        connection = getattr(self._connection, "ansible_name", "") or getattr(self._connection, "transport", "")
        return bool(
            connection not in ("local", "ansible.builtin.local")
            or self._task.async_val
            or self._play_context.become
            or not self._same_interpreter(variables)
        )

    def _same_interpreter(self, variables: Mapping[str, t.Any]) -> bool:
        wanted = self._variable(variables, "ansible_python_interpreter", None)
        if not wanted or str(wanted).startswith("auto"):
            return bool(variables.get("inventory_hostname") in ("localhost", "127.0.0.1", None))
        return _program(str(wanted)) == _program(sys.executable)

    def _variable(self, variables: Mapping[str, t.Any], name: str, default: t.Any) -> t.Any:
        value = variables.get(name, default)
        return self._templar.template(value) if isinstance(value, str) else value

    def _run_here(self) -> dict[str, t.Any]:
        spec = self.use_case.spec
        with self._task_environment():
            validation = ArgumentSpecValidator(dict(spec.options), **spec.constraints()).validate(
                _plain({key: value for key, value in self._task.args.items() if not key.startswith("_ansible_")})
            )
            invocation = {"module_args": validation.validated_parameters}
            secrets: set[str] = validation._no_log_values
            if validation.error_messages:
                result: dict[str, t.Any] = {"failed": True, "msg": self._complaint(validation.errors.errors[0])}
            else:
                result = self._outcome(validation.validated_parameters)
        return t.cast("dict[str, t.Any]", remove_values({**result, "invocation": invocation}, secrets))

    def _complaint(self, error: Exception) -> str:
        """The message of wrong arguments, as a module process says it."""
        if isinstance(error, UnsupportedError):
            return f"Unsupported parameters for ({self._task.action}) module: {error}"
        return str(error)

    def _outcome(self, parameters: Mapping[str, t.Any]) -> dict[str, t.Any]:
        clock = SystemClock(self._tell, parent=os.getppid())
        context = Context(check_mode=bool(self._task.check_mode), diff_mode=bool(self._task.diff), clock=clock)
        if context.check_mode and not self.use_case.spec.supports_check_mode:
            return {"skipped": True, "msg": f"{self._task.action} has no check mode"}
        try:
            outcome = self.use_case.run(parameters, context)
        except PlatformError as error:
            return {"failed": True, "msg": error.message, **error.details}
        result = outcome.to_result(context)
        if outcome.warnings:
            result["warnings"] = list(outcome.warnings)
        return result

    def _tell(self, text: str) -> None:
        """Show what a long wait waits for, at once: the worker's display hands it to the controller."""
        self._display.display(f"    {self._task.get_name()} | {text}", color="bright gray")

    @contextmanager
    def _task_environment(self) -> Iterator[None]:
        """The task's C(environment:), set for the time of the call."""
        before = dict(os.environ)
        wanted: dict[str, t.Any] = {}
        for environment in self._task.environment or []:
            wanted.update(self._templar.template(environment) or {})
        os.environ.update({str(key): str(value) for key, value in wanted.items()})
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def _program(path: str) -> tuple[Path, Path]:
    """An interpreter: its folder, which makes the virtual environment, and the program that a link there means."""
    return Path(path).absolute().parent, Path(path).resolve()


def _plain(arguments: dict[str, t.Any]) -> dict[str, t.Any]:
    """The arguments as a module process would read them from JSON: built-in types, without Ansible's tags."""

    def as_text(value: t.Any) -> str:
        return str(value.isoformat() if hasattr(value, "isoformat") else value)

    return t.cast("dict[str, t.Any]", json.loads(json.dumps(arguments, default=as_text)))


__all__ = ("InProcessAction",)
