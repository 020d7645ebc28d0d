"""Runs the use cases of the Kubernetes engine against the session's cluster, and asks kubectl about it."""

from __future__ import annotations

import json
import subprocess
import threading
import typing as t
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context, Outcome, UseCase
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s import apply_use_case
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import KubeClient

Object = dict[str, t.Any]


def validated(use_case: UseCase, options: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The options as both doors validate them."""
    validation = ArgumentSpecValidator(dict(use_case.spec.options), **use_case.spec.constraints()).validate(options)
    assert not validation.error_messages, validation.error_messages
    return t.cast("dict[str, t.Any]", validation.validated_parameters)


class Sets:
    """Applies sets with one kubeconfig."""

    def __init__(self, kubeconfig: Path, kubectl: Path) -> None:
        self.kubeconfig = kubeconfig
        self._kubectl = kubectl

    def apply(
        self, name: str, objects: list[Object] | str, *, check: bool = False, diff: bool = True, **options: t.Any
    ) -> Outcome:
        given = {"name": name, "objects": objects, "wait": False, "wait_timeout": 20, **options}
        if "host" not in given:
            given["kubeconfig"] = str(self.kubeconfig)
        return apply_use_case.run(validated(apply_use_case.USE_CASE, given), Context(check_mode=check, diff_mode=diff))

    def refused(self, name: str, objects: list[Object] | str, **options: t.Any) -> PlatformError:
        """The error of an apply that must fail."""
        with pytest.raises(PlatformError) as caught:
            self.apply(name, objects, **options)
        return caught.value

    def kubectl(self, *arguments: str, text: str = "", check: bool = True) -> str:
        done = subprocess.run(
            [self._kubectl, "--kubeconfig", self.kubeconfig, *arguments],
            input=text,
            capture_output=True,
            check=False,
            text=True,
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    def get(self, kind: str, name: str, namespace: str = "") -> Object | None:
        where = ["-n", namespace] if namespace else []
        text = self.kubectl("get", kind, name, *where, "-o", "json", "--show-managed-fields", "--ignore-not-found")
        return t.cast("Object", json.loads(text)) if text else None


@contextmanager
def requests_counted() -> Iterator[list[tuple[str, str]]]:
    """The (method, path) of every request that is sent meanwhile."""
    seen: list[tuple[str, str]] = []
    lock, send = threading.Lock(), KubeClient.request

    def counted(self: KubeClient, method: str, path: str, **rest: t.Any) -> t.Any:
        with lock:
            seen.append((method, path))
        return send(self, method, path, **rest)

    KubeClient.request = counted  # type: ignore[method-assign]
    try:
        yield seen
    finally:
        KubeClient.request = send  # type: ignore[method-assign]


def actions(outcome: Outcome) -> dict[str, str]:
    """Kind/name -> action."""
    return {f"{entry['kind']}/{entry['name']}": entry["action"] for entry in outcome.facts["objects"]}


def config_map(name: str, namespace: str | None = None, **data: str) -> Object:
    metadata: Object = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def namespace_object(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def deployment(name: str, *, replicas: int = 2, image: str = "registry.example/web:1", **pod: t.Any) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "app", "image": image, "ports": [{"containerPort": 80}]}], **pod},
            },
        },
    }


CUSTOM_PROPERTIES = {
    "spec": {
        "type": "object",
        "properties": {
            "size": {"type": "integer", "default": 1},
            "mode": {"type": "string"},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            "port": {"x-kubernetes-int-or-string": True},
            "parts": {
                "type": "array",
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
                "items": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {"name": {"type": "string"}, "value": {"type": "string", "nullable": True}},
                },
            },
            "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        },
    },
    "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
}


def custom_kind(plural: str, kind: str, *, versions: tuple[str, ...] = ("v1",)) -> Object:
    """A CustomResourceDefinition of a kind with a size, free settings and a status."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.test.aiplatform"},
        "spec": {
            "group": "test.aiplatform",
            "names": {"kind": kind, "plural": plural},
            "scope": "Namespaced",
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": version == versions[0],
                    "schema": {"openAPIV3Schema": {"type": "object", "properties": CUSTOM_PROPERTIES}},
                    "subresources": {"status": {}},
                }
                for version in versions
            ],
        },
    }
