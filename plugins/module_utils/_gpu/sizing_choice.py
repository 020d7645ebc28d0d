# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a model fits: every kind of share that instance types and pools offer, cheapest first."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .._core.errors import PlatformError
from .boards import board
from .instances import InstanceType
from .models import Model
from .policy import MPS, SharingPolicy
from .policy_objects import resource_name
from .sizing import Fit, Serving, fit, tensor_parallel_sizes

# Share of the figure that EC2 (GPU) or NVML (MIG instance) reports which CUDA shows: A100 39.4 of 40, H100 79.2 of 80.
VISIBLE = 0.985
VISIBLE_GIB = {"NVIDIA T4": 14.56, "NVIDIA V100 SXM2 16GB": 15.77}
NO_BF16 = frozenset({"volta", "turing"})
FP8 = frozenset({"ada", "hopper", "blackwell", "blackwell-gb20x"})
FP4 = frozenset({"blackwell", "blackwell-gb20x"})


@dataclass(frozen=True)
class Share:
    """Something that a pod can ask for.

    :param pool: the pool of the inventory; empty for a bare instance type.
    :param gpus: how many of them a pod can have together on one node.
    :param visible_gib: memory that a process sees on one.
    :param price: USD per hour of one; None when unknown.
    :param instance_price: USD per hour of the smallest purchase.
    """

    pool: str
    one: InstanceType
    resource: str
    gpus: int
    visible_gib: float
    price: float | None
    instance_price: float | None


@dataclass(frozen=True)
class Choice:
    """A share with the number of them that one copy of the model takes."""

    share: Share
    fit: Fit

    @property
    def price(self) -> float:
        """USD per hour of one copy; infinite when unknown."""
        return float("inf") if self.share.price is None else self.share.price * self.fit.tensor_parallel

    @property
    def rank(self) -> tuple[float, float, int, str, str]:
        """Cheapest first; then the smallest purchase."""
        purchase = float("inf") if self.share.instance_price is None else self.share.instance_price
        return (self.price, purchase, self.fit.tensor_parallel, self.share.one.name, self.share.resource)


def whole_shares(types: Iterable[InstanceType]) -> list[Share]:
    """Whole GPUs of instance types: who takes one GPU pays for the instance."""
    return [
        Share("", one, one.resource or "", one.accelerator_count, _visible(one), _split(one), one.price)
        for one in types
        if one.has_gpu and one.accelerator_memory_gib
    ]


def pool_shares(policies: Iterable[SharingPolicy]) -> list[Share]:
    """Everything that the pools of an inventory offer for serving, MIG instances and MPS shares included.

    Time-sliced GPUs are left out: nothing limits the memory of the neighbours there.
    """
    found: list[Share] = []
    for policy in policies:
        for one in policy.types:
            if not one.has_gpu or not one.accelerator_memory_gib or (policy.replicas > 1 and policy.mode != MPS):
                continue
            if policy.layout is not None:
                found += _mig_shares(policy, one)
                continue
            shared = policy.mode == MPS
            name = "nvidia.com/gpu" if policy.mode == "dra" else resource_name(policy)
            visible, price = _visible(one) / policy.replicas, _split(one)
            found.append(
                Share(
                    pool=policy.pool,
                    one=one,
                    resource=name,
                    gpus=1 if shared else one.accelerator_count,
                    visible_gib=visible,
                    price=None if price is None else price / policy.replicas,
                    instance_price=one.price,
                )
            )
    return found


def _mig_shares(policy: SharingPolicy, one: InstanceType) -> list[Share]:
    target = board(one.board or "")
    price = _split(one)
    shares = []
    for name in policy.layout.profiles if policy.layout else ():
        profile = target.profile(name)
        if profile.memory_mib is None:
            continue
        part = None if price is None else price * profile.memory_slices / (target.memory_slices or 8)
        visible = profile.memory_mib / 1024 * VISIBLE
        shares.append(Share(policy.pool, one, resource_name(policy, name), 1, visible, part, one.price))
    return shares


def _visible(one: InstanceType) -> float:
    return VISIBLE_GIB.get(one.accelerator or "", (one.accelerator_memory_gib or 0.0) * VISIBLE)


def _split(one: InstanceType) -> float | None:
    return None if one.price is None else one.price / one.accelerator_count


def unsupported(share: Share, model: Model, serving: Serving) -> str:
    """Why a GPU cannot compute in these data types; empty when it can."""
    arch, dtype = share.one.accelerator_arch or "", serving.dtype or model.dtype
    if dtype == "nvfp4" and arch not in FP4:
        return f"{share.one.accelerator} has no FP4"
    if (dtype == "fp8" or serving.kv_dtype == "fp8") and arch not in FP8:
        return f"{share.one.accelerator} has no FP8"
    if dtype in ("bfloat16", "mxfp4", "fp8") and arch in NO_BF16:
        return f"{share.one.accelerator} has no bfloat16"
    return ""


