# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stand-in charts: the objects that a chart would make, generated from data, for rehearsals without the chart. Pure."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterable, Mapping, Sequence

from .._core.errors import PlatformError
from .._core.text import listed, unknown_name
from .stand_in_objects import (
    STAND_IN,
    Object,
    Workload,
    definition,
    named_data,
    service,
    service_account,
    workload_objects,
)
from .stand_in_template import templated

DESCRIPTION = "Stand-in for the chart of this name: its objects without its software, for rehearsals."
NAMES: dict[str, t.Any] = {"type": "list", "elements": "str"}
MAPPINGS: dict[str, t.Any] = {"type": "list", "elements": "dict"}
NAME: dict[str, t.Any] = {"type": "str", "required": True}
DATA = {**MAPPINGS, "options": {"name": NAME, "data": {"type": "dict"}}}
CONTAINER = {
    "name": NAME,
    "image": {"type": "str", "required": True},
    "ports": {"type": "dict"},
    "requests": {"type": "dict"},
}
WORKLOAD = {
    "kind": {"type": "str", "choices": ["Deployment", "StatefulSet", "DaemonSet"], "default": "Deployment"},
    "name": NAME,
    "replicas": {"type": "raw", "default": 1},
    "service_account": {"type": "str"},
    "pod_security": {"type": "str", "choices": ["restricted", "baseline", "privileged"], "default": "restricted"},
    "labels": {"type": "dict"},
    "annotations": {"type": "dict"},
    "containers": {**MAPPINGS, "required": True, "options": CONTAINER},
    "volume_claims": {
        **MAPPINGS,
        "options": {"name": NAME, "size": {"type": "str", "default": "1Gi"}, "storage_class": {"type": "str"}},
    },
    "pod": {"type": "dict"},
}
SERVICE = {
    "name": NAME,
    "workload": NAME,
    "ports": {"type": "dict", "required": True},
    "headless": {"type": "bool", "default": False},
}
DEFINITION = {
    "group": NAME,
    "kind": NAME,
    "plural": NAME,
    "scope": {"type": "str", "choices": ["Namespaced", "Cluster"], "default": "Namespaced"},
    "versions": {**NAMES, "required": True},
}
OPTIONS: dict[str, t.Any] = {
    "workloads": {**MAPPINGS, "options": WORKLOAD},
    "services": {**MAPPINGS, "options": SERVICE},
    "service_accounts": NAMES,
    "config_maps": DATA,
    "secrets": {**DATA, "no_log": False},  # of a rehearsal; the diff masks them all the same
    "crds": {**MAPPINGS, "options": DEFINITION},
    "objects": MAPPINGS,
    "values": {"type": "dict"},
}


def chart_files(name: str, version: str, data: Mapping[str, t.Any]) -> dict[str, str]:
    """The files of the chart by their paths in it; the same data gives the same text.

    :param data: as C(OPTIONS) says; strings hold Helm expressions where they like.
    :raises PlatformError: an object twice, a service of an unknown workload, a port or an expression that is none.
    """
    where = f"the stand-in of chart {name}"
    objects = _objects(data, where)
    crds = [definition(entry) for entry in data.get("crds") or ()]
    _refuse_twins([*objects, *crds], where)
    metadata: Object = {"apiVersion": "v2", "name": name, "version": version, "appVersion": version}
    metadata |= {"description": DESCRIPTION, "annotations": {STAND_IN: "true"}}
    files = {
        "Chart.yaml": json.dumps(metadata, indent=1),
        "values.yaml": json.dumps(data.get("values") or {}, indent=1, sort_keys=True),
        "templates/objects.yaml": "\n---\n".join(templated(item, where=f"{where}: {_title(item)}") for item in objects),
    }
    return files | {f"crds/{crd['metadata']['name']}.yaml": json.dumps(crd, indent=1, sort_keys=True) for crd in crds}


def _objects(data: Mapping[str, t.Any], where: str) -> list[Object]:
    entries: Sequence[Mapping[str, t.Any]] = data.get("services") or ()
    workloads = {one["name"]: Workload.of(one, entries, where=where) for one in data.get("workloads") or ()}
    if len(workloads) < len(data.get("workloads") or ()):
        raise PlatformError(f"{where}: two workloads have one name")
    objects = [service_account(name) for name in data.get("service_accounts") or ()]
    objects += [named_data("ConfigMap", "data", entry) for entry in data.get("config_maps") or ()]
    objects += [named_data("Secret", "stringData", entry) for entry in data.get("secrets") or ()]
    for entry in entries:
        if entry["workload"] not in workloads:
            problem = unknown_name("workload", entry["workload"], workloads)
            raise PlatformError(f"{where}: service {entry['name']}: {problem}")
        objects.append(service(entry, workloads[entry["workload"]], where=where))
    objects += [item for workload in workloads.values() for item in workload_objects(workload)]
    return objects + [_raw(item, where) for item in data.get("objects") or ()]


def _raw(item: Mapping[str, t.Any], where: str) -> Object:
    metadata = item.get("metadata")
    named = isinstance(metadata, Mapping) and metadata.get("name")
    missing = [key for key in ("apiVersion", "kind") if not item.get(key)] + ([] if named else ["metadata.name"])
    if missing:
        raise PlatformError(f"{where}: an entry of objects lacks {listed(missing)}; it is one whole Kubernetes object")
    return dict(item)


def _refuse_twins(objects: Iterable[Object], where: str) -> None:
    seen: set[tuple[str, str]] = set()
    for item in objects:
        key = _title(item), str(item["metadata"].get("namespace"))
        if key in seen:
            raise PlatformError(f"{where}: {key[0]} stands twice; a chart makes each object once")
        seen.add(key)


def _title(item: Object) -> str:
    return f"{item['kind']} {item['metadata']['name']}"


__all__ = ("OPTIONS", "chart_files")
