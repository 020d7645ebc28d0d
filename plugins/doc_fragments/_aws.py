# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  region:
    description:
      - The AWS region.
      - Without it, E(AWS_REGION), E(AWS_DEFAULT_REGION) or the profile's region is used.
    type: str
  profile:
    description: The profile of the AWS configuration files. Without it, E(AWS_PROFILE) is used. Excludes O(access_key).
    type: str
  endpoint_url:
    description: URL of another endpoint than that of AWS, for all services. Without it, E(AWS_ENDPOINT_URL) is used.
    type: str
  access_key:
    description:
      - Id of the access key.
      - Without it, the usual chain is followed, from E(AWS_ACCESS_KEY_ID) to the instance's role.
    type: str
  secret_key:
    description: The access key's secret. Needs O(access_key).
    type: str
  session_token:
    description: Token of temporary credentials.
    type: str
  ca_bundle:
    description: Path of the certificate authorities to verify the endpoint with. Without it, E(AWS_CA_BUNDLE) is used.
    type: path
requirements:
  - python >= 3.11
  - boto3 with botocore >= 1.42.0
notes:
  - Calls that AWS throttles or that fail on its side are tried up to 8 times with botocore's adaptive mode;
    E(AWS_RETRY_MODE) and E(AWS_MAX_ATTEMPTS) have the last word.
"""
