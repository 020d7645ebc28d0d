"""EKS against community.aws: time over an empty play and API calls, on the emulated AWS of the tests."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.eks_plays import Played, Stage, cluster_task, emulated_stage, peer_pools, pools
from benchmarks.harness import Row

CREATION = 3.0  # seconds that the emulator takes to create a node group
VERSION = "1.32"  # the last one that takes the images that the peer knows (AL2)
PEER = "community.aws.eks_nodegroup in a loop"
CLUSTER_PEER = "community.aws.eks_cluster"


def rows() -> Iterator[Row]:
    """All rows; one emulator for all of them."""
    with emulated_stage() as stage:
        yield from _rows(stage)


def _rows(stage: Stage) -> Iterator[Row]:
    empty = stage.median({"ansible.builtin.meta": "noop"})
    subnets = stage.emulator.subnets()
    for name in ("five", "twenty", "peer", "peer-twenty", "plain"):
        stage.emulator.cluster(name, version=VERSION)
    yield from _created(stage, empty, subnets)
    yield from _unchanged(stage, empty, subnets)
    yield from _changed(stage, empty, subnets)
    yield from _cluster(stage, empty, subnets)


def _created(stage: Stage, empty: Played, subnets: list[str]) -> Iterator[Row]:
    stage.emulator.control(delays={"nodegroup.create": CREATION})
    five = stage.play(pools("five", 5, subnets))
    twenty = stage.play(pools("twenty", 20, subnets))
    peer = stage.play(peer_pools("peer", 5, subnets, wait=True))
    stage.emulator.control(delays={})
    stage.play(peer_pools("peer-twenty", 20, subnets, wait=False))
    work = f"pools created, each in {CREATION:g} s: time over an empty play and the slowest pool"
    yield _row(f"5 {work}", _over(five, empty) - CREATION, "s", PEER, _over(peer, empty) - CREATION, 2.0)
    slow = "none: its loop takes 20 s a pool, four times the row above"
    yield _row(f"20 {work}", _over(twenty, empty) - CREATION, "s", slow, None, None)


def _unchanged(stage: Stage, empty: Played, subnets: list[str]) -> Iterator[Row]:
    for count, cluster, theirs, seconds in ((5, "five", "peer", 0.3), (20, "twenty", "peer-twenty", 0.5)):
        peer = stage.median(peer_pools(theirs, count, subnets, wait=True), repeat=1 if count == 20 else 3)
        ours = stage.median(pools(cluster, count, subnets))
        work, told = f"{count} pools unchanged", _over(peer, empty)
        yield _row(f"{work}: time over an empty play", _over(ours, empty), "s", PEER, told, seconds)
        yield _row(f"{work}: API calls", float(ours.calls), "calls", PEER, float(peer.calls), float(count))


def _changed(stage: Stage, empty: Played, subnets: list[str]) -> Iterator[Row]:
    for count, cluster in ((5, "five"), (20, "twenty")):
        ours = stage.play(pools(cluster, count, subnets, labels={"bench": "1"}))
        wrong = "none: it sends nothing for a changed label value and cannot change the taint"
        work = f"{count} pools, one changed"
        yield _row(f"{work}: time over an empty play", _over(ours, empty), "s", wrong, None, None)
        yield _row(f"{work}: API calls", float(ours.calls), "calls", wrong, None, None)


def _cluster(stage: Stage, empty: Played, subnets: list[str]) -> Iterator[Row]:
    groups = stage.emulator.client("eks").describe_cluster(name="plain")["cluster"]["resourcesVpcConfig"]
    theirs = cluster_task(
        CLUSTER_PEER, "plain", subnets, security_groups=groups.get("securityGroupIds") or [], version=_version(stage)
    )
    ours = stage.median(cluster_task("aiplatform.eks.eks_cluster", "plain", subnets, version=_version(stage)))
    peer = stage.median(theirs)
    told = _over(peer, empty)
    yield _row("cluster unchanged: time over an empty play", _over(ours, empty), "s", CLUSTER_PEER, told, None)
    yield _row("cluster unchanged: API calls", float(ours.calls), "calls", CLUSTER_PEER, float(peer.calls), 1.0)


def _version(stage: Stage) -> str:
    return str(stage.emulator.client("eks").describe_cluster(name="plain")["cluster"]["version"])


def _over(played: Played, empty: Played) -> float:
    return max(0.001, played.seconds - empty.seconds)


def _row(work: str, ours: float, unit: str, peer: str, value: float | None, budget: float | None) -> Row:
    return Row("eks", work, ours, unit, peer, value, "value", budget)
