# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.aiplatform.eks.plugins.module_utils._aws import stacks_info
from ansible_collections.aiplatform.eks.plugins.plugin_utils._in_process import InProcessAction


class ActionModule(InProcessAction):
    use_case = stacks_info.USE_CASE
