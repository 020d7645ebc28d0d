# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""User data of a node: nodeadm's NodeConfig on Amazon Linux 2023, TOML on Bottlerocket.

Sources: nodeadm's API (awslabs/amazon-eks-ami, C(node.eks.aws/v1alpha1)), Bottlerocket's settings reference
(C(bootstrap-commands), C(apiclient ephemeral-storage)).
"""

from __future__ import annotations

import json
import typing as t
from collections.abc import Mapping, Sequence

from ..._aws.session import Record
from .launch_spec import LaunchSpec

BOUNDARY = "//"
BOTTLEROCKET_RAID = """\
[settings.bootstrap-commands.local-storage]
commands = [
  ["apiclient", "ephemeral-storage", "init"],
  ["apiclient", "ephemeral-storage", "bind", "--dirs", "/var/lib/containerd", "/var/lib/kubelet", "/var/log/pods"],
]
essential = true
mode = "always"
"""


def user_data_for(spec: LaunchSpec, cluster: Record) -> str:
    """The user data as text; empty when EKS' own is enough."""
    if spec.user_data:
        return spec.user_data
    if spec.bottlerocket:
        return (BOTTLEROCKET_RAID if spec.instance_store == "raid0" else "") + (spec.bottlerocket_settings or "")
    parts = [("text/x-shellscript; charset=us-ascii", spec.boot_script)] if spec.boot_script else []
    if node_spec := node_config(spec, cluster):
        document = {"apiVersion": "node.eks.aws/v1alpha1", "kind": "NodeConfig", "spec": node_spec}
        parts.append(("application/node.eks.aws", json.dumps(document, indent=2, sort_keys=True)))
    return mime(parts) if parts else ""


def node_config(spec: LaunchSpec, cluster: Record) -> dict[str, t.Any]:
    """C(spec) of the NodeConfig; EKS merges its own over it, except for an own image, which must say the cluster."""
    found: dict[str, t.Any] = {}
    if spec.ami_id is not None:
        found["cluster"] = {
            "name": cluster["name"],
            "apiServerEndpoint": cluster["endpoint"],
            "certificateAuthority": cluster["certificateAuthority"]["data"],
            "cidr": (cluster.get("kubernetesNetworkConfig") or {}).get("serviceIpv4Cidr") or "10.100.0.0/16",
        }
    if spec.instance_store == "raid0":
        found["instance"] = {"localStorage": {"strategy": "RAID0"}}
    return merged(found, spec.node_config or {})


def merged(one: Mapping[str, t.Any], other: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Both trees; the second wins, lists as wholes."""
    found = dict(one)
    for key, value in other.items():
        inner = found.get(key)
        found[key] = merged(inner, value) if isinstance(inner, Mapping) and isinstance(value, Mapping) else value
    return found


def mime(parts: Sequence[tuple[str, str]]) -> str:
    """The MIME message of these parts: (content type, text). EKS adds its NodeConfig as one more."""
    body = "".join(f"--{BOUNDARY}\nContent-Type: {kind}\n\n{text.rstrip()}\n" for kind, text in parts)
    return f'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="{BOUNDARY}"\n\n{body}--{BOUNDARY}--\n'


__all__ = ("merged", "mime", "node_config", "user_data_for")
