"""Drift of live objects from what helm deployed."""

from __future__ import annotations

import json
import typing as t

from helm_bench import CANARY, DEPLOYMENT, SECRET, Bench, write_chart

ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: {{ .Release.Namespace }}}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
"""


def drift(bench: Bench, wish: dict[str, t.Any]) -> dict[str, tuple[str, list[str]]]:
    outcome = bench.run(wish, drift=True)
    assert not outcome.changed
    (release,) = outcome.facts["releases"]
    assert bool(outcome.warnings) is bool(release["drift"])
    assert CANARY not in str(outcome)
    return {entry["object"]: (entry["state"], entry["fields"]) for entry in release["drift"]}


def test_only_what_differs_from_the_manifest_is_drift(bench: Bench) -> None:
    limited = DEPLOYMENT.replace('image: "web', 'resources: {limits: {cpu: 1000m, memory: "1024Mi"}}, image: "web')
    chart = write_chart(bench.scratch / "web", deployment=limited, secret=SECRET, role=ROLE)
    wish = {"name": "web", "chart": {"ref": str(chart)}, "values": [{"password": CANARY}]}
    bench.run(wish)
    bench.kubectl("annotate", "deployment", "web", "seen=by-someone")
    assert drift(bench, wish) == {}

    place = f"{bench.namespace}/web"
    bench.kubectl("scale", "deployment", "web", "--replicas=3")
    secret = json.dumps({"stringData": {"password": f"{CANARY}-else"}})
    bench.kubectl("patch", "secret", "web", "--type=merge", "-p", secret)
    assert drift(bench, wish) == {
        f"Deployment {place}": ("changed", ["spec.replicas"]),
        f"Secret {place}": ("changed", ["data.password"]),
    }

    bench.kubectl("delete", "deployment", "web")
    bench.kubectl("delete", "clusterrole", bench.namespace)
    assert drift(bench, wish) == {
        f"Deployment {place}": ("missing", []),
        f"ClusterRole {bench.namespace}/{bench.namespace}": ("missing", []),
        f"Secret {place}": ("changed", ["data.password"]),
    }
    assert bench.kubectl("get", "deployments", "-o", "name") == "", "drift is reported, not repaired"
