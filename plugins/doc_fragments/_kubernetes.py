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
    description: URL of the API server, with O(api_key) or O(client_cert). Excludes O(kubeconfig).
    type: str
  api_key:
    description: Bearer token for O(host).
    type: str
  ca_cert:
    description: Path of the certificate authority that signed the API server's certificate.
    type: path
  client_cert:
    description: Path of a client certificate. Needs O(client_key).
    type: path
  client_key:
    description: Path of the client certificate's key.
    type: path
  validate_certs:
    description: Whether the API server's certificate is verified.
    type: bool
    default: true
  proxy:
    description: URL of an HTTP proxy on the way to the API server.
    type: str
requirements:
  - python >= 3.11
  - kubernetes < 37.0.2 (the Python package)
"""
