"""A GPU node that is not there: its description for the mock driver, and what NVIDIA's programs say on it."""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import time
import typing as t
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.boards import Board, board
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.geometry import placements
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.instances import instance_type
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.catalogue import Catalogue
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.model import Machine
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.nvidia import capability
from nvidia_programs import HERE, programs

ARCHITECTURES = {"volta": 5, "turing": 6, "ampere": 7, "ada": 8, "hopper": 9, "blackwell": 10, "blackwell-gb20x": 10}
ENGINES = ("copy_engines", "decoders", "encoders", "jpeg", "ofa")
Layout = Mapping[str, int] | None
LONGEST, QUIET = 30.0, 0.4
MINORS = 16  # of GPU instances; the driver lists more than there are
NOT_ALLOWED = (
    "NVIDIA's programs read fixed places in /proc, /sys and /var/lib, so they are run in a mount namespace, and this "
    "machine refuses one ({why}). Run the tests as root, or allow user namespaces (sysctl kernel.unprivileged_userns_"
    "clone=1, and on Ubuntu kernel.apparmor_restrict_unprivileged_userns=0), or give the container CAP_SYS_ADMIN"
)


@dataclass(frozen=True)
class Verdict:
    """What NVIDIA's programs say.

    :param resources: extended resource -> devices that the plugin registered.
    :param labels: what feature discovery wrote; empty when it failed.
    :param refusals: last words of a program that ended with an error, by program.
    :param asked: the answer to one Allocate call.
    """

    resources: Mapping[str, int]
    labels: Mapping[str, str]
    refusals: Mapping[str, str]
    asked: Mapping[str, t.Any] | None = None


@functools.cache
def namespace() -> tuple[str, ...]:
    """The command that gives a program a mount namespace of its own.

    :raises AssertionError: the machine refuses it, with what to do.
    """
    ways = [("unshare", "--mount", "--propagation", "private"), ("unshare", "--user", "--map-root-user", "--mount")]
    said = []
    for way in ways[os.geteuid() != 0 :]:
        tried = subprocess.run(
            [*way, "mount", "-t", "tmpfs", "none", "/sys/bus"], capture_output=True, text=True, check=False
        )
        if tried.returncode == 0:
            return way
        said.append(tried.stderr.strip())
    raise AssertionError(NOT_ALLOWED.format(why="; ".join(said)))


def description(type_name: str, layouts: Sequence[Layout]) -> str:
    """The node for the mock driver.

    :param layouts: of each GPU; None where MIG is off.
    """
    machine = Catalogue().machine(type_name)
    assert machine is not None
    lines = ["driver 580.95.05", "nvml 13.580.95.05", "cuda 13000"]
    target = board(instance_type(type_name).board or "") if instance_type(type_name).board else None
    for index, layout in enumerate(layouts):
        lines.append(_gpu(index, machine, target, layout))
        lines += _profiles(index, target, _memory(machine, target)) if target else []
        lines += _instances(index, target, layout) if target and layout else []
    return "\n".join(lines) + "\n"


def _gpu(index: int, machine: Machine, target: Board | None, layout: Layout) -> str:
    major, minor = capability(machine)
    pci = target.pci_device_ids[0] if target and target.pci_device_ids else "0x000010DE"
    identity = f"GPU-{uuid.uuid5(uuid.NAMESPACE_DNS, f'{machine.instance_type}.{index}')}"
    words = [identity, bus(index), pci, "0x000010DE", _memory(machine, target), major, minor]
    words += [ARCHITECTURES[machine.gpu_arch], int(target is not None), int(layout is not None), machine.gpu_name]
    return f"gpu {' '.join(map(str, words))}"


def _memory(machine: Machine, target: Board | None) -> int:
    """The GPU's memory in MiB; where nobody has published it, that of its largest instance."""
    parts = [one.memory_mib or 0 for one in target.profiles.values()] if target else []
    return machine.gpu_memory_mib or max(parts, default=0)


def bus(index: int) -> str:
    """The PCI address of a GPU."""
    return f"00000000:{0x10 + index:02X}:00.0"


def _profiles(index: int, target: Board, mib: int) -> list[str]:
    """Its profiles; where the exact memory of one is unknown, that of its slices, from which names are made."""
    found = []
    for one in target.profiles.values():
        memory = mib * (one.size or 0) // (target.memory_slices or 1)
        engines = [one.engines.get(name) or 0 for name in ENGINES]
        words = [one.nvml_id, one.smi_id, one.compute_slices, one.max_instances, one.multiprocessors or 0, *engines]
        found.append(f"profile {index} {' '.join(map(str, words))} {one.memory_mib or memory} {one.name}")
    return found


