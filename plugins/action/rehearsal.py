# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.aiplatform.eks.plugins.module_utils._local import rehearsal
from ansible_collections.aiplatform.eks.plugins.plugin_utils._outer_run import OuterRunAction


class ActionModule(OuterRunAction):
    use_case = rehearsal.USE_CASE
