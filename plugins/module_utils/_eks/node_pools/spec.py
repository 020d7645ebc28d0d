# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wanted node pools as values, refused when AWS could not do them."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..._aws.tags import check_tags
from ..._core.errors import PlatformError
from ..images import CUSTOM
from .fields import given_parts
from .launch_spec import Disk, LaunchSpec, Reservation

NAME = re.compile(r"^[0-9A-Za-z][A-Za-z0-9_-]{0,62}$")
KUBERNETES_VERSION = re.compile(r"^1\.\d+$")
MOST_TAINTS = 50
MOST_LABEL = 63
MOST_TYPES = 20
EFFECTS = {"NoSchedule": "NO_SCHEDULE", "NoExecute": "NO_EXECUTE", "PreferNoSchedule": "PREFER_NO_SCHEDULE"}
CAPACITY_TYPES = {"on_demand": "ON_DEMAND", "spot": "SPOT", "capacity_block": "CAPACITY_BLOCK"}

Options = Mapping[str, t.Any]
# A taint's identity is its key and its effect (EKS), so the pair is the key: {"nvidia.com/gpu:NoSchedule": "true"}.
Taints = Mapping[str, str]


@dataclass(frozen=True)
class Scaling:
    """Sizes of a pool; a part that is None is left as it is."""

    min: int | None = None
    max: int | None = None
    desired: int | None = None


@dataclass(frozen=True)
class TemplateReference:
    """A launch template that somebody else owns."""

    id: str | None
    name: str | None
    version: str


@dataclass(frozen=True)
class PoolSpec:
    """One wanted pool. What is None is left as it is, or takes EKS' default on create.

    :param instance_types: sent to EKS; empty when the one type stands in the launch template.
    :param subnets_record: where not all subnets that the user names can be used: a digest of those that he names.
    :param startup_taints: keys of C(taints) that an agent takes away when the node is ready.
    :param launch: the launch template that we own; None with C(template).
    """

    name: str
    instance_types: tuple[str, ...]
    capacity_type: str
    ami_family: str
    ami_type: str | None
    version: str | None
    release_version: str | None
    force_update: bool
    node_role: str | None
    subnets: tuple[str, ...]
    scaling: Scaling
    manage_desired: bool
    labels: Mapping[str, str] | None
    taints: Taints | None
    startup_taints: frozenset[str]
    tags: Mapping[str, str] | None
    update: Mapping[str, t.Any] | None
    node_repair: Mapping[str, t.Any] | None
    warm_pool: Mapping[str, t.Any] | None
    resources: Mapping[str, str] | None
    launch: LaunchSpec | None
    template: TemplateReference | None
    on_immutable: str
    subnets_record: str = ""

    @property
    def words(self) -> str:
        """The pool in a sentence."""
        return f"node pool {self.name}"

    @property
    def every_type(self) -> tuple[str, ...]:
        """The instance types, wherever they stand."""
        return self.instance_types or (
            (self.launch.instance_type,) if self.launch and self.launch.instance_type else ()
        )


def specs_of(options: Options) -> list[PoolSpec]:
    """The wanted pools.

    :raises PlatformError: naming the pool and the option, for anything that AWS would refuse later.
    """
    names = [str(pool["name"]) for pool in options["pools"]]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise PlatformError(f"pools: {', '.join(twice)} stands there more than once; a name is one node group")
    return [_spec(pool, options) for pool in options["pools"]]


