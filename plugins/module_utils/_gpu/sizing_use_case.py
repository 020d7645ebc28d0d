# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The use case of llm_sizing: a model and its load in, the cheapest place and the server's arguments out."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .._core.argument_spec import ArgumentSpec
from .._core.errors import PlatformError
from .._core.outcome import Context, Outcome, UseCase
from .instances import InstanceType, instance_type, instance_types
from .models import BYTES, KV_BYTES, Model, known_model, model_from_config
from .policy import sharing_policies
from .recommend import band, recommend
from .sizing import OVERHEAD_GIB, UTILIZATION, Serving, training_gib, weights_bytes
from .sizing_choice import Share, pool_shares, require_choice, server_arguments, summary, whole_shares

SPEC = ArgumentSpec(
    options={
        "model": {"type": "str"},
        "config": {"type": "dict"},
        "parameters_billion": {"type": "float"},
        "weights_bytes": {"type": "float"},
        "dtype": {"type": "str", "choices": sorted(BYTES)},
        "kv_cache_dtype": {"type": "str", "choices": sorted(KV_BYTES), "default": "bfloat16"},
        "context": {"type": "int", "default": 8192},
        "concurrency": {"type": "float", "default": 4.0},
        "gpu_memory_utilization": {"type": "float", "default": UTILIZATION},
        "overhead_gib": {"type": "float", "default": OVERHEAD_GIB},
        "max_num_batched_tokens": {"type": "int", "default": 8192, "no_log": False},
        "node_pools": {"type": "list", "elements": "dict"},
        "instance_types": {"type": "list", "elements": "str"},
        "mig_strategy": {"type": "str", "choices": ["none", "single", "mixed"], "default": "mixed"},
        "alternatives": {"type": "int", "default": 5},
    },
    required_one_of=(("model", "config"),),
    mutually_exclusive=(("node_pools", "instance_types"),),
)
BAR, WIDE_BAR, WIDEST_BAR = 3, 10, 25


def run(options: Mapping[str, t.Any], context: Context) -> Outcome:  # noqa: ARG001 (the doors' signature)
    """Size it."""
    model, serving = _model(options), _serving(options)
    shares, policy_warnings = _shares(options)
    found = require_choice(model, serving, shares)
    best, (weights, exact) = found[0], weights_bytes(model, serving)
    uncertainty, percent = _uncertainty(model, exact)
    return Outcome(
        facts={
            "model": {
                "name": model.name,
                "parameters_billion": round(model.parameters / 1e9, 2),
                "band": band(model),
                "dtype": serving.dtype or model.dtype,
                "weights_gib": round(weights / 2**30, 2),
            },
            "choice": summary(best),
            "alternatives": [summary(choice) for choice in found[1 : 1 + int(options["alternatives"])]],
            "arguments": server_arguments(model, serving, best),
            "recommendation": {
                advice.subject: {"choice": advice.choice, "reason": advice.reason}
                for advice in recommend(model, weights=weights, tensor_parallel=best.fit.tensor_parallel)
            },
            "training_gib": {method: round(training_gib(model, method), 1) for method in ("full", "lora", "qlora")},
            "uncertainty_percent": percent,
            "uncertainty": uncertainty,
        },
        warnings=policy_warnings,
    )


def _model(options: Mapping[str, t.Any]) -> Model:
    name = options.get("model")
    config = options.get("config")
    model = model_from_config(config, name=name or "model") if config else known_model(str(name))
    billions = options.get("parameters_billion")
    if billions is not None:
        model = Model(**{**vars(model), "parameters": billions * 1e9})
    return model


def _serving(options: Mapping[str, t.Any]) -> Serving:
    limits = {"context": 1, "concurrency": 1, "max_num_batched_tokens": 1}
    for name, least in limits.items():
        if options[name] < least:
            raise PlatformError(f"{name} is {options[name]:g}; it must be {least} or more")
    if not 0 < options["gpu_memory_utilization"] <= 1:
        raise PlatformError(
            f"gpu_memory_utilization is {options['gpu_memory_utilization']:g}; it is a part of 1, e.g. 0.92"
        )
    return Serving(
        context=options["context"],
        concurrency=options["concurrency"],
        dtype=options.get("dtype"),
        kv_dtype=options["kv_cache_dtype"],
        weights_bytes=options.get("weights_bytes"),
        utilization=options["gpu_memory_utilization"],
        overhead_gib=options["overhead_gib"],
        batched_tokens=options["max_num_batched_tokens"],
    )


def _shares(options: Mapping[str, t.Any]) -> tuple[list[Share], tuple[str, ...]]:
    if options.get("node_pools"):
        policies = sharing_policies(options["node_pools"], mig_strategy=options["mig_strategy"])
        serving = [policy for policy in policies if policy.purpose != "training"]
        return pool_shares(serving), tuple(warning for policy in serving for warning in policy.warnings)
    names = options.get("instance_types")
    types: list[InstanceType] = [instance_type(name) for name in names] if names else list(instance_types().values())
    return whole_shares(one for one in types if names or one.price is not None), ()


def _uncertainty(model: Model, exact: bool) -> tuple[str, int]:
    if model.uncertain:
        return model.uncertain, WIDEST_BAR
    if not exact:
        return "the files' size is not known: quantised files keep some parts in 16 bits; give weights_bytes", WIDE_BAR
    return "weights from the files' size; overhead and activation are estimates", BAR


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("USE_CASE",)
