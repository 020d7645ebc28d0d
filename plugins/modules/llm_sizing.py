#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: llm_sizing
short_description: Say where a language model fits, at what price and with which server arguments
version_added: 0.1.0
description:
  - Computes the memory of a model's weights and of its cache for a context length and a number of requests at once,
    and finds the cheapest share of GPUs that serves them, whole GPUs, MIG instances or MPS shares.
  - Refuses what does not fit, and says how far the closest are.
  - Calls nobody; prices are those of us-east-1, Linux, on demand.
author:
  - The aiplatform.eks engineers (@aiplatform)
extends_documentation_fragment:
  - aiplatform.eks._attributes
  - aiplatform.eks._attributes.info
options:
  model:
    description:
      - Name of a well-known model, for example V(Llama-3.1-8B); the publisher's part and C(-Instruct) do not count.
      - With O(config) it is a name only.
    type: str
  config:
    description: The model's C(config.json), for any other model.
    type: dict
  parameters_billion:
    description: All parameters in billions, when the count from O(config) is not exact enough.
    type: float
  weights_bytes:
    description:
      - Size of the weights, C(metadata.total_size) of C(model.safetensors.index.json).
      - Better than any formula, above all for quantised files.
    type: float
  dtype:
    description: Data type of the weights. Without it, that of the model's files.
    type: str
    choices: [bfloat16, float16, float32, fp8, int4, int8, mxfp4, nvfp4]
  kv_cache_dtype:
    description: Data type of the cache.
    type: str
    choices: [bfloat16, float16, float32, fp8]
    default: bfloat16
  context:
    description: Longest request and answer together, in tokens.
    type: int
    default: 8192
  concurrency:
    description: Requests of that length at once. More than one is served with 20 % to spare.
    type: float
    default: 4.0
  gpu_memory_utilization:
    description: Part of each GPU's memory that the server may use.
    type: float
    default: 0.92
  overhead_gib:
    description: GiB on each GPU for activations, graphs and communication.
    type: float
    default: 3.0
  max_num_batched_tokens:
    description: Tokens that the server computes in one step; more than 8192 take more memory for activations.
    type: int
    default: 8192
  node_pools:
    description:
      - Pools of the inventory with C(gpu_sharing), to choose among their shares.
      - Time-sliced pools and those with the purpose V(training) are left out.
    type: list
    elements: dict
  instance_types:
    description: Instance types to choose among. Without it and without O(node_pools), all that have a price.
    type: list
    elements: str
  mig_strategy:
    description: The cluster's MIG strategy, for O(node_pools).
    type: str
    choices: [none, single, mixed]
    default: mixed
  alternatives:
    description: How many more choices to return.
    type: int
    default: 5
seealso:
  - module: aiplatform.eks.mig_profiles
"""

EXAMPLES = r"""
- name: Where does this model fit?
  aiplatform.eks.llm_sizing:
    model: meta-llama/Llama-3.1-70B-Instruct
    context: 16384
    concurrency: 8
  register: sized

- name: Choose among our pools
  aiplatform.eks.llm_sizing:
    model: Qwen3-8B
    node_pools: "{{ aiplatform_node_pools }}"
"""

RETURN = r"""
model:
  description: The model as it was understood.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      returned: success
      type: str
      sample: Llama-3.1-70B
    parameters_billion:
      description: All parameters, in billions.
      returned: success
      type: float
      sample: 70.55
    band:
      description: Its size, V(small), V(medium), V(large) or V(very_large).
      returned: success
      type: str
      sample: large
    dtype:
      description: Data type of the weights.
      returned: success
      type: str
      sample: bfloat16
    weights_gib:
      description: Memory of all weights, in GiB.
      returned: success
      type: float
      sample: 131.41
choice:
  description: The cheapest share that serves.
  returned: success
  type: dict
  contains:
    pool:
      description: The pool, with O(node_pools).
      returned: success
      type: str
      sample: h100
    instance_type:
      description: The instance type.
      returned: success
      type: str
      sample: g6e.12xlarge
    resource:
      description: The extended resource that the server asks for.
      returned: success
      type: str
      sample: nvidia.com/gpu
    count:
      description: How many of it; the size of tensor parallelism.
      returned: success
      type: int
      sample: 4
    accelerator:
      description: The GPU.
      returned: success
      type: str
      sample: NVIDIA L40S
    usd_per_hour:
      description: Price of the share of one copy, or null when it is unknown.
      returned: success
      type: float
      sample: 10.4926
    instance_usd_per_hour:
      description: Price of the smallest purchase, a whole instance.
      returned: success
      type: float
      sample: 10.49264
    weights_gib_per_gpu:
      description: GiB of weights on each GPU.
      returned: success
      type: float
      sample: 32.85
    kv_cache_gib_per_gpu:
      description: GiB left for the cache on each GPU.
      returned: success
      type: float
      sample: 4.65
    kv_bytes_per_token:
      description: Bytes of cache for each token, on each GPU.
      returned: success
      type: int
      sample: 81920
    kv_cache_tokens:
      description: Tokens of context that the cache holds, over all requests.
      returned: success
      type: int
      sample: 60944
    max_concurrency:
      description: Requests of the full length that fit at once.
      returned: success
      type: float
      sample: 7.44
alternatives:
  description: More choices, by price; the same keys as C(choice).
  returned: success
  type: list
  elements: dict
  sample: []
arguments:
  description: Arguments of C(vllm serve).
  returned: success
  type: list
  elements: str
  sample: ["--tensor-parallel-size=4", "--max-model-len=8192"]
recommendation:
  description: Hardware, storage, inference library, serving and training, each with its reason.
  returned: success
  type: dict
  sample: {storage: {choice: "S3 streaming or an OCI image volume", reason: "15 GiB load in seconds; no cache needed"}}
training_gib:
  description: GiB for fine-tuning before activations, by method.
  returned: success
  type: dict
  sample: {full: 1182.7, lora: 141.9, qlora: 49.9}
uncertainty_percent:
  description: How far the real number of tokens may be from ours.
  returned: success
  type: int
  sample: 10
uncertainty:
  description: Why.
  returned: success
  type: str
  sample: "the files' size is not known: quantised files keep some parts in 16 bits; give weights_bytes"
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.sizing_use_case import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