def _spec(pool: Options, options: Options) -> PoolSpec:
    name = str(pool["name"])
    words = f"node pool {name}"
    if not NAME.match(name):
        raise PlatformError(f"{words}: a name has 1 to 63 letters, digits, - and _, and begins with a letter or digit")
    types = tuple(sorted(pool.get("instance_types") or ()))
    if options.get("state") != "absent":  # a name is enough to take a pool away
        _check_capacity(pool, types, words)
        _check_boot(pool, words)
    template = pool.get("launch_template")
    taints, startup = _taints(pool, words)
    return PoolSpec(
        name=name,
        instance_types=types if len(types) > 1 or template else (),
        capacity_type=CAPACITY_TYPES[pool.get("capacity_type") or "on_demand"],
        ami_family=pool["ami_family"],
        ami_type=CUSTOM if pool.get("ami_id") else pool.get("ami_type"),
        version=_version(pool, words),
        release_version=pool.get("release_version"),
        force_update=bool(pool["force_update"]),
        node_role=pool.get("node_role") or options.get("node_role"),
        subnets=tuple(sorted(pool.get("subnets") or options.get("subnets") or ())),
        scaling=_scaling(pool, words),
        manage_desired=bool(pool["manage_desired"]),
        labels=_labels(pool, words),
        taints=taints,
        startup_taints=startup,
        tags=_tags(pool, options, words),
        update=_update(pool.get("update"), words),
        node_repair=given_parts(pool.get("node_repair")),
        warm_pool=given_parts(pool.get("warm_pool")),
        resources=_strings(pool.get("scale_from_zero_resources")),
        launch=None if template else _launch(pool, types),
        template=TemplateReference(**template) if template else None,
        on_immutable=pool.get("on_immutable") or options["on_immutable"],
    )


def _check_capacity(pool: Options, types: Sequence[str], words: str) -> None:
    capacity = pool.get("capacity_type") or "on_demand"
    reservation = pool.get("capacity_reservation") or {}
    template = pool.get("launch_template")
    if not types and not template:
        raise PlatformError(f"{words}: instance_types is missing; name at least one instance type")
    if len(types) > MOST_TYPES:
        raise PlatformError(f"{words}: {len(types)} instance types, at most {MOST_TYPES} are possible")
    if template and pool.get("efa"):
        raise PlatformError(f"{words}: efa belongs into the launch template that you give; drop one of the two")
    if capacity == "capacity_block":
        target = reservation.get("id") or reservation.get("resource_group_arn")
        if not template and not target:
            raise PlatformError(f"{words}: a capacity block needs capacity_reservation.id of the block that you bought")
        if len(types) > 1:
            raise PlatformError(f"{words}: a capacity block holds one instance type, not {', '.join(types)}")
    if pool.get("efa") and len(types) > 1:
        raise PlatformError(
            f"{words}: the interfaces of efa fit one instance type, not {', '.join(types)}; split the pool"
        )
    if pool.get("ami_id") and (pool.get("version") or pool.get("release_version")):
        raise PlatformError(f"{words}: version and release_version go with EKS' images, not with ami_id; drop them")


def _check_boot(pool: Options, words: str) -> None:
    image = str(pool.get("ami_type") or pool["ami_family"]).lower()
    option = "boot_script" if image.startswith("bottlerocket") else "bottlerocket_settings"
    if pool.get(option):
        raise PlatformError(f"{words}: {option} means nothing to the image {image}; drop it, or change the image")


def _scaling(pool: Options, words: str) -> Scaling:
    given = pool.get("scaling") or {}
    scaling = Scaling(given.get("min"), given.get("max"), given.get("desired"))
    for option, value in (("min", scaling.min), ("max", scaling.max), ("desired", scaling.desired)):
        if value is not None and value < (option == "max"):
            raise PlatformError(f"{words}: scaling.{option} is {value}, the least is {int(option == 'max')}")
    pairs = (("min", "max"), ("min", "desired"), ("desired", "max"))
    for low, high in pairs:
        one, other = getattr(scaling, low), getattr(scaling, high)
        if one is not None and other is not None and one > other:
            raise PlatformError(f"{words}: scaling.{low} {one} is above scaling.{high} {other}")
    if pool["manage_desired"] and scaling.desired is None:
        raise PlatformError(f"{words}: manage_desired needs scaling.desired")
    return scaling


