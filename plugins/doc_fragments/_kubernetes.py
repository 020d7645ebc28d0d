# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - Path of a kubeconfig file.
      - Without it and without O(host), E(K8S_AUTH_KUBECONFIG) or E(KUBECONFIG) is used, then the service account of
        the pod that runs the task, then C(~/.kube/config).
    type: path
  context:
    description: The kubeconfig's context to use, instead of its current one.
    type: str
  host:
    description:
      - URL of the API server, with O(api_key), O(client_cert) or O(username).
      - At most one of O(host), O(kubeconfig) and O(eks_cluster) may be given.
    type: str
  api_key:
    description: Bearer token for O(host). Excludes O(username).
    type: str
  ca_cert:
    description: Path of the certificate authority that signed the API server's certificate.
    type: path
  client_cert:
    description: Path of a client certificate for O(host). Needs O(client_key).
    type: path
  client_key:
    description: Path of the client certificate's key.
    type: path
  validate_certs:
    description:
      - Whether the API server's certificate is verified.
      - A kubeconfig that says C(insecure-skip-tls-verify) switches it off as well.
    type: bool
    default: true
  proxy:
    description: URL of an HTTP proxy on the way to the API server.
    type: str
  username:
    description:
      - User of an OpenShift or ROSA cluster at O(host), logged in through its OAuth server. Needs O(password).
      - Needs the Python package C(openshift). It verifies the OAuth server with O(ca_cert) or the system's authorities.
    type: str
  password:
    description: Password of O(username).
    type: str
  eks_cluster:
    description:
      - Name of an EKS cluster. Endpoint and authority come from C(eks:DescribeCluster), the token is signed in process.
      - Without it, without O(host) and without O(kubeconfig), E(AIPLATFORM_EKS_CLUSTER) names the cluster.
      - Needs the Python package C(botocore) and AWS credentials in one of the usual places. No aws CLI is run.
      - In check mode a cluster that does not exist yet counts as an empty one.
    type: str
  eks_region:
    description: Region of O(eks_cluster). E(AWS_REGION) or the profile's region without it.
    type: str
  eks_profile:
    description: AWS profile to log in to O(eks_cluster) with.
    type: str
requirements:
  - python >= 3.11
  - kubernetes < 37.0.2 (the Python package)
"""
