# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take away what Kubernetes made outside itself, and wait until it is gone; then, if wanted, what is in the cluster.

A load balancer, a volume or a Karpenter node is deleted by its controller, after its object was deleted and before the
finalizer goes. Deleting the cluster first would leave all of them behind, with nobody to delete them.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from .._core.argument_spec import ArgumentSpec
from .._core.clock import Pace, wait_until
from .._core.concurrency import map_concurrently
from .._core.outcome import Context, Outcome, UseCase, converge
from .._core.plan import Plan, Step
from .._core.text import listed
from .apply_read import Reader
from .client import KubeClient
from .connection import CONNECTION_SPEC
from .discovery import ApiKind, Discovery, discover
from .errors import KubeApiError
from .objects import Object, Ref, annotations_of, ref_of
from .retry import send
from .to_come import connect

SPEC = ArgumentSpec(
    options={
        "scope": {"type": "str", "choices": ["cloud", "everything"], "default": "cloud"},
        "delete_data": {"type": "bool", "default": False},
        "wait_timeout": {"type": "int", "default": 900},
    }
).merge(CONNECTION_SPEC)
WORKERS = 16
PACE = Pace(first=0.2, factor=1.2, longest=2.0)
MEMBER = "applyset.kubernetes.io/part-of"
PARENT = "applyset.kubernetes.io/id"
PROVISIONED = "pv.kubernetes.io/provisioned-by"
VOLUME, CLAIM = "PersistentVolume", "PersistentVolumeClaim"
SNAPSHOT, CONTENT = "VolumeSnapshot.snapshot.storage.k8s.io", "VolumeSnapshotContent.snapshot.storage.k8s.io"
# What stands for something in AWS, and where it says whether that goes with it.
POLICIES = {VOLUME: "persistentVolumeReclaimPolicy", CONTENT.partition(".")[0]: "deletionPolicy"}
MERGE = "application/merge-patch+json"
KEPT_NAMESPACES = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})
# Objects whose controller makes something in AWS, whatever they say.
OUTSIDE = ("Ingress.networking.k8s.io", "Gateway.gateway.networking.k8s.io")
# Karpenter's nodes are instances; they go last, because pods still leave volumes behind.
NODES = ("NodePool.karpenter.sh", "NodeClaim.karpenter.sh")
# What would refuse or delay every other deletion once its pods are gone.
IN_THE_WAY = (
    "ValidatingWebhookConfiguration.admissionregistration.k8s.io",
    "MutatingWebhookConfiguration.admissionregistration.k8s.io",
)
EVENTS = frozenset({"Event", "Event.events.k8s.io"})
Target = tuple[Ref, str]
Targets = list[Target]