def _taints(pool: Options, words: str) -> tuple[Taints | None, frozenset[str]]:
    given, startup = pool.get("taints"), pool.get("startup_taints")
    if given is None and startup is None:
        return None, frozenset()
    every: dict[str, str] = {}
    for taint in [*(given or ()), *(startup or ())]:
        key = taint_key(taint["key"], taint["effect"])
        if key in every:
            raise PlatformError(f"{words}: the taint {key} stands there twice")
        for part in ("key", "value"):
            if len(taint.get(part) or "") > MOST_LABEL:
                raise PlatformError(f"{words}: {part} of the taint {key} is longer than {MOST_LABEL} characters")
        every[key] = str(taint.get("value") or "")
    if len(every) > MOST_TAINTS:
        raise PlatformError(f"{words}: {len(every)} taints, at most {MOST_TAINTS} are possible")
    return dict(sorted(every.items())), frozenset(taint_key(one["key"], one["effect"]) for one in startup or ())


def taint_key(key: str, effect: str) -> str:
    """A taint's identity."""
    return f"{key}:{effect}"


def _labels(pool: Options, words: str) -> Mapping[str, str] | None:
    labels = _strings(pool.get("labels"))
    for key, value in (labels or {}).items():
        if len(value) > MOST_LABEL:
            raise PlatformError(f"{words}: the value of label {key} is longer than {MOST_LABEL} characters")
        if key.startswith(("eks.amazonaws.com/", "kubernetes.io/")):
            raise PlatformError(f"{words}: label {key} has a reserved prefix; choose another key")
    return labels


def _tags(pool: Options, options: Options, words: str) -> Mapping[str, str] | None:
    if pool.get("tags") is None and options.get("tags") is None:
        return None
    tags = _strings({**(options.get("tags") or {}), **(pool.get("tags") or {})}) or {}
    check_tags(tags, of=words)
    return tags


def _version(pool: Options, words: str) -> str | None:
    version = pool.get("version")
    if version and not KUBERNETES_VERSION.match(version):
        raise PlatformError(f"{words}: version is {version!r}, wanted is a minor version such as 1.34")
    return version


def _update(given: Options | None, words: str) -> Mapping[str, t.Any] | None:
    percentage = (given or {}).get("max_unavailable_percentage")
    if percentage is not None and not 1 <= percentage <= 100:
        raise PlatformError(f"{words}: update.max_unavailable_percentage is {percentage}, possible are 1 to 100")
    return given_parts(given)


def _strings(given: Options | None) -> dict[str, str] | None:
    if given is None:
        return None
    return {str(key): _string(value) for key, value in sorted(given.items())}


def _string(value: t.Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _launch(pool: Options, types: tuple[str, ...]) -> LaunchSpec:
    disk, reservation = pool.get("disk") or {}, pool.get("capacity_reservation") or {}
    return LaunchSpec(
        instance_type=types[0] if len(types) == 1 else None,
        ami_id=pool.get("ami_id"),
        image=pool.get("ami_type") or pool["ami_family"],
        disk=Disk(
            size=disk.get("size") or 100,
            iops=disk.get("iops"),
            throughput=disk.get("throughput"),
            kms_key_id=disk.get("kms_key_id"),
        ),
        efa=bool(pool["efa"]),
        security_groups=tuple(sorted(pool.get("security_groups") or ())),
        placement_group=pool.get("placement_group"),
        reservation=Reservation(
            id=reservation.get("id"),
            resource_group_arn=reservation.get("resource_group_arn"),
            preference=reservation.get("preference"),
        ),
        capacity_block=pool.get("capacity_type") == "capacity_block",
        hop_limit=int(pool["metadata_hop_limit"]),
        key_name=pool.get("key_name"),
        instance_store=pool["instance_store"],
        node_config=pool.get("node_config"),
        user_data=pool.get("user_data"),
        boot_script=pool.get("boot_script"),
        bottlerocket_settings=pool.get("bottlerocket_settings"),
        instance_tags=tuple((_strings(pool.get("instance_tags")) or {}).items()),
    )


__all__ = (
    "CAPACITY_TYPES",
    "EFFECTS",
    "PoolSpec",
    "Scaling",
    "Taints",
    "TemplateReference",
    "specs_of",
    "taint_key",
)