def choices(model: Model, serving: Serving, shares: Sequence[Share]) -> list[Choice]:
    """For each share the smallest number that serves, cheapest first."""
    found: list[Choice] = []
    for share in shares:
        if unsupported(share, model, serving):
            continue
        for size in tensor_parallel_sizes(model, share.gpus):
            tried = fit(model, serving, visible_gib=share.visible_gib, tensor_parallel=size)
            if tried.serves(serving.concurrency):
                found.append(Choice(share, tried))
                break
    return sorted(found, key=lambda choice: choice.rank)


def best_misses(model: Model, serving: Serving, shares: Sequence[Share]) -> list[str]:
    """Why each share does not serve, the closest first: the sentence of a refusal."""
    misses: list[tuple[float, str]] = []
    for share in shares:
        where = f"pool {share.pool} ({share.resource})" if share.pool else share.one.name
        if reason := unsupported(share, model, serving):
            misses.append((-1.0, f"{where}: {reason}"))
            continue
        size = max(tensor_parallel_sizes(model, share.gpus))
        tried = fit(model, serving, visible_gib=share.visible_gib, tensor_parallel=size)
        if tried.tokens:
            text = f"{tried.tokens} tokens of context on {size} GPUs, wanted {_wanted(serving)}"
        else:
            lack = (share.visible_gib - tried.budget_gib, share.visible_gib)
            text = f"weights and overhead take {lack[0]:.1f} GiB of {lack[1]:.1f} GiB on each of {size}"
        misses.append((tried.budget_gib * size, f"{where}: {text}"))
    return [text for _score, text in sorted(misses, key=lambda miss: -miss[0])]


def _wanted(serving: Serving) -> int:
    return int(serving.context * (serving.concurrency * 1.2 if serving.concurrency > 1 else 1))


def require_choice(model: Model, serving: Serving, shares: Sequence[Share]) -> list[Choice]:
    """The choices.

    :raises PlatformError: there is none; the sentence says how far the closest are.
    """
    if serving.context > model.longest:
        raise PlatformError(
            f"{model.name} knows contexts of at most {model.longest} tokens, wanted is {serving.context}; shorten it"
        )
    found = choices(model, serving, shares)
    if not found:
        near = "; ".join(best_misses(model, serving, shares)[:3]) or "no GPUs are offered"
        raise PlatformError(
            f"{model.name} with {serving.concurrency:g} requests of {serving.context} tokens fits nowhere: {near}. "
            "Lower the context or the concurrency, quantise the weights or the cache (fp8), or offer larger GPUs"
        )
    return found


def server_arguments(model: Model, serving: Serving, choice: Choice, *, served: str = "") -> list[str]:
    """Arguments of C(vllm serve) for a choice, without the model's own."""
    found = {
        "--tensor-parallel-size": choice.fit.tensor_parallel,
        "--max-model-len": serving.context,
        "--gpu-memory-utilization": f"{serving.utilization:g}",
        "--max-num-batched-tokens": serving.batched_tokens,
        "--max-num-seqs": max(1, int(min(256, choice.fit.max_concurrency * 2))),
    }
    if served:
        found["--served-model-name"] = served
    if serving.kv_dtype == "fp8":
        found["--kv-cache-dtype"] = "fp8"
    dtype = serving.dtype or model.dtype
    if dtype in ("bfloat16", "float16"):
        found["--dtype"] = dtype
    elif serving.dtype == "fp8" and model.dtype != "fp8":
        found["--quantization"] = "fp8"
    return [f"{name}={value}" for name, value in found.items()]


def summary(choice: Choice) -> dict[str, t.Any]:
    """A choice as plain data."""
    share, found = choice.share, choice.fit
    return {
        "pool": share.pool or None,
        "instance_type": share.one.name,
        "resource": share.resource,
        "count": found.tensor_parallel,
        "accelerator": share.one.accelerator,
        "usd_per_hour": None if share.price is None else round(choice.price, 4),
        "instance_usd_per_hour": share.instance_price,
        "weights_gib_per_gpu": round(found.weights_gib, 2),
        "kv_cache_gib_per_gpu": round(found.budget_gib, 2),
        "kv_bytes_per_token": int(found.kv_bytes_per_token),
        "kv_cache_tokens": found.tokens,
        "max_concurrency": round(found.max_concurrency, 2),
    }


__all__ = (
    "Choice",
    "Share",
    "best_misses",
    "choices",
    "pool_shares",
    "require_choice",
    "server_arguments",
    "summary",
    "whole_shares",
)
