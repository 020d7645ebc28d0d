# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What node pools must know of instance types: architecture, accelerator, EFA."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .._aws.session import AwsSession, Record
from .._core.errors import PlatformError
from .._gpu.instances import InstanceType, instance_types

Accelerator = t.Literal["nvidia", "neuron", "none"]


@dataclass(frozen=True)
class InstanceFacts:
    """One instance type.

    :param architecture: C(x86_64) or C(arm64).
    :param efa_interfaces: the most EFA interfaces, 0 when it has no EFA.
    :param network_cards: physical network cards.
    :param efa_on_first_card: whether network card 0 takes an EFA (false on p6-b300: 17 cards, 16 with EFA).
    :param instance_store: whether it has local NVMe disks.
    """

    name: str
    architecture: str
    accelerator: Accelerator = "none"
    efa_interfaces: int = 0
    network_cards: int = 1
    instance_store: bool = False

    @property
    def efa_on_first_card(self) -> bool:
        """Whether card 0 is among those with EFA."""
        return self.efa_interfaces >= self.network_cards


# Types with cards that take no EFA (EC2 user guide); everywhere else there is one EFA interface a card.
CARDS = {"p6-b300.48xlarge": 17}


def facts_for(aws: AwsSession, names: Iterable[str], *, efa: Iterable[str] = ()) -> dict[str, InstanceFacts]:
    """The facts of these types: from our table, from EC2 for what the table does not know.

    :param efa: the types of which EFA is wanted; where the table knows of none, EC2 is asked.
    :raises PlatformError: when EC2 does not know one of them in the region.
    """
    wanted, with_efa = set(names), set(efa)
    table = {name: _from_table(row) for name, row in instance_types().items() if name in wanted}
    found = {name: facts for name, facts in table.items() if facts.efa_interfaces or name not in with_efa}
    return {**found, **describe_instance_types(aws, wanted - set(found))}


def _from_table(row: InstanceType) -> InstanceFacts:
    accelerator: Accelerator = "nvidia" if row.has_gpu else "neuron" if row.has_neuron else "none"
    return InstanceFacts(
        name=row.name,
        architecture="arm64" if row.arch == "arm64" else "x86_64",
        accelerator=accelerator,
        efa_interfaces=row.efa_interfaces,
        network_cards=CARDS.get(row.name, max(1, row.efa_interfaces)),
        instance_store=row.local_nvme_gb > 0,
    )


def describe_instance_types(aws: AwsSession, names: Iterable[str]) -> dict[str, InstanceFacts]:
    """The facts of these types from EC2, in one call.

    :raises PlatformError: when EC2 does not know one of them in the region.
    """
    wanted = sorted(set(names))
    if not wanted:
        return {}
    rows = aws.pages(
        "ec2",
        "DescribeInstanceTypes",
        {"InstanceTypes": wanted},
        items="InstanceTypes",
        marker="NextToken",
        doing=f"read the instance types {', '.join(wanted)}",
    )
    found = {facts.name: facts for facts in map(facts_of, rows)}
    if missing := [name for name in wanted if name not in found]:
        raise PlatformError(f"EC2 does not know the instance types {', '.join(missing)} in this region")
    return found


def facts_of(row: Record) -> InstanceFacts:
    """The facts in one row of DescribeInstanceTypes."""
    network = row.get("NetworkInfo") or {}
    architectures = (row.get("ProcessorInfo") or {}).get("SupportedArchitectures", ())
    return InstanceFacts(
        name=str(row["InstanceType"]),
        architecture="arm64" if "arm64" in architectures else "x86_64",
        accelerator=_accelerator(row),
        efa_interfaces=int((network.get("EfaInfo") or {}).get("MaximumEfaInterfaces") or 0),
        network_cards=int(network.get("MaximumNetworkCards") or 1),
        instance_store=bool(row.get("InstanceStorageSupported")),
    )


def _accelerator(row: Mapping[str, t.Any]) -> Accelerator:
    gpus = (row.get("GpuInfo") or {}).get("Gpus") or []
    if any(str(gpu.get("Manufacturer", "")).upper() == "NVIDIA" for gpu in gpus):
        return "nvidia"
    inference = (row.get("InferenceAcceleratorInfo") or {}).get("Accelerators") or []
    if row.get("NeuronInfo") or any("inferentia" in str(one.get("Name", "")).lower() for one in inference):
        return "neuron"
    return "none"


__all__ = ("InstanceFacts", "describe_instance_types", "facts_for", "facts_of")
