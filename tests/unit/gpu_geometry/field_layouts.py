"""MIG layouts that the field ships as examples: what each asks of one GPU, and where it stands."""

from __future__ import annotations

import typing as t

AI_ON_EKS = "awslabs/ai-on-eks@886fe01, infra/base/terraform/helm-values/nvidia-gpu-operator.yaml"
DEEPOPS = "NVIDIA/deepops@fefd906, config.example/nvidia-mig-config.yml"
MIG_PARTED = "NVIDIA/mig-parted@5aa3dd9, examples/config.yaml"


class Shipped(t.NamedTuple):
    """One group of GPUs of an example.

    :param fault, reason: why no GPU can have it; empty where it fits.
    """

    source: str
    name: str
    instance_type: str
    layout: dict[str, int]
    fault: str = ""
    reason: str = ""


SHIPPED = (
    Shipped(AI_ON_EKS, "p4d-half-balanced", "p4d.24xlarge", {"1g.5gb": 2, "2g.10gb": 1, "3g.20gb": 1}),
    Shipped(AI_ON_EKS, "p4d-all-small", "p4d.24xlarge", {"1g.5gb": 7}),
    Shipped(AI_ON_EKS, "p4d-mixed-workload, GPUs 0-1", "p4d.24xlarge", {"1g.5gb": 4, "2g.10gb": 1}),
    Shipped(AI_ON_EKS, "p4d-mixed-workload, GPUs 2-3", "p4d.24xlarge", {"3g.20gb": 1, "1g.5gb": 2}),
    Shipped(AI_ON_EKS, "p4d-inference-optimized", "p4d.24xlarge", {"1g.5gb": 6}),
    Shipped(AI_ON_EKS, "p4de-half-balanced", "p4de.24xlarge", {"1g.10gb": 2, "2g.20gb": 1, "3g.40gb": 1}),
    Shipped(AI_ON_EKS, "p4de-all-small", "p4de.24xlarge", {"1g.10gb": 7}),
    Shipped(
        AI_ON_EKS, "p4de-mixed-workload, GPUs 0-1", "p4de.24xlarge", {"1g.10gb": 3, "2g.20gb": 1, "3g.40gb": 1},
        "compute", "it takes 8 compute slices; a GPU of p4de.24xlarge has 7",
    ),
    Shipped(AI_ON_EKS, "p4de-mixed-workload, GPUs 2-3", "p4de.24xlarge", {"7g.80gb": 1}),
    Shipped(AI_ON_EKS, "p4de-inference-optimized", "p4de.24xlarge", {"1g.10gb": 4, "2g.20gb": 1}),
    Shipped(AI_ON_EKS, "p4de-training-optimized", "p4de.24xlarge", {"3g.40gb": 1, "2g.20gb": 1}),
    Shipped(AI_ON_EKS, "p5-half-balanced", "p5.48xlarge", {"1g.10gb": 2, "2g.20gb": 1, "3g.40gb": 1}),
    Shipped(AI_ON_EKS, "p5-all-small", "p5.48xlarge", {"1g.10gb": 7}),
    Shipped(AI_ON_EKS, "p5-inference-optimized", "p5.48xlarge", {"1g.10gb": 4, "2g.20gb": 1}),
    Shipped(AI_ON_EKS, "p6-b200-half-balanced", "p6-b200.48xlarge", {"1g.23gb": 1, "2g.45gb": 1, "4g.90gb": 1}),
    Shipped(AI_ON_EKS, "p6-b200-all-small", "p6-b200.48xlarge", {"1g.23gb": 7}),
    Shipped(
        AI_ON_EKS, "p6-b200-inference-optimized", "p6-b200.48xlarge", {"1g.23gb": 5, "2g.40gb": 1},
        "profile", "unknown MIG profile of b200-180gb '2g.40gb'",
    ),
    Shipped(DEEPOPS, "all-1g.5gb", "p4d.24xlarge", {"1g.5gb": 7}),
    Shipped(DEEPOPS, "all-2g.10gb", "p4d.24xlarge", {"2g.10gb": 3}),
    Shipped(DEEPOPS, "all-3g.20gb", "p4d.24xlarge", {"3g.20gb": 2}),
    Shipped(DEEPOPS, "all-1g.10gb", "p4de.24xlarge", {"1g.10gb": 7}),
    Shipped(
        DEEPOPS, "all-1g.10gb on the other A100", "p4d.24xlarge", {"1g.10gb": 7},
        "too_many", "a GPU of p4d.24xlarge takes at most 4 of them",
    ),
    Shipped(DEEPOPS, "all-2g.20gb", "p4de.24xlarge", {"2g.20gb": 3}),
    Shipped(DEEPOPS, "all-3g.40gb", "p4de.24xlarge", {"3g.40gb": 2}),
    Shipped(
        DEEPOPS, "all-7g.80gb", "p4de.24xlarge", {"7g.80gb": 2},
        "too_many", "2 x 7g.80gb: a GPU of p4de.24xlarge takes at most 1 of them",
    ),
    Shipped(DEEPOPS, "all-4g.40gb-dgx-station-80", "p4de.24xlarge", {"4g.40gb": 1}),
    Shipped(DEEPOPS, "balanced-k8s-dgx-station-80, GPU 2", "p4de.24xlarge", {"2g.20gb": 3, "1g.10gb": 1}),
    Shipped(MIG_PARTED, "all-balanced", "p4d.24xlarge", {"1g.5gb": 2, "2g.10gb": 1, "3g.20gb": 1}),
    Shipped(
        MIG_PARTED, "all-balanced on the other A100", "p4de.24xlarge", {"1g.5gb": 2, "2g.10gb": 1, "3g.20gb": 1},
        "profile", "1g.5gb does not exist on p4de.24xlarge, whose A100 has 80 GB: 1g.10gb is the same share",
    ),
)  # fmt: skip

