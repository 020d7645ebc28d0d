"""NVIDIA's feature discovery and device plugin as the judge of what we derive from a sharing policy.

For every kind of board and way to share: what they say on a node of ours (with our configuration), what the simulator
says and what the policy promises. Where theirs differs from the simulator's, DIFFERENCES says why.
"""

from __future__ import annotations

import re
import typing as t
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nvidia_node
import pytest
import yaml
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu import policy_cluster, policy_nodes
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.device_plugin_config import read_device_plugin_config
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.instances import instance_type
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy import SharingPolicy, sharing_policy
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator import hardware, nvidia, plugin_config
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator import mig_parted as simulated_layouts
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.catalogue import Catalogue
from nvidia_node import Verdict, description, judged

TYPES = (
    *("p4d.24xlarge", "p4de.24xlarge", "p5.48xlarge", "p5.4xlarge", "p5en.48xlarge", "p6-b200.48xlarge"),
    *("p6-b300.48xlarge", "p6e-gb200.36xlarge", "g7e.48xlarge", "g7.12xlarge", "g6.12xlarge", "g6e.xlarge"),
    *("g5.12xlarge", "g4dn.12xlarge", "p3.8xlarge"),
)
SEVEN_SLICES = ("a100-40gb", "a100-80gb", "h100-80gb", "h200-141gb", "b200-180gb")
# (instance type, end of a label) -> why theirs is not the simulator's.
DIFFERENCES = {
    ("p5en.48xlarge", ".multiprocessors"): "nobody has published them for the H200: the simulator leaves the label out",
    ("p6e-gb200.36xlarge", ".memory"): "nobody has published it for the GB200 of these instances: the same",
    ("p5en.48xlarge", ".memory"): "nobody has published it for all MIG profiles of the H200: the same",
}
# Part of a profile -> why the plugin registers other resources than we promise.
MISNAMED = {
    "+me": "plugins before v0.20.0 take 1g.10gb+me for 1g.10gb (k8s-device-plugin#1807); the operator ships v0.20.0"
}


@dataclass(frozen=True)
class Case:
    """One node."""

    type_name: str
    sharing: tuple[tuple[str, t.Any], ...]
    strategy: str

    @property
    def policy(self) -> SharingPolicy:
        sharing = {key: yaml.safe_load(value) if key == "layout" else value for key, value in self.sharing}
        pool = {"name": "x", "instance_types": [self.type_name], "gpu_sharing": sharing}
        return sharing_policy(pool, mig_strategy=self.strategy)

    def __str__(self) -> str:
        words = [re.sub(r"[^\w.+:]+", " ", str(value)).strip() for _key, value in self.sharing]
        return "-".join([self.type_name, *words, self.strategy])


def case(type_name: str, strategy: str, **sharing: t.Any) -> Case:
    words = {key: yaml.safe_dump(value) if key == "layout" else value for key, value in sharing.items()}
    return Case(type_name, tuple(words.items()), strategy)


def cases() -> list[Case]:
    """Every board and every way to share that we can express."""
    found = []
    for name in TYPES:
        found += [
            case(name, "mixed", mode="exclusive"),
            case(name, "mixed", mode="time_slicing", replicas=3),
            case(name, "single", mode="time_slicing", replicas=4, rename=False),
            case(name, "none", mode="mps", replicas=4),
            case(name, "single", mode="mps", replicas=2, rename=False),
        ]
        one = instance_type(name)
        if one.board in SEVEN_SLICES:
            smallest, *_rest, largest = policy_profiles(name)
            found += [
                case(name, "mixed", mode="mig", layout="all-balanced"),
                case(name, "mixed", mode="mig", layout="all-balanced", replicas=2),
                case(name, "mixed", mode="mig", layout="all-balanced", replicas=2, rename=False),
                case(name, "single", mode="mig", layout={smallest: 7}),
                case(name, "single", mode="mig", layout={largest: 1}, replicas=2, rename=False),
                case(name, "mixed", mode="mig", layout={f"{smallest}+me": 1, smallest: 6}),
            ]
            if one.accelerator_count > 1:
                groups = [{"gpus": 6, "profiles": {smallest: 7}}, {"gpus": one.accelerator_count - 6}]
                found += [
                    case(name, "mixed", mode="mig", layout=groups),
                    case(name, "mixed", mode="mig", layout=groups, replicas=3, rename=False),
                ]
        elif one.board == "rtx-pro-6000-blackwell":
            found += [
                case(name, "mixed", mode="mig", layout={"1g.24gb": 2, "2g.48gb": 1}),
                case(name, "mixed", mode="mig", layout={"1g.24gb": 2, "2g.48gb": 1}, replicas=2),
                case(name, "single", mode="mig", layout={"2g.48gb": 2}),
                case(name, "single", mode="mig", layout={"2g.48gb": 2}, replicas=2, rename=False),
            ]
    return found