class Sight:
    """What there is in a cluster, as far as a teardown cares.

    :param reader: of lists and objects.
    :param delete_data: volumes and snapshots that were to outlive their claims go too.
    """

    def __init__(self, client: KubeClient, reader: Reader, discovery: Discovery, *, delete_data: bool = False) -> None:
        self.client = client
        self.reader = reader
        self.discovery = discovery
        self._delete_data = delete_data

    def all_of(self, *group_kinds: str, selector: str = "") -> list[Object]:
        """Every object of these kinds, as far as the cluster serves them."""
        kinds = [kind for name in group_kinds if (kind := self.discovery.preferred(name))]
        return [item for kind in kinds for item in self.reader.collect(kind, selector=selector)]

    def target(self, item: Object) -> Target:
        """An object with its path."""
        ref = ref_of(item)
        kind = self.discovery.require(str(item["apiVersion"]), ref.kind)
        return ref, kind.path(namespace=ref.namespace, name=ref.name)

    def waves(self, scope: str) -> list[Targets]:
        """What is to be deleted, wave after wave."""
        waves = [self._outside(), self._targets(self.all_of(*NODES))]
        return [*waves, *self._inside()] if scope == "everything" else waves

    def going(self) -> list[Object]:
        """The volumes, and with the data the snapshots, that were made for a claim and are to go with it."""
        if self._delete_data:
            return [one for one in self.all_of(VOLUME, CONTENT) if is_made(one)]
        return [one for one in self.all_of(VOLUME) if is_made(one) and not is_kept(one)]

    def _targets(self, items: Iterable[Object]) -> Targets:
        return sorted({self.target(item) for item in items}, key=str)

    def _outside(self) -> Targets:
        """Load balancers, routes from outside, volumes that were made for a claim, and whoever holds one of those."""
        services = [one for one in self.all_of("Service") if one["spec"].get("type") == "LoadBalancer"]
        volumes = {str(one["metadata"]["name"]) for one in self.going() if one["kind"] == VOLUME}
        claims = [one for one in self.all_of(CLAIM) if one["spec"].get("volumeName") in volumes]
        snapshots = self.all_of(SNAPSHOT) if self._delete_data else []
        names = {(one["metadata"]["namespace"], one["metadata"]["name"]) for one in claims}
        pods = [pod for pod in self.all_of("Pod") if names & set(claims_of(pod))] if names else []
        holders = map_concurrently(self._holder, pods, workers=WORKERS)
        return self._targets([*self.all_of(*OUTSIDE), *services, *snapshots, *claims, *holders])

    def _holder(self, item: Object) -> Object:
        """The object at the top of what controls this one, as a Deployment of a pod."""
        owner = next((one for one in item["metadata"].get("ownerReferences") or () if one.get("controller")), None)
        kind = self.discovery.find(owner["apiVersion"], owner["kind"]) if owner else None
        if owner is None or kind is None:
            return item
        found = self.reader.get(kind.path(namespace=item["metadata"].get("namespace", ""), name=owner["name"]))
        return self._holder({"apiVersion": kind.api_version, "kind": kind.kind, **found}) if found else item

    def _inside(self) -> Iterator[Targets]:
        """Everything that is not Kubernetes' own: webhooks, what apply sets hold, namespaces, definitions."""
        yield self._targets(self.all_of(*IN_THE_WAY))
        kinds = [kind for kind in self.discovery if {"list", "delete"} <= kind.verbs and kind.group_kind not in EVENTS]
        late = ("Namespace", "CustomResourceDefinition.apiextensions.k8s.io")
        early = [kind for kind in kinds if kind.group_kind not in late]
        found = map_concurrently(self._of_sets, early, workers=WORKERS)
        yield self._targets(item for items in found for item in items)
        yield self._targets(one for one in self.all_of("Namespace") if one["metadata"]["name"] not in KEPT_NAMESPACES)
        yield self._targets(self.all_of(late[1]))

    def _of_sets(self, kind: ApiKind) -> list[Object]:
        if self.discovery.preferred(kind.group_kind) is not kind:
            return []
        return [item for label in (MEMBER, PARENT) for item in self.reader.collect(kind, selector=label)]


def is_made(item: Object) -> bool:
    """Whether a volume was made for a claim, or a snapshot of one: not something that was there before."""
    if item["kind"] == VOLUME:
        return PROVISIONED in annotations_of(item)
    return "volumeHandle" in (item["spec"].get("source") or {})


def is_kept(item: Object) -> bool:
    """Whether what it stands for stays when it goes."""
    return bool(item["spec"].get(POLICIES[item["kind"]]) != "Delete")


def claims_of(pod: Object) -> Iterator[tuple[str, str]]:
    """The claims that a pod mounts, as (namespace, name)."""
    for volume in pod["spec"].get("volumes") or ():
        if claim := volume.get("persistentVolumeClaim"):
            yield pod["metadata"]["namespace"], claim["claimName"]


