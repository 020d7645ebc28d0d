#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: local_cloud
short_description: Start or stop a Kubernetes control plane, an AWS and simulated nodes on this machine
version_added: 0.1.0
description:
  - Starts a real etcd, kube-apiserver, kube-controller-manager and kube-scheduler, C(kwok) that plays nodes and pods,
    an AWS emulator with Amazon EKS in it, and a simulator that makes nodes with GPUs of EKS node groups.
  - Everything listens on C(127.0.0.1) only, on free ports, and lives in one folder, so that several local clouds run
    side by side.
  - The programs go on running when the play has ended. What died is started again; what runs is left alone.
  - The Kubernetes programs are looked for in E(KUBEBUILDER_ASSETS), E(PATH) and the cache
    (E(XDG_CACHE_HOME) or C(~/.cache)); else the official releases are downloaded, each verified against the checksum
    that is published beside it; else they are built by C(go install), which takes minutes, once. How far that is stands
    in C(logs/programs.log) of O(run_dir).
  - A local cloud is for rehearsals and tests. Its data is thrown away when it is stopped; its logs stay.
author:
  - The aiplatform.eks engineers (@aiplatform)
extends_documentation_fragment:
  - aiplatform.eks._attributes
  - aiplatform.eks._attributes.converges
options:
  state:
    description: Whether the local cloud runs. V(stopped) leaves no process, no port and no data.
    type: str
    choices:
      - started
      - stopped
    default: started
  run_dir:
    description:
      - Folder of this local cloud. It is made when it does not exist, for its owner only.
      - Two local clouds need two folders.
    type: path
    required: true
  home:
    description:
      - The folder C(files) of the role C(local_cloud), which holds the list of the programs and
        the stages that C(kwok) plays. Required when O(state=started).
    type: path
  region:
    description: AWS region of the emulator and of the simulated nodes.
    type: str
    default: us-east-1
  aws:
    description: Whether the AWS emulator runs.
    type: bool
    default: true
  simulator:
    description: Whether the simulator of nodes runs. Needs O(aws).
    type: bool
    default: true
  stages:
    description:
      - More stages for C(kwok), objects of kind C(Stage); files, folders of which all C(*.yaml) are read, or patterns
        with C(*) of either.
      - Stages of custom resources may come before the custom resource definition.
    type: list
    elements: path
    default: []
  api_port:
    description: Port of the Kubernetes API server. V(0) takes a free one. Heeded when nothing runs yet.
    type: int
    default: 0
  aws_port:
    description: Port of the AWS emulator. V(0) takes a free one. Heeded when nothing runs yet.
    type: int
    default: 0
  download_urls:
    description:
      - Addresses of mirrors of the releases, by project. Projects are V(kubernetes), V(etcd), V(kwok),
        V(kwok-checksums) and V(helm).
      - Without an entry, E(AIPLATFORM_KUBERNETES_URL), E(AIPLATFORM_ETCD_URL), E(AIPLATFORM_KWOK_URL),
        E(AIPLATFORM_KWOK_CHECKSUMS_URL) or E(AIPLATFORM_HELM_URL) is used, then the project's own address.
    type: dict
    default: {}
  timeout:
    description: Seconds after which a start that is not complete is given up and taken back.
    type: int
    default: 120
requirements:
  - python >= 3.11
  - Linux or macOS
  - cryptography (the Python package)
  - kubernetes < 37.0.2 (the Python package)
  - moto[server] (the Python package), for O(aws)
"""

EXAMPLES = r"""
- name: Start a local cloud
  aiplatform.eks.local_cloud:
    run_dir: "{{ playbook_dir }}/.local-cloud"
    home: "{{ role_path }}/files"
  register: cloud

- name: Start a bare Kubernetes control plane with stages of our own
  aiplatform.eks.local_cloud:
    run_dir: /tmp/control-plane
    home: "{{ role_path }}/files"
    aws: false
    simulator: false
    stages:
      - files/stages

- name: Stop the local cloud
  aiplatform.eks.local_cloud:
    run_dir: "{{ playbook_dir }}/.local-cloud"
    state: stopped
"""

RETURN = r"""
steps:
  description: What was done, or would be done in check mode, one line each.
  returned: success
  type: list
  elements: str
  sample: ["create etcd", "create kube-apiserver"]
state:
  description: The state that the local cloud is in, or would be in.
  returned: success
  type: str
  sample: started
run_dir:
  description: Folder of this local cloud.
  returned: success
  type: str
  sample: /home/me/aiplatform/.local-cloud/local
kubeconfig:
  description: Path of the administrator's kubeconfig. The administrator is in C(system:masters).
  returned: success
  type: str
  sample: /home/me/aiplatform/.local-cloud/local/kubeconfig
kubeconfig_user:
  description: Path of a kubeconfig whose user may do everything by RBAC, without being in C(system:masters).
  returned: success
  type: str
  sample: /home/me/aiplatform/.local-cloud/local/kubeconfig-user
kubeconfig_readonly:
  description: Path of a kubeconfig whose user may read, but no secrets, and write nothing.
  returned: success
  type: str
  sample: /home/me/aiplatform/.local-cloud/local/kubeconfig-readonly
kubernetes_endpoint:
  description: Address of the Kubernetes API server; empty when nothing runs.
  returned: success
  type: str
  sample: https://127.0.0.1:41537
ca_file:
  description: Path of the certificate authority that signed the certificates of the servers.
  returned: success
  type: str
  sample: /home/me/aiplatform/.local-cloud/local/pki/ca.crt
aws_endpoint:
  description: Address of the AWS emulator; empty when it does not run.
  returned: success
  type: str
  sample: http://127.0.0.1:38211
region:
  description: AWS region.
  returned: success
  type: str
  sample: us-east-1
environment:
  description:
    - Environment of a task that is to take the emulator for AWS, with credentials that no AWS knows.
    - Empty when the emulator does not run.
  returned: success
  type: dict
  sample: {AWS_ENDPOINT_URL: "http://127.0.0.1:38211", AWS_REGION: us-east-1}
versions:
  description: Versions of the programs, by project.
  returned: success
  type: dict
  sample: {kubernetes: 1.36.3, etcd: 3.6.14, kwok: 0.8.0, helm: 4.2.4}
binaries:
  description: Folder of the Kubernetes programs, C(kubectl) and C(helm) included; empty when nothing runs.
  returned: success
  type: str
  sample: /home/me/.cache/aiplatform-eks/controlplane/linux-amd64-84e3aebd07740865
components:
  description: The programs that run, or would run.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the component.
      returned: success
      type: str
      sample: kube-apiserver
    pid:
      description: Process id; V(0) when it does not run yet.
      returned: success
      type: int
      sample: 4711
    port:
      description: Port of C(127.0.0.1); V(0) when it does not run yet.
      returned: success
      type: int
      sample: 41537
    log:
      description: Path of its log.
      returned: success
      type: str
      sample: /home/me/aiplatform/.local-cloud/local/logs/kube-apiserver.log
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module
from ansible_collections.aiplatform.eks.plugins.module_utils._local.local_cloud import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