# The layouts all-PROFILE that the operator ships (NVIDIA/gpu-operator@0b0b6b1, assets/state-mig-manager/
# 0400_configmap.yaml): instances on each GPU, whatever its board, but for 1g.10gb, which it filters by board.
OPERATOR = {
    "1g.5gb": 7, "1g.5gb+me": 1, "2g.10gb": 3, "3g.20gb": 2, "4g.20gb": 1, "7g.40gb": 1,
    "1g.24gb+gfx": 4, "1g.24gb+me.all": 1, "1g.24gb-me": 4, "2g.48gb": 2, "2g.48gb+gfx": 2, "2g.48gb+me.all": 1,
    "2g.48gb-me": 2, "4g.96gb": 1, "4g.96gb+gfx": 1,
    "1g.10gb": 7, "1g.10gb+me": 1, "1g.20gb": 4, "2g.20gb": 3, "3g.40gb": 2, "4g.40gb": 1, "7g.80gb": 1,
    "1g.23gb": 7, "1g.23gb+me": 1, "1g.45gb": 4, "2g.45gb": 3, "3g.90gb": 2, "4g.90gb": 1, "7g.180gb": 1,
    "1g.6gb": 4, "1g.6gb+me": 1, "2g.12gb": 2, "2g.12gb+me": 1, "4g.24gb": 1,
    "1g.12gb": 7, "1g.12gb+me": 1, "1g.24gb": 4, "1g.24gb+me": 1, "2g.24gb": 3, "3g.47gb": 2, "4g.47gb": 1,
    "7g.94gb": 1, "3g.48gb": 2, "4g.48gb": 1, "7g.96gb": 1,
    "1g.47gb": 4, "2g.47gb": 3, "3g.93gb": 2, "4g.93gb": 1, "7g.186gb": 1, "3g.95gb": 2, "4g.95gb": 1, "7g.189gb": 1,
    "1g.18gb": 7, "1g.18gb+me": 1, "1g.35gb": 4, "2g.35gb": 3, "3g.71gb": 2, "4g.71gb": 1, "7g.141gb": 1,
    "1g.36gb": 4, "2g.36gb": 3, "3g.72gb": 2, "4g.72gb": 1, "7g.144gb": 1,
}  # fmt: skip