def policy_profiles(type_name: str) -> list[str]:
    """The plain profiles of a type's board, smallest first."""
    target = policy_nodes.board(instance_type(type_name).board or "")
    plain = [one for one in target.profiles.values() if not one.attributes]
    return [one.name for one in sorted(plain, key=lambda one: (one.compute_slices, one.memory_slices))]


CASES = cases()


@dataclass(frozen=True)
class Ours:
    """What we say of a case."""

    promised: dict[str, int]
    labels: dict[str, str]
    simulated: dict[str, int]
    simulated_labels: dict[str, str]
    config: dict[str, t.Any]
    layouts: tuple[t.Any, ...]


def ours(one: Case) -> Ours:
    """The policy's derivations and the simulator's answer to the texts that we write."""
    policy, kind = one.policy, instance_type(one.type_name)
    config = policy_cluster.plugin_documents([policy])[policy.config_key]
    machine = Catalogue().machine(one.type_name)
    assert machine is not None
    simulated = Catalogue().board(machine.board) if machine.board else None
    gpus: hardware.Gpus = tuple(hardware.Gpu() for _gpu in range(machine.gpus))
    layouts: tuple[t.Any, ...] = (None,) * machine.gpus
    if policy.layout is not None:
        assert simulated is not None
        texts = simulated_layouts.read_layouts(yaml.safe_dump(policy_cluster.mig_document([policy])))
        gpus, error = hardware.apply_layout(
            simulated, gpus, hardware.aims(simulated, gpus, texts[policy.layout.name]), min
        )
        assert not error
        layouts = policy.layout.per_gpu(machine.gpus)
    equipment = nvidia.Equipment(machine, simulated, gpus)
    read = plugin_config.read_plugin_config(yaml.safe_dump(config)).sharing
    return Ours(
        promised=policy_nodes.allocatable(policy, kind),
        labels=policy_nodes.discovered_labels(policy, kind),
        simulated=nvidia.resources(equipment, strategy=one.strategy, sharing=read),
        simulated_labels=nvidia.labels(equipment, strategy=one.strategy, sharing=read),
        config=config,
        layouts=layouts,
    )


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[dict[Case, Future[Verdict]]]:
    """What NVIDIA's programs say: all nodes are asked at once, a few at a time."""
    folder = tmp_path_factory.mktemp("judge")

    def ask(number: int, one: Case) -> Verdict:
        mine = ours(one)
        return judged(
            folder / str(number), one.type_name, mine.layouts, mine.config,
            strategy=one.strategy, expected=registered(mine.promised),
        )  # fmt: skip

    with ThreadPoolExecutor(max_workers=6) as pool:
        yield {one: pool.submit(ask, number, one) for number, one in enumerate(CASES)}


@pytest.mark.parametrize("one", CASES, ids=map(str, CASES))
def test_the_device_plugin_registers_what_we_promise(one: Case, verdicts: dict[Case, Future[Verdict]]) -> None:
    verdict, mine = verdicts[one].result(), ours(one)
    assert verdict.refusals == {}
    assert verdict.resources == registered(mine.promised)
    assert mine.simulated == mine.promised


@pytest.mark.parametrize("one", CASES, ids=map(str, CASES))
def test_feature_discovery_writes_the_labels_that_we_derive(one: Case, verdicts: dict[Case, Future[Verdict]]) -> None:
    verdict, mine = verdicts[one].result(), ours(one)
    assert {key: verdict.labels.get(key) for key in mine.labels} == mine.labels
    unexplained = {key: both for key, both in differing(verdict, mine).items() if explained(one, key) is None}
    assert unexplained == {}


def test_every_difference_in_the_tables_is_real(verdicts: dict[Case, Future[Verdict]]) -> None:
    """What is no difference any more has to leave the table."""
    seen, misnamed = set(), set()
    for one, future in verdicts.items():
        verdict, mine = future.result(), ours(one)
        seen |= {explained(one, key) for key in differing(verdict, mine)}
        misnamed |= {part for part in MISNAMED if verdict.resources != mine.promised and part in str(one)}
    assert seen == set(DIFFERENCES)
    assert misnamed == set(MISNAMED)


def registered(promised: dict[str, int]) -> dict[str, int]:
    """What the plugin of our version says where it should say this."""
    found: dict[str, int] = {}
    for name, count in promised.items():
        called = name.replace(".me", "")
        found[called] = found.get(called, 0) + count
    return found


