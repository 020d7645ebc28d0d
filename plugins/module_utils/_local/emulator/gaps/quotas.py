# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Service quotas of EC2 and EKS; moto has those of networks only. The C(quotas) switch sets others."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..aws_call import Answers, AwsCall, AwsError, Pass, Record

# (service, quota code): (name, value). Codes and names: Service Quotas' own tables; the values let a rehearsal through.
QUOTAS: Mapping[tuple[str, str], tuple[str, float]] = {
    ("ec2", "L-1216C47A"): ("Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", 4096.0),
    ("ec2", "L-34B43A08"): ("All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests", 4096.0),
    ("ec2", "L-DB2E81BA"): ("Running On-Demand G and VT instances", 4096.0),
    ("ec2", "L-3819A6DF"): ("All G and VT Spot Instance Requests", 4096.0),
    ("ec2", "L-417A185B"): ("Running On-Demand P instances", 8192.0),
    ("ec2", "L-7212CCBC"): ("All P4, P3 and P2 Spot Instance Requests", 4096.0),
    ("ec2", "L-C4BD4855"): ("All P5 Spot Instance Requests", 4096.0),
    ("ec2", "L-2C3B7624"): ("Running On-Demand Trn instances", 2048.0),
    ("ec2", "L-6B0D517C"): ("All Trn Spot Instance Requests", 2048.0),
    ("ec2", "L-1945791B"): ("Running On-Demand Inf instances", 1024.0),
    ("ec2", "L-B5D1601B"): ("All Inf Spot Instance Requests", 1024.0),
    ("ec2", "L-0263D0A3"): ("EC2-VPC Elastic IPs", 20.0),
    ("eks", "L-1194D53C"): ("Clusters", 100.0),
    ("eks", "L-6D54EA21"): ("Managed node groups per cluster", 30.0),
    ("eks", "L-BD136A63"): ("Nodes per managed node group", 450.0),
    ("eks", "L-33415657"): ("Fargate profiles per cluster", 10.0),
}


def _row(call: AwsCall, key: tuple[str, str], values: Mapping[str, float]) -> Record:
    service, code = key
    name, value = QUOTAS[key]
    return {
        "ServiceCode": service,
        "ServiceName": {"ec2": "Amazon Elastic Compute Cloud (Amazon EC2)"}.get(
            service, "Amazon Elastic Kubernetes Service"
        ),
        "QuotaArn": f"arn:aws:servicequotas:{call.place.region}:{call.place.account}:{service}/{code}",
        "QuotaCode": code,
        "QuotaName": name,
        "Value": float(values.get(f"{service}/{code}", value)),
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }


def answers(values: Callable[[], Mapping[str, float]]) -> Answers:
    """The operations.

    :param values: quotas that are set, by C(SERVICE/CODE).
    """

    def one(call: AwsCall) -> Record:
        key = (call.parameters["ServiceCode"], call.parameters["QuotaCode"])
        if key[0] not in ("ec2", "eks"):
            raise Pass
        if key not in QUOTAS:
            raise AwsError(
                "NoSuchResourceException", "The request failed because the specified service does not exist."
            )
        return {"Quota": _row(call, key, values())}

    def every(call: AwsCall) -> Record:
        service = call.parameters["ServiceCode"]
        if service not in ("ec2", "eks"):
            raise Pass
        return {"Quotas": [_row(call, key, values()) for key in QUOTAS if key[0] == service]}

    return {
        ("service-quotas", "GetServiceQuota"): one,
        ("service-quotas", "GetAWSDefaultServiceQuota"): one,
        ("service-quotas", "ListServiceQuotas"): every,
        ("service-quotas", "ListAWSDefaultServiceQuotas"): every,
    }


__all__ = ("QUOTAS", "answers")
