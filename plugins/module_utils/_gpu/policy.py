# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sharing policy of a node pool: one validated value, from which everything else is derived.

The user says C(gpu_sharing) once, on the pool. Combinations that do harm are refused, with the reason (policy_checks
says where the rules come from).
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .._core.errors import PlatformError
from .._core.text import listed, unknown_name
from .boards import board
from .instances import InstanceType, instance_type
from .policy_checks import (
    DRA,
    EXCLUSIVE,
    MIG,
    MPS,
    PURPOSES,
    TIME_SLICING,
    check_accelerators,
    check_harm,
    check_keys,
    is_bottlerocket,
    replication,
)
from .policy_layouts import MigLayout, label_value, mig_layout

GPU = "nvidia.com/gpu"
EMULATED_ONLY = frozenset({"g7", "g7e"})


@dataclass(frozen=True)
class SharingPolicy:
    """How the accelerators of one node pool are shared.

    :param types: the pool's instance types; one that has no accelerators makes the policy empty.
    :param mode: V(exclusive), V(time_slicing), V(mig), V(mps) or V(dra).
    :param replicas: how many pods share one device; 1 when they do not.
    :param rename: shared devices are published as C(<resource>.shared).
    :param fail_requests_greater_than_one: a pod that asks for two replicas fails instead of getting no more.
    :param layout: the MIG layout of each node, in the mode V(mig).
    :param applied_by: V(mig_manager) changes layouts on live nodes, V(user_data) sets them once at boot.
    :param mig_strategy: the operator's strategy, one for the whole cluster.
    :param bottlerocket: the nodes run Bottlerocket, whose own device plugin does the sharing.
    :param own_taints: key and effect of each taint that the inventory gives the pool besides.
    :param warnings: sentences about what works but deserves attention.
    """

    pool: str
    types: tuple[InstanceType, ...]
    purpose: str = "general"
    mode: str = EXCLUSIVE
    replicas: int = 1
    rename: bool = False
    fail_requests_greater_than_one: bool = False
    layout: MigLayout | None = None
    applied_by: str = "mig_manager"
    mig_strategy: str = "mixed"
    bottlerocket: bool = False
    own_taints: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def has_gpu(self) -> bool:
        """Whether the nodes have NVIDIA GPUs."""
        return any(one.has_gpu for one in self.types)

    @property
    def has_neuron(self) -> bool:
        """Whether the nodes have Trainium or Inferentia devices."""
        return any(one.has_neuron for one in self.types)

    @property
    def shared(self) -> bool:
        """Whether a pod gets less than a whole GPU."""
        return self.mode in (TIME_SLICING, MPS, MIG)

    @property
    def config_key(self) -> str:
        """The key of this policy in the device plugin's ConfigMap, made from its content."""
        if self.replicas < 2:
            return "exclusive"
        words = [self.mode.replace("_", "-"), str(self.replicas)]
        if self.layout is not None:
            words = ["mig-time-slicing", str(self.replicas), self.layout.name]
        words += ["renamed"] if self.rename else []
        words += [] if self.fail_requests_greater_than_one else ["lenient"]
        return label_value("-".join(words))


def sharing_policies(pools: Sequence[Mapping[str, t.Any]], *, mig_strategy: str = "mixed") -> tuple[SharingPolicy, ...]:
    """The policies of all pools.

    :param mig_strategy: the operator's strategy; V(single) takes uniform layouts only.
    :raises PlatformError: a pool's sharing cannot work, or would do harm.
    """
    names = [str(pool.get("name")) for pool in pools]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise PlatformError(f"node pools: {listed(twice)} stand twice; names of pools are unique")
    return tuple(sharing_policy(pool, mig_strategy=mig_strategy) for pool in pools)


