"""The mock of NVIDIA's driver library itself, called as NVIDIA's programs call it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import nvidia_node
import pytest
from nvidia_node import description
from nvidia_programs import LIBRARY, programs

LAYOUT = {"3g.40gb": 1, "1g.10gb": 4}


def answers(tmp_path: Path, script: str, config: str | None) -> list[str]:
    """Run calls in a process of its own, because the library keeps its state; returns the lines that they print."""
    path = tmp_path / "node.conf"
    if config is not None:
        path.write_text(config)
    head = f"import ctypes\nnvml = ctypes.CDLL({str(programs() / LIBRARY)!r})\n"
    done = subprocess.run(
        [sys.executable, "-c", head + textwrap.dedent(script)],
        env={"MOCK_NVML_CONFIG": str(path)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.splitlines()


def test_without_a_description_there_is_no_driver(tmp_path: Path) -> None:
    assert answers(tmp_path, "print(nvml.nvmlInit_v2(), nvml.nvmlShutdown())", None) == ["9 1"]


def test_every_mig_device_is_found_again_by_its_name(tmp_path: Path) -> None:
    script = """
        nvml.nvmlInit_v2()
        gpu, device, again = (ctypes.c_void_p() for _each in range(3))
        text = ctypes.create_string_buffer(96)
        nvml.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(gpu))
        index = 0
        while nvml.nvmlDeviceGetMigDeviceHandleByIndex(gpu, index, ctypes.byref(device)) == 0:
            nvml.nvmlDeviceGetUUID(device, text, 96)
            nvml.nvmlDeviceGetHandleByUUID(text, ctypes.byref(again))
            assert again.value == device.value
            nvml.nvmlDeviceGetName(device, text, 96)
            print(text.value.decode())
            index += 1
    """
    found = answers(tmp_path, script, description("p5.4xlarge", [LAYOUT]))
    assert sorted(name.rpartition(" ")[2] for name in found) == ["1g.10gb"] * 4 + ["3g.40gb"]


def test_whole_gpus_have_no_mig_devices(tmp_path: Path) -> None:
    script = """
        nvml.nvmlInit_v2()
        count, gpu, one, other = ctypes.c_uint(), ctypes.c_void_p(), ctypes.c_uint(9), ctypes.c_uint(9)
        nvml.nvmlDeviceGetCount_v2(ctypes.byref(count))
        nvml.nvmlDeviceGetHandleByIndex_v2(count.value - 1, ctypes.byref(gpu))
        code = nvml.nvmlDeviceGetMigMode(gpu, ctypes.byref(one), ctypes.byref(other))
        print(count.value, code, one.value, other.value)
        print(nvml.nvmlDeviceGetMigDeviceHandleByIndex(gpu, 0, ctypes.byref(gpu)))
    """
    not_found, not_supported = 6, 3
    assert answers(tmp_path, script, description("p5.48xlarge", [None] * 8)) == ["8 0 0 0", str(not_found)]
    assert answers(tmp_path, script, description("g6.xlarge", [None])) == [f"1 {not_supported} 9 9", str(not_supported)]


def test_a_fault_is_answered_where_it_is_ordered(tmp_path: Path) -> None:
    script = "nvml.nvmlInit_v2(); count = ctypes.c_uint(); print(nvml.nvmlDeviceGetCount_v2(ctypes.byref(count)))"
    in_use = 19
    assert answers(tmp_path, script, description("g6.xlarge", [None]) + f"fail nvmlDeviceGetCount_v2 {in_use}\n") == [
        "19"
    ]


def test_a_refused_mount_namespace_is_said_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "unshare").write_text("#!/bin/sh\necho unshare failed: Operation not permitted >&2\nexit 1\n")
    (tmp_path / "unshare").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(AssertionError, match="this machine refuses one") as refused:
        nvidia_node.namespace.__wrapped__()
    assert "Operation not permitted" in str(refused.value)
    assert "Run the tests as root, or allow user namespaces" in str(refused.value)
