# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to do with each release, from its record and the wish. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .._core.errors import PlatformError
from .._core.plan import NO_CHANGE
from .records import History, ReleaseRecord
from .releases import Release, same_values

INSTALL, UPGRADE, UNINSTALL = "install", "upgrade", "uninstall"
PENDING = ("pending-install", "pending-upgrade", "pending-rollback")


@dataclass(frozen=True)
class ChartIdentity:
    """Which chart a wish means once it has been looked at.

    :param digest: of a local chart's content; empty for charts of repositories, whose versions do not change.
    :param stand_in: whether it is made from data, in place of the chart.
    """

    name: str
    version: str
    digest: str = ""
    stand_in: bool = False


@dataclass(frozen=True)
class Decision:
    """What happens to one release.

    :param action: install, upgrade, uninstall or none.
    :param recover: what comes first: C(rollback) to C(revision), C(uninstall) of a broken first install, or nothing.
    :param reason: why, in words.
    """

    release: Release
    action: str
    record: ReleaseRecord | None = None
    recover: str = ""
    revision: int = 0
    reason: str = ""


def decide(
    release: Release,
    history: History | None,
    identity: ChartIdentity | None,
    *,
    now: float,
    pending_timeout: float | None = None,
) -> Decision:
    """Decide for one release.

    :param identity: of the wanted chart; None when the release shall be absent.
    :param now: seconds since 1970.
    :param pending_timeout: seconds after which an operation that has not ended is taken for dead; None: the longest
        that helm may take with the release's own timeout.
    :raises PlatformError: another helm is at work on the release, or a stand-in would replace a real chart.
    """
    newest = history.newest if history and history.newest.status != "uninstalled" else None
    if newest is not None and newest.status in PENDING:
        dead_after = release.limit if pending_timeout is None else pending_timeout
        _refuse_live(release, newest, now=now, dead_after=dead_after)
    if not release.present:
        return Decision(release, UNINSTALL if newest else NO_CHANGE, newest)
    if newest is None or identity is None:
        return Decision(release, INSTALL)
    if identity.stand_in != newest.stand_in:
        return _exchange(release, newest, identity)
    if newest.status == "deployed":
        reasons = _differences(release, newest, identity)
        return Decision(release, UPGRADE if reasons else NO_CHANGE, newest, reason=", ".join(reasons))
    return _recovery(release, newest, history.deployed if history else None)


def _exchange(release: Release, newest: ReleaseRecord, identity: ChartIdentity) -> Decision:
    """The chart in place of its stand-in: their workloads have other selectors, which no upgrade can change."""
    if identity.stand_in:
        raise PlatformError(
            f"release {release} is made from the real chart {newest.chart}, which a stand-in never replaces; set "
            "stand_ins to false, or take the release away first"
        )
    reason = "the chart replaces its stand-in, which is removed first"
    return Decision(release, INSTALL, newest, recover=UNINSTALL, reason=reason)


def _differences(release: Release, record: ReleaseRecord, identity: ChartIdentity) -> list[str]:
    found = []
    if (record.chart_name, record.chart_version) != (identity.name, identity.version):
        found.append(f"chart {record.chart} -> {identity.name} {identity.version}")
    elif identity.digest and identity.digest != record.digest:
        found.append("the chart's content differs")
    if not same_values(record.values, release.values):
        found.append(f"values of {_changed_keys(record.values, release.values)} differ")
    return found


def _changed_keys(before: Mapping[str, object], after: Mapping[str, object]) -> str:
    """Top-level keys only: values may be secret, and so may deeper keys be."""
    shared = {key for key in before.keys() & after.keys() if same_values(before[key], after[key])}
    return ", ".join(sorted({*before, *after} - shared))


def _recovery(release: Release, newest: ReleaseRecord, deployed: ReleaseRecord | None) -> Decision:
    failed = f"revision {newest.revision} is {newest.status}"
    if newest.status == "failed" and deployed is not None:
        return Decision(release, UPGRADE, newest, reason=f"{failed}: tried again")
    if newest.status == "failed" and newest.revision > 1:
        return Decision(release, UPGRADE, newest, reason=f"{failed}, no revision is deployed: tried again")
    if deployed is not None:
        return Decision(
            release,
            UPGRADE,
            newest,
            recover="rollback",
            revision=deployed.revision,
            reason=f"{failed}: rolled back to revision {deployed.revision}, then upgraded",
        )
    return Decision(release, INSTALL, newest, recover=UNINSTALL, reason=f"{failed}: removed, then installed anew")


def _refuse_live(release: Release, record: ReleaseRecord, *, now: float, dead_after: float) -> None:
    age = now - record.modified
    if record.modified and age < dead_after:
        raise PlatformError(
            f"release {release}: another helm began {record.status} {age:.0f} s ago and may still be at work; it "
            f"counts as dead after {dead_after:.0f} s; wait for it, or set pending_timeout if you know that it is dead"
        )


__all__ = ("INSTALL", "UNINSTALL", "UPGRADE", "ChartIdentity", "Decision", "decide")
