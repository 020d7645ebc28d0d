#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: helm_releases_info
short_description: List the Helm releases of a cluster
version_added: 0.1.0
description:
  - Lists the releases from helm's own records, in one request and without a helm process.
  - Values and manifests are not returned; they may hold secrets.
author:
  - The aiplatform.eks engineers (@aiplatform)
extends_documentation_fragment:
  - aiplatform.eks._attributes
  - aiplatform.eks._attributes.info
  - aiplatform.eks._kubernetes
options:
  namespace:
    description: Only releases of this namespace.
    type: str
seealso:
  - module: aiplatform.eks.helm_releases
"""

EXAMPLES = r"""
- name: What is installed?
  aiplatform.eks.helm_releases_info:
  register: installed
"""

RETURN = r"""
releases:
  description: The releases, sorted by namespace and name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the release.
      returned: success
      type: str
      sample: web
    namespace:
      description: Its namespace.
      returned: success
      type: str
      sample: web
    revision:
      description: Its newest revision.
      returned: success
      type: int
      sample: 3
    status:
      description: Status of the newest revision.
      returned: success
      type: str
      sample: deployed
    chart:
      description: Name of the chart.
      returned: success
      type: str
      sample: web
    chart_version:
      description: Version of the chart.
      returned: success
      type: str
      sample: 1.1.0
    app_version:
      description: Version of the application, as the chart says it.
      returned: success
      type: str
      sample: "1.27"
    stand_in:
      description: Whether the newest revision was made from a stand-in chart of M(aiplatform.eks.helm_releases).
      returned: success
      type: bool
      sample: false
    deployed_revision:
      description: The newest revision that was deployed; null when none was.
      returned: success
      type: int
      sample: 3
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module
from ansible_collections.aiplatform.eks.plugins.module_utils._helm.info import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
