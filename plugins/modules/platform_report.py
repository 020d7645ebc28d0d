#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: platform_report
short_description: Write a page about clusters, their GPUs, quotas, price and versions
version_added: 0.1.0
description:
  - Writes one page of HTML that needs nothing else, with a picture of every GPU, its slices and who uses them.
  - The page has no time of its own. It is written when it says something new, and stays as it is otherwise.
  - It names objects and holds no secret.
author:
  - The aiplatform.eks engineers (@aiplatform)
extends_documentation_fragment:
  - aiplatform.eks._attributes
  - aiplatform.eks._attributes.converges
options:
  path:
    description: The file. Folders above it are made.
    type: path
    required: true
  state:
    description: Whether the page is there.
    type: str
    choices: [present, absent]
    default: present
  clusters:
    description:
      - Needed with O(state=present).
      - What M(aiplatform.eks.platform_info) returned for each cluster, with C(name), C(region), C(cloud), C(addons) as
        M(aiplatform.eks.eks_addons_info) returns them, and C(price) as M(aiplatform.eks.aws_preflight) does.
    type: list
    elements: dict
  run_record:
    description:
      - The file that the callback P(aiplatform.eks.run_record#callback) writes of this run, for what changed.
      - When the run has changed nothing so far, the page keeps saying what the last one changed.
    type: path
seealso:
  - module: aiplatform.eks.platform_info
"""

EXAMPLES = r"""
- name: Look at the cluster
  aiplatform.eks.platform_info:
    node_pools: "{{ aiplatform_node_pools }}"
  register: platform

- name: Write the report
  aiplatform.eks.platform_report:
    path: build/report.html
    clusters:
      - "{{ platform | combine({'name': aiplatform_cluster, 'region': aiplatform_region}) }}"
"""

RETURN = r"""
steps:
  description: One line when the page changes.
  returned: success
  type: list
  elements: str
  sample: ["create report /home/me/platform/build/report.html"]
report:
  description: The file.
  returned: success
  type: str
  sample: /home/me/platform/build/report.html
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module
from ansible_collections.aiplatform.eks.plugins.module_utils._report.platform_report import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
