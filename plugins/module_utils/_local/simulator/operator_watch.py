# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The GPU operator: watches ClusterPolicy and the ConfigMaps of its namespace, keeps DaemonSets and the status."""

from __future__ import annotations

import threading
import typing as t
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from ..._k8s.client import MERGE_PATCH, KubeClient
from ..._k8s.errors import KubeApiError
from .kube import Kube
from .operator_policy import MIG_MANAGER, PLUGIN, Object, Settings, daemon_sets, policy_status, settings_of
from .watching import Feed, Watcher

POLICIES = "/apis/nvidia.com/v1/clusterpolicies"
HELM_NAMESPACE = "meta.helm.sh/release-namespace"
USUAL_NAMESPACE = "gpu-operator"


class Operator:
    """The operator's side of the simulation.

    :param changed: called when the settings may have changed.
    """

    def __init__(
        self, *, client: KubeClient, kube: Kube, changed: Callable[[], None], complain: Callable[[str], None]
    ) -> None:
        self._client, self._kube, self._changed, self._complain = client, kube, changed, complain
        self._lock = threading.Lock()
        self._policies: dict[str, Object] = {}
        self._config_maps: dict[str, Object] = {}
        self._maps_watcher: Watcher | None = None
        self._namespace = ""
        self._reconciled: t.Any = None
        self._watcher = Watcher(
            client,
            Feed(POLICIES, replace=self._all_policies, put=self._put_policy, drop=self._drop_policy),
            complain=complain,
        )

    def start(self) -> None:
        """Begin to watch."""
        self._watcher.start()

    def stop(self) -> None:
        """End the watches."""
        self._watcher.stop()
        self._forget()

    def settings(self) -> Settings | None:
        """The settings in force; None without a ClusterPolicy or before its ConfigMaps are known."""
        with self._lock:
            policy = self._policy()
        if policy is None:
            return None
        self._follow(self._namespace_of(policy))
        if self._maps_watcher is None or not self._maps_watcher.listed.is_set():
            return None
        with self._lock:
            maps = dict(self._config_maps)
        return settings_of(policy, namespace=self._namespace, config_maps=maps)

    def reconcile(self, settings: Settings | None, crashed: Mapping[str, str]) -> None:
        """Make the DaemonSets, and say in the policy's status how things stand; nothing is written twice."""
        with self._lock:
            policy = self._policy()
        if policy is None or settings is None:
            return
        if self._reconciled != policy.get("spec"):
            self._make_daemon_sets(policy, settings.namespace)
            self._reconciled = policy.get("spec")
        self._say(policy, settings, crashed)

    def _policy(self) -> Object | None:
        """The oldest policy: the operator ignores the others."""
        return min(self._policies.values(), key=_age, default=None)

    def _make_daemon_sets(self, policy: Object, namespace: str) -> None:
        made = set()
        folder = f"/apis/apps/v1/namespaces/{namespace}/daemonsets"
        for document in daemon_sets(policy, namespace=namespace):
            name = document["metadata"]["name"]
            made.add(name)
            if self._kube.apply(f"{folder}/{name}", document) is None:
                self._complain(f"namespace {namespace} of the GPU operator does not exist: no DaemonSet was made")
        for name in {PLUGIN, MIG_MANAGER} - made:
            self._quietly("DELETE", f"{folder}/{name}")

    def _say(self, policy: Object, settings: Settings, crashed: Mapping[str, str]) -> None:
        moment = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        wanted, found = policy_status(settings, crashed=crashed, now=moment), policy.get("status") or {}
        if _essence(wanted) != _essence(found):
            path = f"{POLICIES}/{policy['metadata']['name']}/status"
            after = self._quietly("PATCH", path, {"status": wanted})
            if after:
                with self._lock:
                    self._policies[after["metadata"]["name"]] = after

    def _quietly(self, method: str, path: str, body: t.Any = None) -> Object | None:
        try:
            return self._client.request(method, path, body=body, content_type=MERGE_PATCH).body
        except KubeApiError as error:
            if error.status != 404:
                self._complain(error.message)
            return None

    def _namespace_of(self, policy: Object) -> str:
        if self._namespace:
            return self._namespace
        annotated = (policy["metadata"].get("annotations") or {}).get(HELM_NAMESPACE)
        if annotated:
            return str(annotated)
        try:
            query = {"labelSelector": "app=gpu-operator"}
            found = self._client.request("GET", "/apis/apps/v1/deployments", query=query).body["items"]
        except KubeApiError:
            found = []
        return str(found[0]["metadata"]["namespace"]) if found else USUAL_NAMESPACE

    def _follow(self, namespace: str) -> None:
        if namespace == self._namespace:
            return
        self._namespace = namespace
        path = f"/api/v1/namespaces/{namespace}/configmaps"
        feed = Feed(path, replace=self._all_maps, put=self._put_map, drop=self._drop_map)
        self._maps_watcher = Watcher(self._client, feed, complain=self._complain)
        self._maps_watcher.start()
        self._maps_watcher.listed.wait(5)

    def _all_policies(self, policies: list[Object]) -> None:
        with self._lock:
            same = not policies and not self._policies
            self._policies = {policy["metadata"]["name"]: policy for policy in policies}
            gone = not policies
        if gone and not same:
            self._forget()
        if not same:
            self._changed()

    def _put_policy(self, policy: Object) -> None:
        with self._lock:
            known = self._policies.get(policy["metadata"]["name"])
            self._policies[policy["metadata"]["name"]] = policy
        if known is None or known.get("spec") != policy.get("spec"):
            self._changed()

    def _drop_policy(self, policy: Object) -> None:
        with self._lock:
            self._policies.pop(policy["metadata"]["name"], None)
        self._forget()
        self._changed()

    def _forget(self) -> None:
        if self._maps_watcher is not None:
            self._maps_watcher.stop()
        self._maps_watcher, self._namespace, self._reconciled = None, "", None

    def _all_maps(self, maps: list[Object]) -> None:
        with self._lock:
            self._config_maps = {one["metadata"]["name"]: one for one in maps}
        self._changed()

    def _put_map(self, one: Object) -> None:
        with self._lock:
            self._config_maps[one["metadata"]["name"]] = one
        self._changed()

    def _drop_map(self, one: Object) -> None:
        with self._lock:
            self._config_maps.pop(one["metadata"]["name"], None)
        self._changed()


def _age(policy: Object) -> tuple[str, str]:
    return policy["metadata"]["creationTimestamp"], policy["metadata"]["name"]


def _essence(status: Mapping[str, t.Any]) -> t.Any:
    conditions = status.get("conditions") or []
    return status.get("state"), sorted((one["type"], one["status"], one["message"]) for one in conditions)


__all__ = ("Operator",)
