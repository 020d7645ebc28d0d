"""The script that makes MIG at boot, run by a real shell against a small stand-in for nvidia-smi."""

from __future__ import annotations

import os
import subprocess
import tomllib
import typing as t
from pathlib import Path

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy import sharing_policy
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy_boot import boot_script, boot_settings

# The driver is loaded while the script waits for it.
SMI = """#!/bin/bash
[ -e "$LOG.loaded" ] || exit 9
[ "$1" = --list-gpus ] && exit
echo "$@" >> "$LOG"
case "$1" in
  --query-gpu*) for _ in 1 2; do echo "$MODES"; done ;;
esac
"""


def script(layout: t.Any, instance: str = "p4de.24xlarge") -> str:
    policy = sharing_policy(
        {"name": "x", "instance_types": [instance], "gpu_sharing": {"mode": "mig", "layout": layout}}
    )
    return boot_script(policy)


def run(text: str, tmp_path: Path, modes: str) -> tuple[int, list[str]]:
    """Run the inner script with its paths inside tmp_path; returns exit status and the commands it gave."""
    inner = text.split("<<'SCRIPT'\n")[1].split("SCRIPT\n", maxsplit=1)[0].replace("/opt/aiplatform", str(tmp_path))
    log = tmp_path / "log"
    log.write_text("")
    for name, content in {
        "nvidia-smi": SMI,
        "systemctl": '#!/bin/bash\necho "systemctl $@" >> "$LOG"\n',
        "sleep": '#!/bin/bash\n[ "$1" = infinity ] && exit 7\ntouch "$LOG.loaded"\n',
    }.items():
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "LOG": str(log), "MODES": modes}
    done = subprocess.run(["bash", "-c", inner], env=environment, capture_output=True, text=True, check=False)
    return done.returncode, log.read_text().splitlines()


def test_mode_first_then_instances(tmp_path: Path) -> None:
    status, commands = run(script({"3g.40gb": 2}), tmp_path, modes="Enabled, Enabled")
    assert status == 0
    assert commands[:8] == [f"--id={gpu} --multi-instance-gpu=1" for gpu in range(8)]
    created = [line for line in commands if "--create-gpu-instance" in line]
    assert len(created) == 8
    assert all("--create-gpu-instance=3g.40gb:0,3g.40gb:4 " in line for line in created)


def test_a_pending_mode_reboots_once(tmp_path: Path) -> None:
    text = script({"3g.40gb": 2})
    status, commands = run(text, tmp_path, modes="Disabled, Enabled")
    assert status == 7
    assert commands[-1] == "systemctl reboot"
    status, commands = run(text, tmp_path, modes="Disabled, Enabled")
    assert status == 1
    assert "systemctl reboot" not in commands
    status, _commands = run(text, tmp_path, modes="Enabled, Enabled")
    assert status == 0
    assert not (tmp_path / "mig-rebooted").exists()


def test_whole_gpus_stay_whole(tmp_path: Path) -> None:
    layout = [{"gpus": 7, "profiles": {"1g.10gb": 7}}, {"gpus": 1}]
    _status, commands = run(script(layout), tmp_path, modes="Enabled, Enabled")
    assert "--id=7 --multi-instance-gpu=0" in commands
    assert not [line for line in commands if line.startswith("mig --id=7")]


def test_it_is_a_script_that_the_shell_accepts() -> None:
    text = script("all-balanced", "p5.48xlarge")
    assert "Before=nodeadm-run.service kubelet.service" in text
    assert subprocess.run(["bash", "-n"], input=text.encode(), check=False).returncode == 0
    with pytest.raises(PlatformError, match="no MIG layout"):
        boot_script(sharing_policy({"name": "x", "instance_types": ["p5.48xlarge"]}))


def test_types_with_different_numbers_of_gpus_are_refused() -> None:
    sharing = {"mode": "mig", "layout": {"3g.40gb": 2}}
    policy = sharing_policy({"name": "x", "instance_types": ["p5.48xlarge", "p5.4xlarge"], "gpu_sharing": sharing})
    with pytest.raises(PlatformError, match=r"different numbers of them: p5.48xlarge \(8\) and p5.4xlarge \(1\)"):
        boot_script(policy)


@pytest.mark.parametrize(
    ("sharing", "family", "expected"),
    [
        ({"mode": "mig", "layout": {"3g.40gb": 2}, "applied_by": "user_data"}, "al2023", ["boot_script"]),
        ({"mode": "mig", "layout": {"3g.40gb": 2}}, "al2023", []),
        ({"mode": "time_slicing", "replicas": 3}, "al2023", []),
        ({"mode": "exclusive"}, "bottlerocket", []),
        ({"mode": "time_slicing", "replicas": 3}, "bottlerocket", ["bottlerocket_settings"]),
        ({"mode": "mig", "layout": {"1g.10gb": 7}}, "bottlerocket_fips", ["bottlerocket_settings"]),
    ],
)
def test_only_what_the_nodes_need_at_boot_is_said(sharing: dict[str, t.Any], family: str, expected: list[str]) -> None:
    pool = {"name": "x", "instance_types": ["p5.48xlarge"], "ami_family": family, "gpu_sharing": sharing}
    assert list(boot_settings(sharing_policy(pool))) == expected


def test_bottlerockets_settings_are_toml() -> None:
    sharing = {"mode": "mig", "layout": {"1g.5gb": 7}, "replicas": 4, "rename": False}
    policy = sharing_policy(
        {"name": "x", "instance_types": ["p4d.24xlarge"], "ami_family": "bottlerocket", "gpu_sharing": sharing}
    )
    found = tomllib.loads(boot_settings(policy)["bottlerocket_settings"])
    assert found["settings"]["kubelet-device-plugins"]["nvidia"] == {
        "device-sharing-strategy": "time-slicing",
        "device-partitioning-strategy": "mig",
        "time-slicing": {"replicas": 4, "rename-by-default": False, "fail-requests-greater-than-one": True},
        "mig": {"profile": {"a100.40gb": "1g.5gb"}},
    }
