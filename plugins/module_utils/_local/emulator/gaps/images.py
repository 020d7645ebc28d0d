# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The public SSM parameters of EKS images (Amazon Linux 2023, Bottlerocket); moto reserves the names and has none.

An image id is made of the parameter's name: the same one always, another one for each release.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime

from .. import moto_library as lib
from ..aws_call import Answers, AwsCall, Pass, Record
from ..eks.versions import AMI_DATE, BOTTLEROCKET_RELEASE, VERSIONS

AL2023 = re.compile(
    r"/aws/service/eks/optimized-ami/(?P<version>1\.\d+)/amazon-linux-2023/(?P<arch>x86_64|arm64)"
    r"/(?P<variant>standard|nvidia|neuron)/(?P<release>recommended|amazon-eks-node-[\w.-]+)"
    r"(?:/(?P<what>image_id|image_name|release_version))?"
)
BOTTLEROCKET = re.compile(
    r"/aws/service/bottlerocket/aws-k8s-(?P<version>1\.\d+)(?P<variant>(?:-nvidia)?(?:-fips)?)/(?P<arch>x86_64|arm64)"
    r"/(?P<release>latest|[\d.]+(?:-\w+)?)/(?P<what>image_id|image_version)"
)
PREFIXES = ("/aws/service/eks/", "/aws/service/bottlerocket/")


def _image(name: str) -> str:
    return f"ami-{hashlib.sha256(name.encode()).hexdigest()[:17]}"


def value_of(name: str, region: str) -> str | None:
    """The value of a parameter; None when there is no such image."""
    if match := AL2023.fullmatch(name):
        version = VERSIONS.get(match["version"])
        if version is None or (match["variant"], match["arch"]) == ("neuron", "arm64"):
            return None
        release = f"{version.patch}-{AMI_DATE}"
        title = f"amazon-eks-node-al2023-{match['arch']}-{match['variant']}-{version.name}-v{AMI_DATE}"
        image = _image(f"{region}/{title}")
        told = {"image_id": image, "image_name": title, "release_version": release}
        return told[match["what"]] if match["what"] else json.dumps({"schema_version": "2.0", **told})
    if match := BOTTLEROCKET.fullmatch(name):
        if match["version"] not in VERSIONS:
            return None
        stem = name.rpartition("/")[0].replace("/latest", f"/{BOTTLEROCKET_RELEASE}")
        return _image(f"{region}/{stem}") if match["what"] == "image_id" else BOTTLEROCKET_RELEASE
    return None


def _parameter(name: str, value: str, region: str) -> Record:
    return {
        "Name": name,
        "Type": "String",
        "Value": value,
        "Version": 1,
        "LastModifiedDate": datetime.strptime(AMI_DATE, "%Y%m%d").replace(tzinfo=UTC),
        "ARN": f"arn:aws:ssm:{region}::parameter{name}",
        "DataType": "aws:ec2:image" if name.endswith("image_id") else "text",
    }


def _get(call: AwsCall) -> Record:
    name = str(call.parameters["Name"])
    value = value_of(name, call.place.region)
    if value is None:
        raise Pass
    return {"Parameter": _parameter(name, value, call.place.region)}


def _get_many(call: AwsCall) -> Record:
    names = [str(name) for name in call.parameters["Names"]]
    if not any(name.startswith(PREFIXES) for name in names):
        raise Pass
    rows, invalid = [], []
    store = lib.ssm_backends[call.place.account][call.place.region]
    for name in names:
        value = value_of(name, call.place.region)
        if value is None and not name.startswith(PREFIXES) and (found := store.get_parameters([name])):
            rows.append(found[name].response_object(call.parameters.get("WithDecryption", False), call.place.region))
        elif value is None:
            invalid.append(name)
        else:
            rows.append(_parameter(name, value, call.place.region))
    return {"Parameters": rows, "InvalidParameters": invalid}


def answers() -> Answers:
    """The operations."""
    table: dict[str, Callable[[AwsCall], Record]] = {"GetParameter": _get, "GetParameters": _get_many}
    return {("ssm", operation): answer for operation, answer in table.items()}


__all__ = ("answers", "value_of")