def _instances(index: int, target: Board, layout: Mapping[str, int]) -> list[str]:
    found = placements(target, layout) or ()
    return [f"instance {index} {target.profile(one.profile).smi_id} {one.start} {one.size}" for one in found]


def judged(
    folder: Path,
    type_name: str,
    layouts: Sequence[Layout],
    config: Mapping[str, t.Any],
    *,
    strategy: str,
    expected: Mapping[str, int] | None = None,
    ask: str = "",
) -> Verdict:
    """Run feature discovery and the device plugin on such a node.

    :param config: the device plugin's configuration. :param strategy: the MIG strategy, as the operator sets it.
    :param expected: ends the wait early when the plugin says so; None for a plugin that should end by itself.
    :param ask: C(RESOURCE=N) to allocate once.
    """
    _write_node(folder, type_name, layouts, config)
    environment = {
        **os.environ,
        "LD_LIBRARY_PATH": str(programs()),
        "PATH": f"{folder / 'bin'}:{programs()}:{os.environ['PATH']}",
        "MOCK_NVML_CONFIG": str(folder / "node.conf"),
        "MIG_STRATEGY": strategy,
        "MPS_ROOT": "/run/nvidia/mps",
        "ASK": ask,
    }
    command = [*namespace(), "bash", str(HERE / "gpu_node.bash"), str(folder), "bash", "-c", SCRIPT]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            return _wait(folder, process, expected, asked=bool(ask))
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


SCRIPT = """
gpu-feature-discovery --oneshot --no-timestamp --use-node-feature-api=false --config-file=config.yaml \\
  --machine-type-file=machine --output-file=labels > discovery.log 2>&1
echo $? > discovery.code
fakekubelet -allocate "$ASK" > lines &
until [ -S /var/lib/kubelet/device-plugins/kubelet.sock ]; do sleep 0.02; done
nvidia-device-plugin --config-file=config.yaml > plugin.log 2>&1
echo $? > plugin.code
"""


def _write_node(folder: Path, type_name: str, layouts: Sequence[Layout], config: Mapping[str, t.Any]) -> None:
    texts = {
        "node.conf": description(type_name, layouts),
        "config.yaml": yaml.safe_dump(dict(config)),
        "machine": type_name,
        "mig-minors": _minors(len(layouts)),
        # all that the plugin asks the MPS daemon
        "bin/nvidia-cuda-mps-control": "#!/bin/sh\nread -r question\necho 25.0\n",
    }
    zeros = {"config": "\0" * 256, "resource": "0x0 0x0 0x0\n", "numa_node": "0\n", "reset": ""}
    device = {"vendor": "0x10de\n", "device": "0x2330\n", "class": "0x030200\n", **zeros}
    for index in range(len(layouts)):
        texts |= {f"pci/{bus(index)[4:].lower()}/{name}": text for name, text in device.items()}
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "bin/nvidia-cuda-mps-control").chmod(0o755)


def _minors(gpus: int) -> str:
    paths = [
        f"gpu{gpu}/gi{instance}/{rest}"
        for gpu in range(gpus)
        for instance in range(MINORS)
        for rest in ("access", "ci0/access")
    ]
    return "".join(f"{path} {number}\n" for number, path in enumerate(["config", "monitor", *paths], 1))


def _wait(
    folder: Path, process: subprocess.Popen[bytes], expected: Mapping[str, int] | None, *, asked: bool
) -> Verdict:
    """Until the plugin ended, says what is expected and stays at it, or took too long."""
    end, right_since = time.monotonic() + LONGEST, 0.0
    while process.poll() is None and time.monotonic() < end:
        lines = _lines(folder)
        resources = {line["resource"]: line["allocatable"] for line in lines if "asked" not in line}
        if resources != expected or (asked and not any("asked" in line for line in lines)):
            right_since = 0.0
        elif not right_since:
            right_since = time.monotonic()
        elif time.monotonic() - right_since > QUIET:
            break
        time.sleep(0.05)
    return _verdict(folder)


def _lines(folder: Path) -> list[dict[str, t.Any]]:
    path = folder / "lines"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines() if line.endswith("}")]


def _verdict(folder: Path) -> Verdict:
    refusals = {}
    for name in ("discovery", "plugin"):
        code = folder / f"{name}.code"
        if code.exists() and code.read_text().strip() != "0":
            refusals[name] = (folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")[-2000:]
    written = folder / "labels"
    text = written.read_text(encoding="utf-8") if written.exists() else ""
    lines = _lines(folder)
    return Verdict(
        resources={line["resource"]: line["allocatable"] for line in lines if "asked" not in line},
        labels=dict(line.split("=", 1) for line in text.splitlines() if "=" in line),
        refusals=refusals,
        asked=next((line for line in lines if "asked" in line), None),
    )