class Remover:
    """Deletes and waits.

    :param timeout: seconds for one wave.
    """

    def __init__(self, sight: Sight, context: Context, *, timeout: float) -> None:
        self._sight = sight
        self._clock = context.clock
        self._timeout = timeout

    def release(self, kept: Sequence[Object]) -> None:
        """Say of volumes and snapshots that were to stay that they go."""
        map_concurrently(self._release, kept, workers=WORKERS)

    def remove(self, wave: Sequence[Target], *, volumes: bool) -> None:
        """Delete them and wait until they are gone, and the volumes that go with claims, now or since an earlier run.

        :raises TimedOutError: naming what stays, and whose finalizers hold it.
        """
        map_concurrently(self._delete, wave, workers=WORKERS)
        staying = [path for _ref, path in wave]
        wait_until(
            partial(self._look, staying, volumes=volumes),
            clock=self._clock,
            timeout=self._timeout,
            pace=PACE,
            describe=_staying,
        )

    def _release(self, item: Object) -> None:
        body = {"spec": {POLICIES[item["kind"]]: "Delete"}}
        self._send("PATCH", self._sight.target(item), body=body, content_type=MERGE)

    def _delete(self, target: Target) -> None:
        self._send("DELETE", target, body={"propagationPolicy": "Background"})

    def _send(self, method: str, target: Target, **request: t.Any) -> None:
        try:
            send(self._sight.client, method, target[1], clock=self._clock, **request)
        except KubeApiError as error:
            if error.status != 404:
                raise

    def _look(self, staying: list[str], *, volumes: bool) -> tuple[bool, list[Object]]:
        """What is still there; paths of what is gone are taken out and not asked for again."""
        answers = map_concurrently(self._sight.reader.get, staying, workers=WORKERS)
        staying[:] = [path for path, answer in zip(staying, answers, strict=True) if answer is not None]
        found = [answer for answer in answers if answer is not None]
        if volumes and not found:
            found = self._sight.going()
        return not found, found


def _staying(items: list[Object], elapsed: float) -> str:
    shown = [_shown(item) for item in items[:5]] + ([f"{len(items) - 5} more"] if len(items) > 5 else [])
    return (
        f"after {elapsed:.0f} s there are still {listed(shown)}; look at the controller that owns the finalizer, or "
        "raise wait_timeout"
    )


def _shown(item: Mapping[str, t.Any]) -> str:
    metadata: Mapping[str, t.Any] = item["metadata"]
    name = "/".join(str(metadata[key]) for key in ("namespace", "name") if metadata.get(key))
    held = metadata.get("finalizers")
    return f"{item.get('kind', 'object')} {name}{f' (held by {listed(held)})' if held else ''}"


def run(options: Mapping[str, t.Any], context: Context) -> Outcome:
    """Delete it wave by wave, each awaited; the volumes of claims also when an earlier run deleted the claims.

    :raises TimedOutError: something stays.
    """
    client = connect(options, context)
    reader = Reader(client, clock=context.clock, workers=WORKERS)
    sight = Sight(client, reader, discover(client, clock=context.clock), delete_data=bool(options["delete_data"]))
    going, waves = sight.going(), sight.waves(str(options["scope"]))
    kept = [one for one in going if is_kept(one)]
    steps = [_release_step(sight, one) for one in kept]
    steps += [Step("delete", str(ref), {"name": ref.name}) for wave in waves for ref, _path in wave]
    remover = Remover(sight, context, timeout=float(options["wait_timeout"]))

    def apply(_plan: Plan) -> Mapping[str, t.Any]:
        remover.release(kept)
        for number, wave in enumerate(waves):
            remover.remove(wave, volumes=number == 0)
        return facts

    facts = {"deleted": [str(ref) for wave in waves for ref, _path in wave]}
    plan = Plan(tuple(steps), awaits=bool(going))
    return converge(plan, context, apply=apply, predict=lambda _plan: facts)


def _release_step(sight: Sight, item: Object) -> Step:
    policy = POLICIES[item["kind"]]
    before = {policy: item["spec"].get(policy)}
    return Step("update", str(sight.target(item)[0]), before, {policy: "Delete"})


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("USE_CASE", "claims_of", "is_kept", "is_made")
