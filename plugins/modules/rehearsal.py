#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: rehearsal
short_description: Run playbooks one after the other and judge each by what it changed
version_added: 0.1.0
description:
  - Each step is an C(ansible-playbook) of its own, so it does exactly what a user's run does.
  - A step goes wrong when its playbook fails, or when it changes other tasks than O(steps[].expect) allows. The first
    step that goes wrong ends the rehearsal, and the module fails with the reason.
  - Which play a step is at is shown while it runs; its whole output goes to a file in O(log_dir).
  - C(playbooks/rehearse.yml) uses it to make, check, repeat and take away a platform on the local cloud.
author:
  - The aiplatform.eks engineers (@aiplatform)
extends_documentation_fragment:
  - aiplatform.eks._attributes
attributes:
  check_mode:
    support: partial
    details:
      - Only looks whether the playbooks are there.
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - Each run rehearses anew.
options:
  inventories:
    description: Inventories of every step.
    type: list
    elements: path
    required: true
  log_dir:
    description: Folder of the logs. It is made when it does not exist.
    type: path
    required: true
  limit:
    description: Pattern of hosts that every step is limited to.
    type: str
  extra_vars:
    description:
      - Extra variables of every step, over O(outer_vars). They are handed over by a file that only the owner can read.
    type: dict
    default: {}
  outer_vars:
    description:
      - Extra variables of the run that the task is part of, as JSON. Handed on to every step.
      - C(ansible-playbook) fills this in by itself.
    type: str
    default: "{}"
  vault_ids:
    description:
      - Where every step has its vault passwords from, as C(--vault-id) takes it.
      - C(ansible-playbook) fills in those of its own command line. A password that is typed cannot be handed on.
    type: list
    elements: str
    default: []
  steps:
    description: The steps, in their order.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: What the step does, in words.
        type: str
        required: true
      playbook:
        description: Path of the playbook.
        type: path
        required: true
      check:
        description: Whether it runs with C(--check --diff).
        type: bool
        default: false
      extra_vars:
        description: Extra variables of this step, over O(extra_vars).
        type: dict
        default: {}
      expect:
        description:
          - What the step must be besides successful.
          - With V(unchanged) no task may change anything.
          - With V(as_predicted) the tasks that change something must be those that the step before, in check mode,
            said would, each as often.
        type: str
        choices:
          - success
          - unchanged
          - as_predicted
        default: success
      timeout:
        description: Seconds after which the step is ended and taken for failed.
        type: int
        default: 7200
seealso:
  - module: aiplatform.eks.local_cloud
"""

EXAMPLES = r"""
- name: The platform can be made, and is then left alone
  aiplatform.eks.rehearsal:
    inventories: "{{ ansible_inventory_sources }}"
    log_dir: "{{ playbook_dir }}/../.local-cloud/rehearsal"
    extra_vars:
      aiplatform_cloud: local
    steps:
      - name: make it
        playbook: "{{ playbook_dir }}/site.yml"
      - name: run again
        playbook: "{{ playbook_dir }}/site.yml"
        expect: unchanged
"""

RETURN = r"""
verdict:
  description: One entry for each step that ran, also when the module fails. Empty in check mode.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The step's name.
      returned: always
      type: str
      sample: run again
    passed:
      description: Whether it went as it should.
      returned: always
      type: bool
      sample: true
    problem:
      description: What is wrong with it. Empty when nothing is.
      returned: always
      type: str
      sample: ""
    changed:
      description: How many tasks changed something, or would have.
      returned: always
      type: int
      sample: 0
    tasks:
      description: The tasks that changed something, or would have.
      returned: success
      type: list
      elements: dict
      contains:
        host:
          description: The host.
          returned: always
          type: str
          sample: prod-us-east-1
        task:
          description: Name of the task.
          returned: always
          type: str
          sample: Classes and shared volumes
        steps:
          description: One line for each change, where the task's module is of this collection.
          returned: always
          type: list
          elements: str
          sample: ["configured StorageClass gp3 (parameters)"]
    seconds:
      description: How long the playbook took.
      returned: always
      type: float
      sample: 11.2
    log:
      description: The file with its output.
      returned: always
      type: str
      sample: .local-cloud/rehearsal/2-run-again.log
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module
from ansible_collections.aiplatform.eks.plugins.module_utils._local.rehearsal import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
