"""Taking away what Kubernetes made outside itself, on an API server in memory with a slow volume driver."""

from __future__ import annotations

import copy
import typing as t
from functools import partial

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.clock import SteppingClock
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import TimedOutError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context, Outcome
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s import teardown
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import Answer
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.discovery import ApiKind, Discovery
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.errors import KubeApiError

Object = dict[str, t.Any]
VERBS = frozenset({"list", "delete"})
SNAPSHOTS = "snapshot.storage.k8s.io"
KINDS = (
    ApiKind("", "v1", "Service", "services", namespaced=True, verbs=VERBS),
    ApiKind("", "v1", "Pod", "pods", namespaced=True, verbs=VERBS),
    ApiKind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", namespaced=True, verbs=VERBS),
    ApiKind("", "v1", "PersistentVolume", "persistentvolumes", namespaced=False, verbs=VERBS),
    ApiKind(SNAPSHOTS, "v1", "VolumeSnapshot", "volumesnapshots", namespaced=True, verbs=VERBS),
    ApiKind(SNAPSHOTS, "v1", "VolumeSnapshotContent", "volumesnapshotcontents", namespaced=False, verbs=VERBS),
)


class Cluster:
    """Objects by path. What has lost its claim or its snapshot goes with the clock, if its policy says so.

    :param takes: looks until the driver has deleted it in AWS.
    """

    silent_since: float | None = None

    def __init__(self, objects: dict[str, Object], *, takes: float = 5) -> None:
        self.objects = copy.deepcopy(objects)
        self.writes: list[str] = []
        self.reads: list[str] = []
        self._takes = takes

    def request(self, method: str, path: str, *, body: t.Any = None, **_request: t.Any) -> Answer:
        if method == "GET" and path.count("/") in (3, 4) and path not in self.objects:
            self._drive(path.rpartition("/")[2])
            plural = path.rpartition("/")[2]
            items = [one for key, one in self.objects.items() if f"/{plural}/" in key]
            return Answer(200, {"items": copy.deepcopy(items)}, {})
        if method == "GET":
            self.reads.append(path.rpartition("/")[2])
        if path not in self.objects:
            raise KubeApiError(f"{method} {path}: not found", status=404)
        if method != "GET":
            self.writes.append(f"{method} {path.rpartition('/')[2]}")
        if method == "PATCH":
            self.objects[path]["spec"].update(body["spec"])
        return Answer(200, self.objects.pop(path) if method == "DELETE" else self.objects[path], {})

    def _drive(self, plural: str) -> None:
        for path, item in list(self.objects.items()):
            policy = item["spec"].get("persistentVolumeReclaimPolicy") or item["spec"].get("deletionPolicy")
            if f"/{plural}/" in path and policy == "Delete" and item["of"] not in self.objects:
                item["looks"] = item.get("looks", 0) + 1
                if item["looks"] > self._takes:
                    del self.objects[path]

    def names(self) -> set[str]:
        return {path.rpartition("/")[2] for path in self.objects}


def volume(name: str, claim: str, policy: str, *, made: bool = True) -> dict[str, Object]:
    """A volume and its claim, if it still has one, by their paths."""
    place = f"/api/v1/namespaces/shop/persistentvolumeclaims/{claim}"
    annotations = {"pv.kubernetes.io/provisioned-by": "ebs.csi.aws.com"} if made else {}
    return {
        f"/api/v1/persistentvolumes/{name}": {
            "metadata": {"name": name, "annotations": annotations},
            "spec": {"persistentVolumeReclaimPolicy": policy},
            "of": place,
        },
        place: {"metadata": {"name": claim, "namespace": "shop"}, "spec": {"volumeName": name}},
    }


def snapshot(name: str) -> dict[str, Object]:
    """A snapshot that is to outlive its object, and its content."""
    place = f"/apis/{SNAPSHOTS}/v1/namespaces/shop/volumesnapshots/{name}"
    return {
        f"/apis/{SNAPSHOTS}/v1/volumesnapshotcontents/content-{name}": {
            "metadata": {"name": f"content-{name}"},
            "spec": {"deletionPolicy": "Retain", "source": {"volumeHandle": "vol-1"}},
            "of": place,
        },
        place: {"metadata": {"name": name, "namespace": "shop"}, "spec": {}},
    }


Run = t.Callable[..., Outcome]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    def play(cluster: Cluster, *, clock: SteppingClock, check: bool = False, **options: t.Any) -> Outcome:
        monkeypatch.setattr(teardown, "connect", lambda *_given: cluster)
        given = {name: option.get("default") for name, option in teardown.SPEC.options.items()} | options
        return teardown.run(given, Context(check_mode=check, clock=clock))

    monkeypatch.setattr(teardown, "discover", lambda *_given, **_more: Discovery(KINDS))
    return partial(play, clock=SteppingClock())


def test_volumes_of_claims_that_an_earlier_run_deleted_are_awaited(run: Run) -> None:
    orphan = dict([next(iter(volume("pv", "data", "Delete").items()))])
    cluster, clock = Cluster(orphan), SteppingClock()
    outcome = run(cluster, clock=clock)
    assert (cluster.names(), outcome.changed, cluster.writes) == (set(), False, [])
    assert clock.slept
    with pytest.raises(TimedOutError, match="PersistentVolume pv"):
        run(Cluster(orphan, takes=float("inf")), clock=SteppingClock())


def test_a_claim_goes_and_its_volume_is_awaited_and_the_kept_one_stays(run: Run) -> None:
    cluster = Cluster(volume("gone", "scratch", "Delete") | volume("kept", "data", "Retain"))
    outcome = run(cluster)
    assert cluster.names() == {"kept", "data"}
    assert outcome.facts["steps"] == ["delete PersistentVolumeClaim shop/scratch"]
    assert cluster.reads == ["scratch"], "what is gone was asked for again"


def test_with_the_data_kept_volumes_and_snapshots_go_and_foreign_ones_stay(run: Run) -> None:
    objects = volume("kept", "data", "Retain") | volume("bucket", "models", "Retain", made=False) | snapshot("daily")
    cluster = Cluster(objects)
    foreseen = run(cluster, check=True, delete_data=True)
    assert (cluster.objects, cluster.writes) == (objects, [])
    outcome = run(cluster, delete_data=True)
    assert cluster.names() == {"bucket", "models"}
    assert outcome.facts == foreseen.facts
    assert outcome.diff == foreseen.diff
    assert outcome.facts["steps"] == [
        "update PersistentVolume kept (persistentVolumeReclaimPolicy)",
        "update VolumeSnapshotContent content-daily (deletionPolicy)",
        "delete PersistentVolumeClaim shop/data",
        "delete VolumeSnapshot shop/daily",
    ]
    assert sorted(cluster.writes[:2]) == ["PATCH content-daily", "PATCH kept"]
    assert not run(cluster, delete_data=True).changed
