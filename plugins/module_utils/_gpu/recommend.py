# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The brief's decision matrix as an explained recommendation, corrected by facts/components.md §5.1.

The size of a model alone decides little: memory follows the total parameters, the cache follows the attention, and
storage follows the size of the files.
"""

from __future__ import annotations

from dataclasses import dataclass

from .models import Model
from .sizing import GIB, training_gib

BANDS = ((1e9, "small"), (10e9, "medium"), (100e9, "large"))


@dataclass(frozen=True)
class Advice:
    """One line of the recommendation."""

    subject: str
    choice: str
    reason: str


def band(model: Model) -> str:
    """V(small) (< 1 B parameters), V(medium) (< 10 B), V(large) (< 100 B) or V(very_large)."""
    return next((name for limit, name in BANDS if model.parameters < limit), "very_large")


def recommend(model: Model, *, weights: float, tensor_parallel: int) -> tuple[Advice, ...]:
    """What to run a model on and with, each with its reason.

    :param weights: bytes of the files.
    :param tensor_parallel: GPUs that one copy takes.
    """
    size = band(model)
    return (
        _hardware(size, tensor_parallel),
        _storage(weights),
        _library(size),
        _serving(size, tensor_parallel),
        _training(model),
    )


def _hardware(size: str, tensor_parallel: int) -> Advice:
    choice, reason = {
        "small": (
            "CPU (c7i, c7g), L4 (g6) or a 1g MIG slice",
            "T4 has neither bfloat16 nor FP8 and newer kernels leave it out",
        ),
        "medium": ("L4 (g6), A10G (g5) or L40S (g6e)", "V100 (p3) is below what current servers are built for"),
        "large": ("L40S x2-4 (g6e), H100 (p5), H200 (p5en) or B200 (p6-b200)", "A100 works, but has no FP8"),
        "very_large": (
            "one node of 8 H200 or B200",
            "a node with FP8 or FP4 weights holds 400-700 B parameters; several nodes only beyond that",
        ),
    }[size]
    together = f"; {tensor_parallel} GPUs of one node, joined by NVLink or PCIe" if tensor_parallel > 1 else ""
    return Advice("hardware", choice + together, reason)


def _storage(weights: float) -> Advice:
    gib = weights / GIB
    if gib <= 20:
        return Advice(
            "storage", "S3 streaming or an OCI image volume", f"{gib:.0f} GiB load in seconds; no cache needed"
        )
    if gib <= 500:
        return Advice(
            "storage",
            "S3 streamed to the instance's NVMe, or FSx for Lustre",
            f"{gib:.0f} GiB: a cold read from EFS takes tens of minutes",
        )
    return Advice(
        "storage", "FSx for Lustre in front of S3", f"{gib:.0f} GiB exceed what a node should fetch by itself"
    )


def _library(size: str) -> Advice:
    if size == "small":
        return Advice(
            "inference_library", "Transformers, ONNX Runtime or TEI", "batches are small and a GPU is optional"
        )
    return Advice(
        "inference_library",
        "vLLM; TensorRT-LLM where the last percents of throughput count",
        "TensorRT-LLM needs a build for each GPU type",
    )


def _serving(size: str, tensor_parallel: int) -> Advice:
    if size == "small":
        return Advice("serving", "Triton or KServe (Standard mode)", "TorchServe is no longer maintained")
    if size == "very_large" and tensor_parallel >= 8:
        return Advice(
            "serving",
            "vLLM on one node; LeaderWorkerSet with pipeline parallelism when one node is too small",
            "tensor parallelism stays inside NVLink; pipelines cross nodes with EFA",
        )
    return Advice(
        "serving",
        "vLLM behind a router that knows the cache (llm_gateway)",
        "an ordinary load balancer spreads requests away from their cached prefixes",
    )


def _training(model: Model) -> Advice:
    full, lora = training_gib(model, "full"), training_gib(model, "lora")
    if full <= 70:
        return Advice("training", "one GPU", f"full fine-tuning takes {full:.0f} GiB before activations")
    shards = 1
    while full / shards > 60:
        shards *= 2
    where = "one node" if shards <= 8 else f"{(shards + 7) // 8} nodes with EFA"
    return Advice(
        "training",
        f"FSDP or ZeRO-3 over {shards} GPUs of 80 GB ({where}), or LoRA",
        f"full fine-tuning takes {full:.0f} GiB before activations and plain data parallelism would repeat it on every "
        f"GPU; LoRA takes {lora:.0f} GiB",
    )


__all__ = ("Advice", "band", "recommend")
