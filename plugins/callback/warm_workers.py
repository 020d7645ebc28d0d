# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: warm_workers
type: aggregate
short_description: Load what every worker needs once, before workers are forked
version_added: 0.1.0
author:
  - The aiplatform.eks engineers (@aiplatform)
description:
  - The first filter and the first test of a task make Ansible load all of its filter and test plugins. The controller
    itself uses none, so that every worker, which lives for one task, loads them anew.
  - With this callback the controller loads them when the playbook begins, with the filters of this collection; workers
    inherit them. It says and writes nothing.
  - A worker leaves what it inherited out of its garbage collection, which would copy the controller's memory.
requirements:
  - Enable it with C(ANSIBLE_CALLBACKS_ENABLED=aiplatform.eks.warm_workers).
"""

EXAMPLES = r"""
warm: |
  ANSIBLE_CALLBACKS_ENABLED=aiplatform.eks.warm_workers ansible-playbook site.yml
"""

import functools
import gc
import os
import typing as t
from pathlib import Path

from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import filter_loader, test_loader

COLLECTION = "aiplatform.eks"
FILTERS = Path(__file__).resolve().parent.parent / "filter"


@functools.cache
def _freeze_in_workers() -> None:
    """Once in a process: hooks of fork cannot be taken back."""
    os.register_at_fork(after_in_child=gc.freeze)


class CallbackModule(CallbackBase):
    """Loads plugins and does nothing else."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "aiplatform.eks.warm_workers"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_start(self, playbook: t.Any) -> None:
        """Any one of Ansible's own loads all of them."""
        filter_loader.get("ansible.builtin.default")
        test_loader.get("ansible.builtin.defined")
        for path in sorted(FILTERS.glob("*.yml")):
            filter_loader.get(f"{COLLECTION}.{path.stem}")
        _freeze_in_workers()
