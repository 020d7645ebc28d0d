"""Memory of models against public logs (facts/components.md §4.2, §4.3)."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.models import (
    MODELS,
    Model,
    known_model,
    model_from_config,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.sizing import (
    Serving,
    cache_tokens,
    fit,
    kv_bytes_per_token,
    tensor_parallel_sizes,
    training_gib,
    weights_bytes,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.sizing_use_case import USE_CASE

GIB = 2**30


def model(layers: int, kv_heads: int, heads: int = 32, head_dim: int = 128, billions: float = 7.0) -> Model:
    return Model("m", billions * 1e9, layers, heads, kv_heads, head_dim, heads * head_dim)


@pytest.mark.parametrize(
    ("name", "kv_dtype", "tensor_parallel", "each"),
    [
        ("Qwen3-1.7B", "bfloat16", 1, 114_688),
        ("Qwen3-30B-A3B", "fp8", 1, 49_152),
        ("Llama-3.1-70B", "bfloat16", 1, 327_680),
        ("Llama-2-7B", "bfloat16", 1, 524_288),
        ("Llama-2-70B", "bfloat16", 4, 81_920),
        ("Mistral-7B", "bfloat16", 1, 131_072),
        ("Llama-3.1-70B", "bfloat16", 2, 163_840),
        ("Llama-3.1-70B", "bfloat16", 16, 40_960),  # 8 heads over 16 GPUs: each keeps a whole one
        ("DeepSeek-R1", "bfloat16", 8, 70_272),  # latent attention: tensor parallelism does not split it
    ],
)
def test_bytes_of_cache_per_token(name: str, kv_dtype: str, tensor_parallel: int, each: int) -> None:
    assert kv_bytes_per_token(known_model(name), kv_dtype=kv_dtype, tensor_parallel=tensor_parallel) == each


@pytest.mark.parametrize(
    ("log", "found", "budget_gib", "reported"),
    [
        ("vllm#33263", known_model("Qwen3-1.7B"), 18.78, 175_856),
        ("vllm#10517", model(32, 8), 2.89, 23_648),
        ("dphnAI/sonar#1320", model(40, 8), 17.72, 116_144),
    ],
)
def test_tokens_against_independent_logs(log: str, found: Model, budget_gib: float, reported: int) -> None:
    ours = cache_tokens(budget_gib, kv_bytes_per_token(found, kv_dtype="bfloat16"))
    assert ours == pytest.approx(reported, rel=0.015), log


def test_the_budget_of_a_printed_log() -> None:
    """vllm#14447: 23.58 GiB at 0.99, weights 21.21, non-torch 0.20, activation 0.37 leave 1.57 GiB."""
    serving = Serving(context=1024, weights_bytes=21.21 * 16 * GIB, utilization=0.99, overhead_gib=0.57)
    found = fit(known_model("DeepSeek-R1"), serving, visible_gib=23.58, tensor_parallel=16)
    assert found.budget_gib == pytest.approx(1.57, abs=0.01)


@pytest.mark.parametrize(
    ("layers", "kv_heads", "blocks", "swap_gib"), [(32, 8, 2048, 4), (80, 4, 1638, 4), (32, 32, 512, 4)]
)
def test_constants_of_swap_logs(layers: int, kv_heads: int, blocks: int, swap_gib: int) -> None:
    each = kv_bytes_per_token(model(layers, kv_heads), kv_dtype="float16")
    assert swap_gib * GIB // (16 * each) == blocks


def test_a_context_that_does_not_fit_is_refused() -> None:
    """vllm#16118: 1,048,576 tokens need 24.00 GiB a GPU, 9.97 are there."""
    found = Model("llama-4", 109e9, 48, 40, 8, 128, 5120)
    each = kv_bytes_per_token(found, kv_dtype="bfloat16", tensor_parallel=8)
    assert each == 24_576
    assert cache_tokens(9.97, each) < 1_048_576


GRID = {
    "Qwen3-8B": [(22.0, 2, 139), (44.5, 1, 165), (39.4, 1, 131), (79.2, 1, 397), (139.8, 1, 803)],
    "Llama-3.1-8B": [(22.0, 2, 159), (44.5, 1, 188), (39.4, 1, 149), (79.2, 1, 449), (139.8, 1, 906)],
    "Qwen2.5-32B": [(22.0, 8, 314), (44.5, 2, 60), (39.4, 4, 294), (79.2, 1, 36), (139.8, 1, 264)],
    "Llama-3.1-70B": [(22.0, 0, 0), (44.5, 4, 66), (39.4, 8, 440), (79.2, 4, 484), (139.8, 2, 392)],
}


@pytest.mark.parametrize(("name", "cell"), [(name, cell) for name, row in GRID.items() for cell in row])
def test_the_capacity_grid(name: str, cell: tuple[float, int, int]) -> None:
    visible, size, thousands = cell
    found, serving = known_model(name), Serving(context=8192, concurrency=4)
    tried = (fit(found, serving, visible_gib=visible, tensor_parallel=one) for one in tensor_parallel_sizes(found, 8))
    first = next((one for one in tried if one.max_concurrency >= 4), None)
    if size == 0:
        assert first is None
        return
    assert first is not None
    assert first.tensor_parallel == size
    assert first.tokens / 1000 == pytest.approx(thousands, abs=1.5)


def test_weights() -> None:
    llama = known_model("meta-llama/Llama-3.1-8B-Instruct")
    assert weights_bytes(llama, Serving(context=1))[0] / GIB == pytest.approx(14.97, abs=0.02)
    big = known_model("Llama-3.1-405B-FP8")
    total, exact = weights_bytes(big, Serving(context=1))
    assert exact
    assert total / 8 / GIB == pytest.approx(57.75, abs=0.01)  # vllm#6746: the naive formula says 47


