"""Strict readers of NVIDIA's two formats: what they refuse and why."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.device_plugin_config import (
    DevicePluginConfig,
    read_device_plugin_config,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.mig_parted import (
    MigEntry,
    mig_parted_document,
    read_mig_parted,
)

SLICED = {"timeSlicing": {"resources": [{"name": "nvidia.com/gpu", "replicas": 3}]}}
PLUGIN_REFUSED: list[tuple[t.Any, str]] = [
    ([], "wanted is a mapping"),
    ({"version": "v2"}, "knows only 'v1'"),
    ({"flags": {"renameByDefault": True}}, "it belongs in sharing.mps or sharing.timeSlicing"),
    ({"timeSlicing": {}}, "it belongs in sharing"),
    ({"sharing": {"timeSlicing": {"renameByDefualt": True}}}, "did you mean 'renameByDefault'"),
    ({"sharing": {"timeSlicing": {"replicas": 3}}}, "it belongs in sharing.mps.resources or"),
    ({"sharing": {"timeSlicing": {}}}, "at least one resource"),
    ({"sharing": {"timeSlicing": {"resources": []}}}, "at least one resource"),
    ({"sharing": {"timeSlicing": {"resources": [{"replicas": 2}]}}}, "has no name"),
    ({"sharing": {"timeSlicing": {"resources": [{"name": "gpu"}]}}}, "replicas is None"),
    ({"sharing": {"timeSlicing": {"resources": [{"name": "gpu", "replicas": 1}]}}}, "2 or more"),
    ({"sharing": {"timeSlicing": {"resources": [{"name": "gpu", "replicas": 2, "rename": "a"}]}}}, "plugin ignores"),
    ({"sharing": {"timeSlicing": {"resources": [{"name": "GPU!", "replicas": 2}]}}}, "wanted is a resource name"),
    ({"sharing": {"timeSlicing": {"resources": [{"name": "gpu", "replicas": 2}] * 2}}}, "twice"),
    ({"sharing": {**SLICED, "mps": SLICED["timeSlicing"]}}, "would take mps alone"),
    ({"sharing": {"mps": SLICED["timeSlicing"]}, "flags": {"migStrategy": "mixed"}}, "cannot go with"),
    ({"sharing": {"mps": {"resources": [{"name": "mig-1g.10gb", "replicas": 2}]}}}, "does not work on MIG"),
    ({"flags": {"migStrategy": "mix"}}, "did you mean 'mixed'"),
    ({"flags": {"plugin": {"sleepInterval": "1s"}}}, "it belongs in flags.gfd"),
    ({"resources": []}, "it belongs in"),
]


@pytest.mark.parametrize(("document", "sentence"), PLUGIN_REFUSED, ids=[one for _document, one in PLUGIN_REFUSED])
def test_the_plugin_reader_refuses(document: t.Any, sentence: str) -> None:
    with pytest.raises(PlatformError) as caught:
        read_device_plugin_config(document, where="key shared")
    assert sentence in str(caught.value)
    assert str(caught.value).startswith("key shared: ")


def test_the_plugin_reader_knows_the_defaults() -> None:
    sliced = read_device_plugin_config({"version": "v1", "sharing": SLICED})
    assert sliced == DevicePluginConfig(sharing="time_slicing", replicas=(("nvidia.com/gpu", 3),))
    mps = read_device_plugin_config({"sharing": {"mps": {"resources": [{"name": "gpu", "replicas": 2}]}}})
    assert mps.fail_requests_greater_than_one
    assert mps.replicas == (("nvidia.com/gpu", 2),)
    assert read_device_plugin_config({"version": "v1", "flags": {"failOnInitError": False}}) == DevicePluginConfig()


def entry(**more: t.Any) -> dict[str, t.Any]:
    return {"version": "v1", "mig-configs": {"a": [{"devices": "all", "mig-enabled": True, "mig-devices": {}, **more}]}}


MIG_REFUSED: list[tuple[t.Any, str]] = [
    ({}, "version is missing"),
    ({"version": "v1", "mig-config": {}}, "did you mean 'mig-configs'"),
    ({"version": "v1", "mig-configs": {"a": []}}, "at least one entry"),
    ({"version": "v1", "mig-configs": {"a/b": [{}]}}, "cannot be the value of a node label"),
    ({"version": "v1", "mig-configs": {"a": [{"mig-enabled": False}]}}, "has no devices"),
    (entry(**{"device-filters": []}), "did you mean 'device-filter'"),
    (entry(**{"device-filter": "0x20B0"}), "never matches"),
    (entry(devices="some"), "'all' or a list"),
    (entry(devices=[-1]), "'all' or a list"),
    (entry(**{"mig-enabled": "yes"}), "true or false"),
    (entry(**{"mig-enabled": False, "mig-devices": {"1g.5gb": 1}}), "while mig-enabled is false"),
    (entry(**{"mig-devices": {"1g5gb": 1}}), "no profile name"),
    (entry(**{"mig-devices": {"1g.5gb": -1}}), "count of 0 or more"),
    (entry(**{"mig-devices": {"1g.5gb": 0}}), "every count"),
]


@pytest.mark.parametrize(("document", "sentence"), MIG_REFUSED, ids=[one for _document, one in MIG_REFUSED])
def test_the_mig_reader_refuses(document: t.Any, sentence: str) -> None:
    with pytest.raises(PlatformError) as caught:
        read_mig_parted(document)
    assert sentence in str(caught.value)


def test_the_mig_document_round_trips_as_text() -> None:
    layouts = {
        "mine": (
            MigEntry(mig_devices=(("1g.10gb", 2), ("3g.40gb", 1)), device_filter=("0x20B210DE",)),
            MigEntry(devices=(6, 7)),
        )
    }
    read = read_mig_parted(yaml.safe_load(yaml.safe_dump(mig_parted_document(layouts))))
    assert read == {**layouts, "all-disabled": (MigEntry(),)}