def sharing_policy(pool: Mapping[str, t.Any], *, mig_strategy: str = "mixed") -> SharingPolicy:
    """The policy of one pool of the inventory.

    :param pool: C(name), C(instance_types), C(gpu_sharing), C(purpose), C(ami_family), C(efa), C(taints); other
        keys are not read.
    :raises PlatformError: the pool's sharing cannot work, or would do harm.
    """
    where = f"node pool {pool.get('name')}"
    types = tuple(_type(str(name), where) for name in pool.get("instance_types") or ())
    sharing = pool.get("gpu_sharing") or {}
    if not isinstance(sharing, Mapping):
        raise PlatformError(f"{where}: gpu_sharing is {sharing!r}; wanted is a mapping such as {{mode: exclusive}}")
    mode = str(sharing.get("mode", EXCLUSIVE))
    check_keys(sharing, mode, where)
    purpose = str(pool.get("purpose") or "general")
    if purpose not in PURPOSES:
        raise PlatformError(f"{where}: {unknown_name('purpose', purpose, PURPOSES)}")
    check_accelerators(types, mode, where)
    check_harm(pool, mode, purpose, mig_strategy, where)
    replicas, rename, strict = replication(sharing, mode, types, where)
    layout = mig_layout(sharing.get("layout"), types, where=f"{where}: gpu_sharing.layout") if mode == MIG else None
    policy = SharingPolicy(
        pool=str(pool.get("name")),
        types=types,
        purpose=purpose,
        mode=mode,
        replicas=replicas,
        rename=rename,
        fail_requests_greater_than_one=strict,
        layout=layout,
        applied_by=str(sharing.get("applied_by", "mig_manager")),
        mig_strategy=mig_strategy,
        bottlerocket=is_bottlerocket(pool),
        own_taints=_own_taints(pool),
    )
    _check_layout(policy, where)
    return SharingPolicy(**{**vars(policy), "warnings": tuple(_warnings(policy, where))})


def _own_taints(pool: Mapping[str, t.Any]) -> tuple[tuple[str, str], ...]:
    """Key and effect of each; what is no taint is refused where pools are made."""
    given = pool.get("taints")
    rows = [one for one in given if isinstance(one, Mapping)] if isinstance(given, list) else []
    return tuple((str(one["key"]), str(one["effect"])) for one in rows if one.get("key") and one.get("effect"))


def _type(name: str, where: str) -> InstanceType:
    try:
        return instance_type(name)
    except PlatformError as error:
        raise PlatformError(f"{where}: {error.message}") from error


def _check_layout(policy: SharingPolicy, where: str) -> None:
    if policy.layout is None:
        return
    if policy.mig_strategy == "none":
        raise PlatformError(
            f"{where}: mode is mig, but the cluster's MIG strategy is none, which advertises whole GPUs that no pod "
            "can use; set it to mixed"
        )
    needs_single = policy.mig_strategy == "single" or policy.bottlerocket
    if needs_single and not policy.layout.uniform:
        who = "Bottlerocket's device plugin" if policy.bottlerocket else "the MIG strategy single"
        raise PlatformError(
            f"{where}: {who} demands one and the same profile on every GPU, found {listed(policy.layout.profiles)} in "
            f"{policy.layout.name}; use the strategy mixed on al2023, or one profile"
        )
    if any("c." in profile for profile in policy.layout.profiles):
        raise PlatformError(
            f"{where}: the device plugin advertises no profile that splits the compute of an instance; use profiles "
            "without the c part"
        )
    if policy.types[0].board in ("gb200", "gb300"):
        raise PlatformError(
            f"{where}: the EKS image runs {policy.types[0].board} with coherent driver memory (CDMM), which does not "
            "support MIG; use whole GPUs or time_slicing"
        )


def _warnings(policy: SharingPolicy, where: str) -> t.Iterator[str]:
    if policy.replicas > 1 and policy.mode != MPS:
        yield (
            f"{where}: {policy.replicas} pods share each device without any limit of memory: one that takes too much "
            "makes its neighbours fail"
        )
    if policy.mode == MIG and {one.family for one in policy.types} & EMULATED_ONLY:
        yield f"{where}: nobody has shown yet that guests can turn MIG on on {policy.types[0].family} instances"
    # The reboot that turns MIG on on an A100 heals the node; newer boards have none.
    healed = all(one.board and board(one.board).needs_reboot for one in policy.types)
    if policy.mode == MIG and policy.applied_by == "mig_manager" and not policy.bottlerocket and not healed:
        yield (
            f"{where}: mig-manager stops the kubelet of a new node to turn MIG on, and on Amazon Linux 2023 such a "
            "node may stay NotReady (NVIDIA/gpu-operator#2415); gpu_sharing.applied_by: user_data makes the layout "
            "before the kubelet starts"
        )
    if policy.shared and not policy.rename and policy.mode != MIG:
        yield (
            f"{where}: without rename a share is called {GPU} like a whole GPU; a taint keeps pods that want whole "
            "GPUs away"
        )
    counts = {one.accelerator_count for one in policy.types}
    if policy.mode != EXCLUSIVE and len(counts) > 1:
        yield f"{where}: its instance types have different numbers of GPUs; scaling from zero counts with the smallest"


__all__ = (
    "DRA",
    "EXCLUSIVE",
    "GPU",
    "MIG",
    "MPS",
    "PURPOSES",
    "TIME_SLICING",
    "SharingPolicy",
    "sharing_policies",
    "sharing_policy",
)