def differing(verdict: Verdict, mine: Ours) -> dict[str, tuple[str | None, str | None]]:
    """Label -> (theirs, the simulator's)."""
    both = {*verdict.labels, *mine.simulated_labels}
    pairs = {key: (verdict.labels.get(key), mine.simulated_labels.get(key)) for key in both}
    return {key: (theirs, simulated) for key, (theirs, simulated) in pairs.items() if theirs != simulated}


def explained(one: Case, label: str) -> tuple[str, str] | None:
    """The entry of DIFFERENCES that covers a label."""
    return next((key for key in DIFFERENCES if key[0] == one.type_name and label.endswith(key[1])), None)


POLICY = {"name": "x", "instance_types": ["p5.48xlarge"]}
SHARED = {"version": "v1", "sharing": {"timeSlicing": {"resources": [{"name": "nvidia.com/gpu", "replicas": 3}]}}}
WRONG: list[tuple[str, dict[str, t.Any], str, list[t.Any], dict[str, t.Any], str, str]] = [
    (
        "replicas 1",
        {"version": "v1", "sharing": {"timeSlicing": {"resources": [{"name": "nvidia.com/gpu", "replicas": 1}]}}},
        "mixed", [None], {"mode": "time_slicing", "replicas": 1},
        "number of replicas must be >= 2", "the device plugin wants 2 or more",
    ),
    (
        "single and a mixture of profiles", {"version": "v1"}, "single", [{"3g.40gb": 1, "1g.10gb": 4}] * 8,
        {"mode": "mig", "layout": {"3g.40gb": 1, "1g.10gb": 4}},
        "more than one MIG device type present on node", "the MIG strategy single demands one and the same profile",
    ),
    (
        "single and some whole GPUs", {"version": "v1"}, "single", [{"1g.10gb": 7}, None],
        {"mode": "mig", "layout": [{"gpus": 7, "profiles": {"1g.10gb": 7}}, {"gpus": 1}]},
        "all devices on the node must be configured with the same migEnabled value", "the MIG strategy single demands",
    ),
    (
        "mps while the strategy is mixed",
        {"version": "v1", "sharing": {"mps": {"resources": [{"name": "nvidia.com/gpu", "replicas": 4}]}}},
        "mixed", [None], {"mode": "mps", "replicas": 4},
        "using --mig-strategy=mixed is not supported with MPS", "the device plugin refuses mps",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("config", "strategy", "layouts", "sharing", "theirs", "mine"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG]
)
def test_what_they_refuse_we_refuse_before(
    tmp_path: Path, config: dict[str, t.Any], strategy: str, layouts: list[t.Any], sharing: dict[str, t.Any],
    theirs: str, mine: str,
) -> None:  # fmt: skip
    verdict = judged(tmp_path, "p5.48xlarge", layouts, config, strategy=strategy)
    assert theirs in verdict.refusals["plugin"]
    assert verdict.resources == {}
    with pytest.raises(PlatformError, match=mine):
        sharing_policy({**POLICY, "gpu_sharing": sharing}, mig_strategy=strategy)


def test_a_misplaced_key_passes_there_and_not_here(tmp_path: Path) -> None:
    """The plugin ignores it without a word (k8s-device-plugin#1433): the share keeps the name of a whole GPU."""
    misplaced = {**SHARED, "flags": {"renameByDefault": True}}
    verdict = judged(tmp_path, "p5.4xlarge", [None], misplaced, strategy="mixed", expected={"nvidia.com/gpu": 3})
    assert verdict.resources == {"nvidia.com/gpu": 3}
    with pytest.raises(PlatformError, match="renameByDefault"):
        read_device_plugin_config(misplaced)


def test_a_request_for_two_shares_fails_where_we_say_so(tmp_path: Path) -> None:
    policy = sharing_policy({**POLICY, "gpu_sharing": {"mode": "time_slicing", "replicas": 3}})
    config = policy_cluster.plugin_documents([policy])[policy.config_key]
    wanted = {"nvidia.com/gpu.shared": 24}
    verdict = judged(
        tmp_path, "p5.48xlarge", [None] * 8, config, strategy="mixed", expected=wanted, ask="nvidia.com/gpu.shared=2"
    )
    assert verdict.asked is not None
    assert "maximum request size for shared resources is 1; found 2" in verdict.asked["error"]


def test_a_driver_that_is_not_loaded_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mock can fail: a judge that always agrees would be none."""
    described = description("p5.4xlarge", [None]) + "fail nvmlInit_v2 9\n"
    monkeypatch.setattr(nvidia_node, "description", lambda *_node: described)
    verdict = judged(tmp_path, "p5.4xlarge", [None], {"version": "v1"}, strategy="none")
    assert verdict.labels == {}
    assert "Driver Not Loaded" in verdict.refusals["discovery"]
    assert verdict.resources == {}
