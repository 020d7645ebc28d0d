# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Language models as far as their memory goes: from a table of well-known ones, or from a C(config.json)."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, replace

from .._core.errors import PlatformError
from .._core.text import unknown_name

BYTES = {
    "float32": 4.0,
    "bfloat16": 2.0,
    "float16": 2.0,
    "fp8": 1.0,
    "int8": 1.0,
    "int4": 0.56,
    "mxfp4": 0.53,
    "nvfp4": 0.56,
}
KV_BYTES = {"bfloat16": 2, "float16": 2, "float32": 4, "fp8": 1}


@dataclass(frozen=True)
class Model:
    """A decoder's shape.

    :param parameters: all of them, every expert included; bytes of memory follow the total, never the active ones.
    :param layers: all layers; C(attention_layers) those whose cache grows with the context.
    :param sliding_layers: layers whose cache ends at C(window) tokens.
    :param latent: values per token and layer of multi-head latent attention (rank and rope part); 0 without it.
    :param weights_bytes: bytes of the published files, by dtype, where known: better than any formula.
    :param uncertain: why the cache of this model cannot be said exactly; empty when it can.
    """

    name: str
    parameters: float
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    hidden: int
    dtype: str = "bfloat16"
    attention_layers: int | None = None
    sliding_layers: int = 0
    window: int = 0
    latent: int = 0
    longest: int = 131072
    weights_bytes: float | None = None
    uncertain: str = ""

    @property
    def growing_layers(self) -> int:
        """Layers whose cache grows with the context."""
        return self.layers if self.attention_layers is None else self.attention_layers


HYBRID = "hybrid attention: how many layers keep a cache depends on the server's version"


def _model(name: str, billions: float, shape: tuple[int, int, int, int, int], **more: t.Any) -> Model:
    layers, heads, kv_heads, head_dim, hidden = shape
    return Model(name, billions * 1e9, layers, heads, kv_heads, head_dim, hidden, **more)


# Shapes: the models' public config.json; figures of files: their index's total_size. Keys are lower case.
MODELS: Mapping[str, Model] = {
    model.name.lower(): model
    for model in (
        _model("Llama-2-7B", 6.74, (32, 32, 32, 128, 4096), dtype="float16", longest=4096),
        _model("Llama-2-70B", 68.98, (80, 64, 8, 128, 8192), dtype="float16", longest=4096),
        _model("Llama-3.1-8B", 8.03, (32, 32, 8, 128, 4096)),
        _model("Llama-3.1-70B", 70.55, (80, 64, 8, 128, 8192)),
        _model("Llama-3.1-405B-FP8", 405.85, (126, 128, 8, 128, 16384), dtype="fp8", weights_bytes=462.0 * 2**30),
        _model("Mistral-7B", 7.24, (32, 32, 8, 128, 4096), longest=32768),
        _model("Mixtral-8x7B", 46.7, (32, 32, 8, 128, 4096), longest=32768),
        _model("Qwen2.5-7B", 7.62, (28, 28, 4, 128, 3584)),
        _model("Qwen2.5-32B", 32.76, (64, 40, 8, 128, 5120)),
        _model("Qwen2.5-72B", 72.71, (80, 64, 8, 128, 8192)),
        _model("Qwen3-1.7B", 2.03, (28, 16, 8, 128, 2048), longest=40960),
        _model("Qwen3-8B", 8.19, (36, 32, 8, 128, 4096), longest=40960),
        _model("Qwen3-32B", 32.76, (64, 64, 8, 128, 5120), longest=40960),
        _model("Qwen3-30B-A3B", 30.53, (48, 32, 4, 128, 2048), longest=262144),
        _model("Qwen3-235B-A22B", 235.09, (94, 64, 4, 128, 4096), longest=262144),
        _model(
            "DeepSeek-R1", 684.5, (61, 128, 128, 128, 7168), dtype="fp8", latent=576, longest=163840,
            weights_bytes=688.6e9,
        ),
        _model(
            "gpt-oss-20b", 20.9, (24, 64, 8, 64, 2880), dtype="mxfp4", attention_layers=12, sliding_layers=12,
            window=128, weights_bytes=13.76e9, uncertain=HYBRID,
        ),
        _model(
            "gpt-oss-120b", 116.8, (36, 64, 8, 64, 2880), dtype="mxfp4", attention_layers=18, sliding_layers=18,
            window=128, weights_bytes=65.25e9, uncertain=HYBRID,
        ),
        _model(
            "Gemma-3-27B", 27.43, (62, 32, 16, 128, 5376), attention_layers=10, sliding_layers=52, window=1024,
            uncertain=HYBRID,
        ),
    )
}  # fmt: skip


