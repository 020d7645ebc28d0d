# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""MIG at boot: what a node does before its kubelet starts, as text.

On Amazon Linux 2023 mig-manager stops the kubelet while the node bootstraps, and on cgroup v2 the node never becomes
ready again (gpu-operator#2415, mig-parted#368). A unit that runs before nodeadm avoids that: it turns MIG on (with one
reboot where the board needs one: A100 behind a hypervisor) and makes the instances again after every boot, because no
GPU instance survives one. mig-manager then finds its work done. The image brings C(nvidia-smi); nothing is downloaded.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .._core.errors import PlatformError
from .._core.text import listed
from .boards import Board, board
from .geometry import placements
from .policy import SharingPolicy

UNIT = "aiplatform-mig"
PROLOGUE = """\
#!/bin/bash
# MIG for the node pool {pool}, before the kubelet: layout {layout}
set -euo pipefail
install -d -m 0755 /opt/aiplatform
cat > /opt/aiplatform/mig.sh <<'SCRIPT'
#!/bin/bash
set -euo pipefail
marker=/opt/aiplatform/mig-rebooted
# The units that load the driver have other names in other images, and at the first boot they may still be at it.
for _attempt in $(seq 90); do
  nvidia-smi --list-gpus > /dev/null 2>&1 && break
  sleep 2
done
"""
MODE = """\
nvidia-smi --id={gpu} --multi-instance-gpu={mode}
"""
CHECK = """\
modes=$(nvidia-smi --query-gpu=mig.mode.current,mig.mode.pending --format=csv,noheader)
if awk -F', *' '$1 != $2 { found = 1 } END { exit !found }' <<< "$modes"; then
  if [ -e "$marker" ]; then
    echo "MIG mode is still pending after a reboot; see nvidia-smi" >&2
    exit 1
  fi
  touch "$marker"
  systemctl reboot
  sleep infinity
fi
rm -f "$marker"
"""
INSTANCES = """\
nvidia-smi mig --id={gpu} --destroy-compute-instance || true
nvidia-smi mig --id={gpu} --destroy-gpu-instance || true
nvidia-smi mig --id={gpu} --create-gpu-instance={profiles} --default-compute-instance
"""
EPILOGUE = """\
SCRIPT
chmod 0755 /opt/aiplatform/mig.sh
cat > /etc/systemd/system/{unit}.service <<'SERVICE'
[Unit]
Description=MIG layout of this node
After=nvidia-kmod-load.service nvidia-setup.service nvidia-persistenced.service nvidia-fabricmanager.service
After=set-nvidia-clocks.service
Before=nodeadm-run.service kubelet.service containerd.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/opt/aiplatform/mig.sh
[Install]
WantedBy=multi-user.target
RequiredBy=kubelet.service
SERVICE
systemctl daemon-reload
systemctl enable --now {unit}.service
"""


def boot_script(policy: SharingPolicy) -> str:
    """The shell script that makes the pool's MIG layout at each boot, before the kubelet starts.

    :raises PlatformError: the pool has no layout, or its nodes take it from Bottlerocket's settings.
    """
    if policy.layout is None:
        raise PlatformError(f"node pool {policy.pool}: mode {policy.mode} has no MIG layout to make at boot")
    if policy.bottlerocket:
        raise PlatformError(
            f"node pool {policy.pool}: Bottlerocket makes MIG layouts from its settings, not by a script"
        )
    if len({one.accelerator_count for one in policy.types}) > 1:
        shown = listed(f"{one.name} ({one.accelerator_count})" for one in policy.types)
        raise PlatformError(
            f"node pool {policy.pool}: a layout made at boot names each GPU, but the instance types have different "
            f"numbers of them: {shown}; use a pool for each"
        )
    target = board(policy.types[0].board or "")
    gpus = policy.layout.per_gpu(policy.types[0].accelerator_count)
    text = PROLOGUE.format(pool=policy.pool, layout=policy.layout.name)
    for index, counts in enumerate(gpus):
        text += MODE.format(gpu=index, mode=0 if counts is None else 1)
    text += CHECK
    for index, counts in enumerate(gpus):
        if counts is not None:
            text += INSTANCES.format(gpu=index, profiles=",".join(_placed(target, counts)))
    return text + EPILOGUE.format(unit=UNIT)


def _placed(target: Board, counts: Mapping[str, int]) -> list[str]:
    """The instances with the start of each (C(PROFILE:START)): the driver is left no choice in which it could fail."""
    found = placements(target, counts) or ()
    return [f"{place.profile}:{place.start}" for place in sorted(found, key=lambda one: (-one.size, one.start))]


def boot_settings(policy: SharingPolicy) -> dict[str, str]:
    """What M(aiplatform.eks.eks_node_pools) puts into the user data of the pool's nodes for the policy, by option.

    :raises PlatformError: see boot_script.
    """
    if policy.bottlerocket:
        settings = bottlerocket_settings(policy)
        return {"bottlerocket_settings": settings} if settings else {}
    at_boot = policy.layout is not None and policy.applied_by == "user_data"
    return {"boot_script": boot_script(policy)} if at_boot else {}


def boot_settings_for(pool: Mapping[str, t.Any], policy: SharingPolicy) -> dict[str, str]:
    """What the nodes of a pool need before their kubelet starts.

    :raises PlatformError: the pool has an answer of its own in the way.
    """
    found = boot_settings(policy)
    for option in ("launch_template", "user_data", *found):
        if found and pool.get(option):
            raise PlatformError(
                f"node pool {policy.pool}: its GPUs are shared by what stands in the nodes' user data, but the pool "
                f"brings {option}; leave {option} out, or let the GPU operator share them (gpu_sharing.applied_by: "
                "mig_manager, ami_family: al2023)"
            )
    return found


def bottlerocket_settings(policy: SharingPolicy) -> str:
    """Bottlerocket's own settings for the policy, as TOML; empty when the defaults are right.

    Source: facts/gpu-sharing.md §3 (settings.kubelet-device-plugins.nvidia; MIG from Bottlerocket 1.34).
    """
    lines: list[str] = []
    if policy.replicas > 1:
        strategy = policy.mode.replace("_", "-") if policy.layout is None else "time-slicing"
        lines += [f'device-sharing-strategy = "{strategy}"']
    if policy.layout is not None:
        lines += ['device-partitioning-strategy = "mig"']
    if policy.replicas > 1:
        lines += [f"[{_TABLE}.{strategy}]", f"replicas = {policy.replicas}"]
        lines += [f"rename-by-default = {str(policy.rename).lower()}"]
        if strategy == "time-slicing":
            lines += [f"fail-requests-greater-than-one = {str(policy.fail_requests_greater_than_one).lower()}"]
    if policy.layout is not None:
        target = board(policy.types[0].board or "")
        family = target.id.replace("-", ".")
        lines += [f"[{_TABLE}.mig.profile]", f'"{family}" = "{policy.layout.profiles[0]}"']
    return "\n".join([f"[{_TABLE}]", *lines]) + "\n" if lines else ""


_TABLE = "settings.kubelet-device-plugins.nvidia"

__all__ = ("boot_script", "boot_settings", "boot_settings_for", "bottlerocket_settings")
