# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much memory serving and training a model takes, and how many tokens of context fit beside it.

Formulas and the public logs that they are held against: facts/components.md §4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .._core.errors import PlatformError
from .._core.text import unknown_name
from .models import BYTES, KV_BYTES, Model

GIB = 2**30
BLOCK = 16
UTILIZATION = 0.92
OVERHEAD_GIB = 3.0
BATCHED_TOKENS = 8192
ACTIVATION_BYTES = 27  # per token and hidden unit: 2.07 GiB for 20,000 tokens of hidden size 4096 (vllm#10517)
HEADROOM = 1.2
TRAINING_BYTES = {"full": 18.0, "lora": 2.0, "qlora": 0.6}
ADAPTER_SHARE, ADAPTER_BYTES = 0.01, 16.0


@dataclass(frozen=True)
class Serving:
    """How a model is to be served.

    :param context: longest request and answer together, in tokens.
    :param concurrency: requests of that length at once.
    :param dtype: of the weights; None for the model's own.
    :param kv_dtype: of the cache.
    :param weights_bytes: C(metadata.total_size) of the model's index, when known.
    :param batched_tokens: tokens that the server computes in one step.
    """

    context: int
    concurrency: float = 1.0
    dtype: str | None = None
    kv_dtype: str = "bfloat16"
    weights_bytes: float | None = None
    utilization: float = UTILIZATION
    overhead_gib: float = OVERHEAD_GIB
    batched_tokens: int = BATCHED_TOKENS


@dataclass(frozen=True)
class Fit:
    """What one copy of a model has on C(tensor_parallel) x C(pipeline_parallel) GPUs.

    :param weights_gib: per GPU; so are C(budget_gib) (left for the cache) and C(kv_bytes_per_token).
    :param tokens: tokens of context that the cache holds, over all requests.
    """

    tensor_parallel: int
    pipeline_parallel: int
    weights_gib: float
    budget_gib: float
    kv_bytes_per_token: float
    tokens: int
    max_concurrency: float

    @property
    def fits(self) -> bool:
        """Whether one request of the wanted length fits: the server refuses to start otherwise."""
        return self.max_concurrency >= 1.0

    def serves(self, concurrency: float) -> bool:
        """Whether that many requests fit with some room to spare; a single one needs no room."""
        return self.fits and self.max_concurrency >= (concurrency * HEADROOM if concurrency > 1 else 1.0)


def weights_bytes(model: Model, serving: Serving) -> tuple[float, bool]:
    """Bytes of all weights, and whether they come from the files (True) or from a formula (False)."""
    dtype = serving.dtype or model.dtype
    if serving.weights_bytes:
        return serving.weights_bytes, True
    if model.weights_bytes and dtype == model.dtype:
        return model.weights_bytes, True
    if dtype not in BYTES:
        raise PlatformError(unknown_name("dtype", dtype, BYTES))
    return model.parameters * BYTES[dtype], False


def kv_bytes_per_token(model: Model, *, kv_dtype: str, tensor_parallel: int = 1, pipeline_parallel: int = 1) -> float:
    """Bytes of cache that each token of context takes on each GPU."""
    if kv_dtype not in KV_BYTES:
        raise PlatformError(unknown_name("kv_cache_dtype", kv_dtype, KV_BYTES))
    layers = math.ceil(model.growing_layers / pipeline_parallel)
    if model.latent:  # one latent vector for all heads: tensor parallelism does not split it
        return float(layers * model.latent * KV_BYTES[kv_dtype])
    heads = max(1, model.kv_heads // tensor_parallel)
    return float(2 * layers * heads * model.head_dim * KV_BYTES[kv_dtype])


def _window_bytes(model: Model, serving: Serving, tensor_parallel: int, pipeline_parallel: int) -> float:
    """Bytes of cache that each request takes in the layers with a sliding window."""
    heads = max(1, model.kv_heads // tensor_parallel)
    layers = math.ceil(model.sliding_layers / pipeline_parallel)
    length = min(serving.context, model.window)
    return 2.0 * layers * heads * model.head_dim * KV_BYTES[serving.kv_dtype] * length


def cache_tokens(budget_gib: float, bytes_per_token: float) -> int:
    """Tokens that fit into a budget, in whole blocks."""
    return max(0, math.floor(budget_gib * GIB / (BLOCK * bytes_per_token))) * BLOCK


def fit(
    model: Model, serving: Serving, *, visible_gib: float, tensor_parallel: int = 1, pipeline_parallel: int = 1
) -> Fit:
    """What one copy has on GPUs that each show C(visible_gib) of memory."""
    total, _exact = weights_bytes(model, serving)
    weights = total / (tensor_parallel * pipeline_parallel) / GIB
    extra = max(0, serving.batched_tokens - BATCHED_TOKENS) * model.hidden * ACTIVATION_BYTES / GIB
    budget = visible_gib * serving.utilization - weights - serving.overhead_gib - extra
    sliding = _window_bytes(model, serving, tensor_parallel, pipeline_parallel) * max(1.0, serving.concurrency) / GIB
    each = kv_bytes_per_token(
        model, kv_dtype=serving.kv_dtype, tensor_parallel=tensor_parallel, pipeline_parallel=pipeline_parallel
    )
    tokens = cache_tokens(budget - sliding, each)
    return Fit(
        tensor_parallel=tensor_parallel,
        pipeline_parallel=pipeline_parallel,
        weights_gib=weights,
        budget_gib=budget,
        kv_bytes_per_token=each,
        tokens=tokens,
        max_concurrency=tokens / serving.context,
    )


def tensor_parallel_sizes(model: Model, gpus: int) -> tuple[int, ...]:
    """Powers of two that divide the attention heads, up to the GPUs of a node."""
    sizes = (2**power for power in range(max(1, gpus).bit_length()))
    return tuple(size for size in sizes if size <= gpus and model.heads % size == 0)


def training_gib(model: Model, method: str, *, shards: int = 1) -> float:
    """GiB per GPU for weights, gradients and optimiser, before activations.

    :param method: V(full) (AdamW, mixed precision, about 18 bytes a parameter), V(lora) or V(qlora).
    :param shards: GPUs that share the state (FSDP, ZeRO-3); plain data parallelism shares nothing.
    """
    if method not in TRAINING_BYTES:
        raise PlatformError(unknown_name("training method", method, TRAINING_BYTES))
    adapters = 0.0 if method == "full" else model.parameters * ADAPTER_SHARE * ADAPTER_BYTES
    return (model.parameters * TRAINING_BYTES[method] + adapters) / shards / GIB


__all__ = (
    "GIB",
    "OVERHEAD_GIB",
    "UTILIZATION",
    "Fit",
    "Serving",
    "cache_tokens",
    "fit",
    "kv_bytes_per_token",
    "tensor_parallel_sizes",
    "training_gib",
    "weights_bytes",
)
