# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A namespace that one role makes and others must know of has one name everywhere, also when it is renamed."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

ROLES = Path(__file__).resolve().parents[3] / "roles"
NAMES = {
    "gpu_operator": "gpu_operator_namespace",
    "linkerd": "linkerd_namespace",
    "linkerd_cni": "linkerd_cni_namespace",
    "linkerd_viz": "linkerd_viz_namespace",
    "monitoring": "monitoring_namespace",
    "monitoring_nodes": "monitoring_node_namespace",
}
PRIVILEGED = ("gpu_operator", "linkerd_cni", "monitoring_nodes")


@pytest.mark.parametrize("said", [None, {key: f"our-{number}" for number, key in enumerate(NAMES)}])
def test_every_role_means_the_same_namespaces(said: dict[str, str] | None) -> None:
    loader = DataLoader()
    values: dict[str, t.Any] = {"aiplatform_components": []}
    for role in ("gpu_operator", "linkerd", "monitoring", "governance"):
        values |= loader.load_from_file(str(ROLES / role / "defaults/main.yml"), trusted_as_template=True)
    values |= {"aiplatform_namespaces": said} if said else {}
    templar = Templar(loader=loader, variables=values)
    of_roles = {key: templar.template(values[name]) for key, name in NAMES.items()}
    assert len(set(of_roles.values())) == len(NAMES)
    assert not said or of_roles == said
    exceptions = templar.template(values["governance_pod_security_exceptions"])
    own = {"kube-system", "kube-public", "kube-node-lease", "default"}
    assert {one["namespace"] for one in exceptions} - own == {of_roles[key] for key in PRIVILEGED}
    mesh = [of_roles["linkerd"], of_roles["linkerd_viz"]]
    for name in ("governance_mesh_namespaces", "monitoring_mesh_namespaces"):
        assert templar.template(values[name]) == mesh
    assert templar.template(values["governance_monitoring_namespace"]) == of_roles["monitoring"]
    assert templar.template(values["monitoring_gpu_namespace"]) == of_roles["gpu_operator"]
    assert [one["namespace"] for one in templar.template(values["linkerd_scrapers"])] == [of_roles["monitoring"]]
