#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: cloudformation_stacks_info
short_description: Read several CloudFormation stacks at once
version_added: 0.1.0
description:
  - Reads stacks by their names, all at once, with parameters, outputs and tags, and puts their outputs together.
  - A stack that is not there is no error; it is not in the answer. One whose first making failed is told apart.
author:
  - The aiplatform.eks engineers (@aiplatform)
extends_documentation_fragment:
  - aiplatform.eks._attributes
  - aiplatform.eks._attributes.info
  - aiplatform.eks._aws
options:
  stack_names:
    description: The names of the stacks. Of outputs with one key the last stack's counts.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Look at the network and what it holds
  aiplatform.eks.cloudformation_stacks_info:
    stack_names: [prod-network, prod-efs]
  register: made
"""

RETURN = r"""
stacks:
  description: The stacks that there are, by name, without those whose first making failed.
  returned: success
  type: dict
  contains:
    status:
      description: CloudFormation's status.
      returned: success
      type: str
      sample: UPDATE_COMPLETE
    parameters:
      description: The parameters that it was made with.
      returned: success
      type: dict
      sample: {VpcCidr: 10.0.0.0/16}
    outputs:
      description: Its outputs.
      returned: success
      type: dict
      sample: {VpcId: vpc-0123456789abcdef0}
    tags:
      description: Its tags.
      returned: success
      type: dict
      sample: {team: ml}
outputs:
  description: The outputs of all of them.
  returned: success
  type: dict
  sample: {VpcId: vpc-0123456789abcdef0, EfsFileSystemId: fs-0123456789abcdef0}
failed_at_first:
  description: Names of the stacks whose first making failed. They can only be deleted.
  returned: success
  type: list
  elements: str
  sample: []
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._aws.stacks_info import USE_CASE
from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
