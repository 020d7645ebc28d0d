"""The two NVIDIA configuration formats: what upstream refuses, what it lets pass (facts/gpu-sharing.md §1.1, §1.3)."""

from __future__ import annotations

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.mig_parted import read_layouts
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.plugin_config import (
    choose_key,
    read_plugin_config,
)

ENTRY = "version: v1\nmig-configs:\n  a:\n  - "


def layout(entry: str) -> str:
    return f"version: v1\nmig-configs: {{a: [{entry}]}}\n"


def test_a_layout_is_read():
    text = layout('{devices: [0, 3], device-filter: "0x233010DE", mig-enabled: true, mig-devices: {1g.10gb: 7}}')
    (entry,) = read_layouts(text)["a"]
    assert entry.devices == (0, 3)
    assert entry.mig_devices == (("1g.10gb", 7),)
    assert entry.matches(3, {"0x233010DE"})
    assert not entry.matches(1, {"0x233010DE"})
    assert not entry.matches(0, {"0x20B010DE"})


@pytest.mark.parametrize("profile", ["1g.5gb+me", "1g.24gb-me", "1g.24gb+gfx", "1g.24gb+me.all", "1c.3g.40gb"])
def test_profile_syntax_that_passes(profile):
    text = layout(f'{{devices: all, mig-enabled: true, mig-devices: {{"{profile}": 1}}}}')
    assert read_layouts(text)["a"][0].mig_devices == ((profile, 1),)


def test_enabled_with_no_instances_passes():
    assert read_layouts(layout("{devices: all, mig-enabled: true, mig-devices: {}}"))["a"][0].mig_devices == ()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("mig-configs: {}", "missing 'version'"),
        ("version: v2\nmig-configs: {}", "unknown version: v2"),
        ("version: v1\nmig-config: {}", "unexpected field: mig-config"),
        ("version: v1\nmig-configs: {a: []}", "at least one entry"),
        (layout("{devices: some, mig-enabled: false}"), "invalid string input"),
        (layout("{devices: all}"), "missing required field: mig-enabled"),
        (layout("{mig-enabled: false}"), "missing required field: devices"),
        (layout("{devices: all, mig-enabled: true}"), "missing required field when mig-enabled is true"),
        (layout("{devices: all, mig-enabled: false, mig-devices: {1g.5gb: 1}}"), "must be empty"),
        (layout("{devices: all, mig-enabled: true, mig-devices: {1g.5gb: 0}}"), "all counts"),
        (layout("{devices: all, mig-enabled: true, mig-devices: {1g.5gb: -1}}"), "invalid count"),
        (layout("{devices: all, mig-enabled: true, mig-devices: {1G.5GB: 1}}"), "invalid MIG profile"),
        (layout("{devices: all, mig-enabled: true, mig-devices: {1g.5gb: 1}, extra: 1}"), "unexpected field: extra"),
        ("[]", "must be a mapping"),
        ("{", "no YAML"),
    ],
)
def test_mig_parted_refuses(text, complaint):
    with pytest.raises(PlatformError, match=complaint):
        read_layouts(text)


def sharing(block: str) -> str:
    return f"version: v1\nsharing: {{timeSlicing: {block}}}\n"


def test_sharing_is_read():
    found = read_plugin_config(sharing("{renameByDefault: true, resources: [{name: gpu, replicas: 4}]}")).sharing
    assert (found.strategy, dict(found.replicas), found.renamed) == ("time-slicing", {"nvidia.com/gpu": 4}, True)
    assert found.published("nvidia.com/gpu") == "nvidia.com/gpu.shared"
    assert found.published("nvidia.com/mig-1g.10gb") == "nvidia.com/mig-1g.10gb"


def test_requests_for_more_than_one_replica():
    block = "{failRequestsGreaterThanOne: true, resources: [{name: gpu, replicas: 4}]}"
    strict, lax = (
        read_plugin_config(sharing(block)).sharing,
        read_plugin_config(sharing(block.replace("true", "false"))),
    )
    assert strict.refused([("nvidia.com/gpu", 2)]) == 2
    assert strict.refused([("nvidia.com/gpu", 1), ("nvidia.com/mig-1g.10gb", 2)]) == 0
    assert lax.sharing.refused([("nvidia.com/gpu", 2)]) == 0
    mps = read_plugin_config("sharing: {mps: {resources: [{name: nvidia.com/gpu, replicas: 2}]}}").sharing
    assert mps.one_each, "the default of MPS"


def test_mps_wins():
    text = "sharing: {mps: {resources: [{name: nvidia.com/gpu, replicas: 2}]}, timeSlicing: {resources: []}}"
    assert read_plugin_config(text).sharing.strategy == "mps"


def test_misplaced_keys_are_ignored_as_upstream():
    found = read_plugin_config("version: v1\nflags: {renameByDefault: true, migStrategy: mixed}\nnonsense: 1\n")
    assert (found.mig_strategy, found.sharing.strategy) == ("mixed", "none")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("version: v2", "unknown version"),
        (sharing("{}"), "no resources specified"),
        (sharing("{resources: []}"), "no resources specified"),
        (sharing("{resources: [{replicas: 2}]}"), "no resource name"),
        (sharing("{resources: [{name: nvidia.com/gpu}]}"), "no replicas"),
        (sharing("{resources: [{name: nvidia.com/gpu, replicas: 1}]}"), "replicas must be >= 2"),
        (sharing("{resources: [{name: nvidia.com/GPU, replicas: 2}]}"), "incorrect format"),
        ("flags: {migStrategy: both}", "unknown MIG strategy"),
    ],
)
def test_the_plugin_refuses(text, complaint):
    with pytest.raises(PlatformError, match=complaint):
        read_plugin_config(text)


@pytest.mark.parametrize(
    ("keys", "label", "default", "chosen"),
    [
        (["a", "b"], "a", "b", "a"),
        (["a", "b"], None, "b", "b"),
        (["a", "default"], None, "", "default"),
        (["a"], None, "", "a"),
        (["a", "b"], None, "", None),
        ([], None, "", None),
    ],
)
def test_the_key_of_a_node(keys, label, default, chosen):
    assert choose_key(dict.fromkeys(keys, ""), label=label, default=default) == chosen


def test_a_missing_key_crashes_the_plugin():
    with pytest.raises(PlatformError, match="Cannot find configuration named 'c'"):
        choose_key({"a": ""}, label="c", default="")