CONFIGS: list[tuple[dict[str, t.Any], str, float]] = [
    (
        {
            "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "hidden_size": 4096,
            "intermediate_size": 14336, "vocab_size": 128256, "torch_dtype": "bfloat16",
        },
        "Llama-3.1-8B", 0.005,
    ),
    (
        {
            "num_hidden_layers": 48, "num_attention_heads": 32, "num_key_value_heads": 4, "hidden_size": 2048,
            "head_dim": 128, "intermediate_size": 6144, "moe_intermediate_size": 768, "num_experts": 128,
            "vocab_size": 151936,
        },
        "Qwen3-30B-A3B", 0.01,
    ),
    (
        {
            "num_hidden_layers": 61, "num_attention_heads": 128, "num_key_value_heads": 128, "hidden_size": 7168,
            "head_dim": 128, "intermediate_size": 18432, "moe_intermediate_size": 2048, "n_routed_experts": 256,
            "n_shared_experts": 1, "first_k_dense_replace": 3, "kv_lora_rank": 512, "q_lora_rank": 1536,
            "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128, "vocab_size": 129280,
            "quantization_config": {"quant_method": "fp8"},
        },
        "DeepSeek-R1", 0.025,  # the table counts the extra layer for several tokens at once
    ),
]  # fmt: skip


@pytest.mark.parametrize(("config", "name", "rel"), CONFIGS, ids=[name for _config, name, _rel in CONFIGS])
def test_a_config_gives_the_shape_of_the_table(config: dict[str, t.Any], name: str, rel: float) -> None:
    read, known = model_from_config(config), known_model(name)
    assert read.parameters == pytest.approx(known.parameters, rel=rel)
    for key in ("layers", "heads", "kv_heads", "head_dim", "hidden", "dtype", "latent"):
        assert getattr(read, key) == getattr(known, key)


def test_hybrid_models_say_that_they_are_uncertain() -> None:
    config = {
        "num_hidden_layers": 4, "num_attention_heads": 8, "hidden_size": 1024, "sliding_window": 512,
        "layer_types": ["sliding_attention", "sliding_attention", "sliding_attention", "full_attention"],
    }  # fmt: skip
    read = model_from_config({"text_config": config})
    assert (read.growing_layers, read.sliding_layers, read.window) == (1, 3, 512)
    assert "hybrid" in read.uncertain
    assert all(one.uncertain for one in MODELS.values() if one.sliding_layers)
    few, many = (fit(read, Serving(context=8192, concurrency=number), visible_gib=22).tokens for number in (1.0, 64.0))
    assert many < few  # each request takes its window once


def test_training() -> None:
    assert training_gib(model(32, 8, billions=7), "full") == pytest.approx(117, abs=2)
    assert training_gib(model(32, 8, billions=70), "qlora") < 80 < training_gib(model(32, 8, billions=70), "lora")
    assert training_gib(model(32, 8), "full", shards=8) * 8 == pytest.approx(training_gib(model(32, 8), "full"))


def run(**options: t.Any) -> dict[str, t.Any]:
    defaults = {name: entry.get("default") for name, entry in USE_CASE.spec.options.items()}
    return dict(USE_CASE.run({**defaults, **options}, Context()).facts)


def test_the_cheapest_share_of_the_pools() -> None:
    pools = [
        {"name": "whole", "instance_types": ["p5.48xlarge"]},
        {"name": "mig", "instance_types": ["p5.48xlarge"], "gpu_sharing": {"mode": "mig", "layout": {"3g.40gb": 2}}},
        {"name": "shared", "instance_types": ["g5.xlarge"], "gpu_sharing": {"mode": "time_slicing", "replicas": 2}},
    ]
    found = run(model="Llama-3.1-8B", node_pools=pools)
    assert (found["choice"]["pool"], found["choice"]["resource"]) == ("mig", "nvidia.com/mig-3g.40gb")
    assert [one["pool"] for one in found["alternatives"]] == ["whole"]
    assert run(model="Llama-3.1-70B", node_pools=pools)["choice"]["count"] == 4


def test_prices_decide_among_instance_types() -> None:
    found = run(model="Qwen3-8B")
    prices = [found["choice"]["usd_per_hour"], *(one["usd_per_hour"] for one in found["alternatives"])]
    assert prices == sorted(prices)
    assert "--max-model-len=8192" in found["arguments"]
    assert found["recommendation"]["storage"]["choice"].startswith("S3 streaming")
    assert found["uncertainty_percent"] == 10
    assert run(model="gpt-oss-120b")["uncertainty_percent"] == 25
    assert run(model="Qwen3-8B", weights_bytes=16.4e9)["uncertainty_percent"] == 3


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"model": "Llama-3.1-70B", "instance_types": ["g6.xlarge"]}, "fits nowhere: g6.xlarge: weights and overhead"),
        ({"model": "Lama-3.1-8B"}, "did you mean 'Llama-3.1-8B'"),
        ({"model": "Llama-2-7B", "context": 8192}, "at most 4096 tokens"),
        ({"model": "Qwen3-8B", "dtype": "fp8", "instance_types": ["g5.xlarge"]}, "has no FP8"),
        ({"model": "Qwen3-8B", "instance_types": ["g4dn.xlarge"]}, "has no bfloat16"),
        ({"model": "Qwen3-8B", "concurrency": 0}, "it must be 1 or more"),
        ({"model": "Qwen3-8B", "gpu_memory_utilization": 92.0}, "a part of 1"),
        ({"config": {"hidden_size": 5}}, "num_hidden_layers"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(PlatformError) as caught:
        run(**options)
    assert sentence in str(caught.value)