def known_model(name: str) -> Model:
    """The model of that name; the publisher's part of a repository name and the suffix of chat tuning do not count.

    :raises PlatformError: it is not in the table; the way out is the model's C(config.json).
    """
    short = name.rpartition("/")[2].lower()
    for candidate in (short, short.removeprefix("meta-"), *(short.removesuffix(end) for end in ("-instruct", "-it"))):
        if candidate in MODELS:
            return MODELS[candidate]
        if (bare := candidate.removeprefix("meta-")) in MODELS:
            return MODELS[bare]
    names = [model.name for model in MODELS.values()]
    raise PlatformError(f"{unknown_name('model', name, names)}. For any other, give its config.json as config")


def model_from_config(config: Mapping[str, t.Any], *, name: str = "model") -> Model:
    """The shape that a C(config.json) of the transformers library says.

    :raises PlatformError: it lacks what the memory depends on.
    """
    text = {**config, **(config.get("text_config") or {})}
    missing = [key for key in ("num_hidden_layers", "num_attention_heads", "hidden_size") if not text.get(key)]
    if missing:
        raise PlatformError(
            f"config of {name}: {', '.join(missing)} is missing; wanted is a decoder's whole config.json"
        )
    layers, heads, hidden = (int(text[key]) for key in ("num_hidden_layers", "num_attention_heads", "hidden_size"))
    head_dim = int(text.get("head_dim") or hidden // heads)
    kinds = list(text.get("layer_types") or ())
    full = [kind for kind in kinds if kind == "full_attention"]
    sliding = [kind for kind in kinds if "sliding" in kind or "chunked" in kind]
    rank = int(text.get("kv_lora_rank") or 0)
    found = Model(
        name=name,
        parameters=0.0,
        layers=layers,
        heads=heads,
        kv_heads=int(text.get("num_key_value_heads") or heads),
        head_dim=head_dim,
        hidden=hidden,
        dtype=_dtype(config, text),
        attention_layers=len(full) if kinds else None,
        sliding_layers=len(sliding),
        window=int(text.get("sliding_window") or text.get("attention_chunk_size") or 0) if sliding else 0,
        latent=rank + int(text.get("qk_rope_head_dim") or 0) if rank else 0,
        longest=int(text.get("max_position_embeddings") or 131072),
        uncertain=HYBRID if kinds and len(full) < layers else "",
    )
    return replace(found, parameters=_parameters(text, found))


def _dtype(config: Mapping[str, t.Any], text: Mapping[str, t.Any]) -> str:
    quantized = (config.get("quantization_config") or {}).get("quant_method") or ""
    bits = (config.get("quantization_config") or {}).get("bits")
    if quantized in ("fp8", "mxfp4"):
        return str(quantized)
    if quantized in ("gptq", "awq", "bitsandbytes"):
        return "int8" if bits == 8 else "int4"
    found = str(text.get("torch_dtype") or text.get("dtype") or "bfloat16")
    return found if found in BYTES else "bfloat16"


def _parameters(text: Mapping[str, t.Any], model: Model) -> float:
    """All parameters, by the usual shape of a decoder; within about 2 % for dense ones and mixtures of experts."""
    vocabulary = int(text.get("vocab_size") or 0) * model.hidden * (1 if text.get("tie_word_embeddings") else 2)
    attention = model.hidden * model.head_dim * (2 * model.heads + 2 * model.kv_heads)
    if model.latent:
        query = int(text.get("q_lora_rank") or 0)
        wide = int(text.get("qk_nope_head_dim") or 128) + int(text.get("qk_rope_head_dim") or 64)
        value = int(text.get("v_head_dim") or 128)
        rank = int(text["kv_lora_rank"])
        first = model.hidden * query + query * model.heads * wide if query else model.hidden * model.heads * wide
        attention = first + model.hidden * model.latent
        attention += rank * model.heads * (wide - int(text.get("qk_rope_head_dim") or 64) + value)
        attention += model.heads * value * model.hidden
    experts = int(text.get("num_local_experts") or text.get("num_experts") or text.get("n_routed_experts") or 0)
    dense_width = int(text.get("intermediate_size") or 4 * model.hidden)
    dense = 3 * model.hidden * dense_width
    if not experts:
        return float(vocabulary + model.layers * (attention + dense))
    width = int(text.get("moe_intermediate_size") or dense_width)
    shared = int(text.get("n_shared_experts") or 0)
    mixture = 3 * model.hidden * width * (experts + shared) + model.hidden * experts
    first_dense = int(text.get("first_k_dense_replace") or 0)
    return float(vocabulary + model.layers * attention + first_dense * dense + (model.layers - first_dense) * mixture)


__all__ = ("BYTES", "HYBRID", "KV_BYTES", "MODELS", "Model", "known_model", "model_from_config")
