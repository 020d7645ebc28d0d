# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Policies in moto: AWS's own are read once, and a call counts as made by TLS.

Moto reads all 1,582 managed policies for each of its six partitions after every reset.
Measured: a reset and the first EC2 call after it cost 2.4 s of CPU so, and 0.2 s with this.
"""

from __future__ import annotations

import copy
import typing as t
from functools import cache

from . import moto_library as lib

PARTITION = "aws"


def read_managed_policies_once() -> None:
    """Let each new IAM backend take copies of policies that were read before; partitions beside C(aws) have none."""
    read = lib.IAMBackend._init_aws_policies

    @cache
    def policies(account: str) -> tuple[t.Any, ...]:
        return tuple(read(_Reader(account)))

    def copies(backend: t.Any) -> list[t.Any]:
        if backend.region_name != PARTITION:
            return []
        return [copy.copy(policy) for policy in policies(backend.account_id)]

    lib.IAMBackend._init_aws_policies = copies


def count_calls_as_encrypted() -> None:
    """Let a statement that denies calls without TLS deny none: calls to the emulator count as made by TLS.

    Moto does not work a condition out: it denies whatever such a statement of a bucket's policy names.
    """
    permitted = lib.IAMPolicyStatement.is_action_permitted

    def judged(statement: t.Any, *arguments: t.Any) -> t.Any:
        if statement._statement["Effect"] == "Deny" and _is_about_tls(statement._statement):
            return lib.PermissionResult.NEUTRAL
        return permitted(statement, *arguments)

    lib.IAMPolicyStatement.is_action_permitted = judged


def _is_about_tls(statement: t.Mapping[str, t.Any]) -> bool:
    tests = (statement.get("Condition") or {}).get("Bool") or {}
    return str(tests.get("aws:SecureTransport")).lower() == "false"


class _Reader:
    """As much of a backend as reading the policies needs."""

    region_name = PARTITION

    def __init__(self, account_id: str) -> None:
        self.account_id = account_id


__all__ = (
    "count_calls_as_encrypted",
    "read_managed_policies_once",
)
