# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module process's door: run a use case behind AnsibleModule."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from .errors import PlatformError
from .outcome import Context, UseCase


def run_module(use_case: UseCase) -> t.NoReturn:
    """Validate the options, run the use case, and end the process with its result or its sentence."""
    module = AnsibleModule(**use_case.spec.to_module_arguments())
    context = Context(check_mode=module.check_mode, diff_mode=module._diff)
    try:
        outcome = use_case.run(module.params, context)
    except PlatformError as error:
        module.fail_json(msg=error.message, **error.details)
    for warning in outcome.warnings:
        module.warn(warning)
    module.exit_json(**outcome.to_result(context))
    raise AssertionError("unreachable: exit_json ends the process")


__all__ = ("run_module",)
