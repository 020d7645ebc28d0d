# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an action that starts C(ansible-playbook) hands on of the run that it is part of."""

from __future__ import annotations

import json
import typing as t

from ansible import context
from ansible.utils.vars import load_extra_vars
from ansible_collections.aiplatform.eks.plugins.plugin_utils._in_process import InProcessAction


class OuterRunAction(InProcessAction):
    """An action whose module takes C(outer_vars) and C(vault_ids): both are this run's unless the task says them."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Add them, then run as every action of ours."""
        if asks_for_password():
            sentence = (
                "the vault password of this run is asked for, which the runs that it starts cannot do; name a file or "
                "a program instead, by --vault-password-file or --vault-id label@file"
            )
            return {"failed": True, "changed": False, "msg": sentence}
        given = json.dumps(dict(load_extra_vars(self._loader)), default=str)
        self._task.args = {"outer_vars": given, "vault_ids": vault_ids(), **self._task.args}
        return super().run(tmp, task_vars)


def vault_ids() -> list[str]:
    """Where this run has its vault passwords from, as C(--vault-id) takes it; the configuration's are left to it."""
    return [*_options("vault_ids"), *_options("vault_password_files")]


def asks_for_password() -> bool:
    """Whether somebody has to type a vault password."""
    typed = any(one.rpartition("@")[2].startswith("prompt") for one in _options("vault_ids"))
    return typed or bool(context.CLIARGS.get("ask_vault_pass"))


def _options(name: str) -> list[str]:
    return [str(one) for one in context.CLIARGS.get(name) or ()]


__all__ = ("OuterRunAction", "asks_for_password", "vault_ids")
