"""The objects of the Kubernetes benchmarks: the mix of facts/kubernetes-apply.md, scaled."""

from __future__ import annotations

import base64
import json
import typing as t

MIX = (
    ("ServiceAccount", 20),
    ("ConfigMap", 50),
    ("Secret", 16),
    ("Role", 15),
    ("RoleBinding", 15),
    ("Service", 30),
    ("Deployment", 40),
    ("PodDisruptionBudget", 5),
    ("NetworkPolicy", 5),
)
NAMESPACES = 4
Object = dict[str, t.Any]


def objects(count: int = 200, *, prefix: str = "bench", edit: str = "", every: int = 0) -> list[Object]:
    """``count`` small objects in four namespaces; ``every`` n-th one differs by ``edit``."""
    made: list[Object] = [_object("v1", "Namespace", f"{prefix}-{i}", None, {}) for i in range(NAMESPACES)]
    each = (count - NAMESPACES) / sum(number for _kind, number in MIX)
    index = 0
    for kind, number in MIX:
        for i in range(round(number * each)):
            index += 1
            changed = edit if every and index % every == 0 else ""
            made.append(BUILDERS[kind](f"{kind.lower()}-{i}", f"{prefix}-{i % NAMESPACES}", changed))
    return made[:count]


def manifest(documents: list[Object]) -> str:
    """The objects as YAML documents (JSON is YAML)."""
    return "".join(f"---\n{json.dumps(document, indent=1)}\n" for document in documents)


def _object(api_version: str, kind: str, name: str, namespace: str | None, rest: Object) -> Object:
    metadata: Object = {"name": name, "labels": {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "bench"}}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **rest}


def _config_map(name: str, namespace: str, edit: str) -> Object:
    data = {f"key-{i}": f"value {i} of {name}" for i in range(10)}
    return _object("v1", "ConfigMap", name, namespace, {"data": {**data, **({"edit": edit} if edit else {})}})


def _secret(name: str, namespace: str, edit: str) -> Object:
    value = base64.b64encode(f"secret of {name}{edit}".encode()).decode()
    return _object("v1", "Secret", name, namespace, {"type": "Opaque", "data": {"password": value}})


def _account(name: str, namespace: str, edit: str) -> Object:
    made = _object("v1", "ServiceAccount", name, namespace, {})
    return _annotated(made, edit)


def _annotated(made: Object, edit: str) -> Object:
    if edit:
        made["metadata"]["annotations"] = {"bench/edit": edit}
    return made


def _role(name: str, namespace: str, edit: str) -> Object:
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}]
    return _annotated(_object("rbac.authorization.k8s.io/v1", "Role", name, namespace, {"rules": rules}), edit)


def _binding(name: str, namespace: str, edit: str) -> Object:
    rest = {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name.replace("binding", "")},
        "subjects": [{"kind": "ServiceAccount", "name": "serviceaccount-0", "namespace": namespace}],
    }
    return _annotated(_object("rbac.authorization.k8s.io/v1", "RoleBinding", name, namespace, rest), edit)


def _service(name: str, namespace: str, edit: str) -> Object:
    spec = {"selector": {"app": name}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}
    return _annotated(_object("v1", "Service", name, namespace, {"spec": spec}), edit)


def _deployment(name: str, namespace: str, edit: str, *, replicas: int = 0) -> Object:
    container = {
        "name": "app",
        "image": "registry.example/app:1.0",
        "ports": [{"containerPort": 8080}],
        "env": [{"name": f"KEY_{i}", "value": str(i)} for i in range(5)],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/app"}],
    }
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": name}},
        "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [container], "volumes": [{"name": "config", "configMap": {"name": "configmap-0"}}]},
        },
    }
    return _annotated(_object("apps/v1", "Deployment", name, namespace, {"spec": spec}), edit)


def _budget(name: str, namespace: str, edit: str) -> Object:
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": {"app": name}}}
    return _annotated(_object("policy/v1", "PodDisruptionBudget", name, namespace, {"spec": spec}), edit)


def _policy(name: str, namespace: str, edit: str) -> Object:
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [{"podSelector": {}}]}]}
    return _annotated(_object("networking.k8s.io/v1", "NetworkPolicy", name, namespace, {"spec": spec}), edit)


def deployments(count: int, *, namespace: str) -> list[Object]:
    """``count`` Deployments of two pods each, for the waiting row."""
    made = [_object("v1", "Namespace", namespace, None, {})]
    for i in range(count):
        one = _deployment(f"web-{i}", namespace, "", replicas=2)
        spec = one["spec"]["template"]["spec"]
        del spec["volumes"]
        del spec["containers"][0]["volumeMounts"]
        made.append(one)
    return made


BUILDERS: dict[str, t.Callable[[str, str, str], Object]] = {
    "ServiceAccount": _account,
    "ConfigMap": _config_map,
    "Secret": _secret,
    "Role": _role,
    "RoleBinding": _binding,
    "Service": _service,
    "Deployment": _deployment,
    "PodDisruptionBudget": _budget,
    "NetworkPolicy": _policy,
}
