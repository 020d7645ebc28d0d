# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases as the user wants them: options become values, values are merged as helm merges them, needs are ordered."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .._core.errors import PlatformError
from .._core.text import listed, unknown_name

Values = dict[str, t.Any]
OCI = "oci://"
TURNS = 3  # helm gives its timeout to each: hooks before, the objects' readiness, hooks after
MARGIN = 30.0


@dataclass(frozen=True)
class ChartWish:
    """Which chart.

    :param ref: a directory, an archive or an C(oci://) reference; empty for a chart of a repository.
    :param name: the chart's name in C(repository).
    :param version: exact version; empty only for a local chart.
    :param stand_in: data of the chart that is made instead where stand-ins are wanted.
    """

    ref: str = ""
    name: str = ""
    repository: str = ""
    version: str = ""
    stand_in: Mapping[str, t.Any] | None = field(default=None, repr=False)

    @property
    def is_oci(self) -> bool:
        """Whether a registry holds it."""
        return (self.ref or self.repository).startswith(OCI)

    @property
    def is_local(self) -> bool:
        """Whether it lies in a file or folder that the user names."""
        return bool(self.ref) and not self.is_oci

    @property
    def short_name(self) -> str:
        """The chart's own name, without the way to it."""
        return self.name or self.ref.rstrip("/").rsplit("/", 1)[-1]

    def __str__(self) -> str:
        """The chart in words."""
        return f"{self.short_name} {self.version}".strip()


@dataclass(frozen=True)
class Release:
    """One release.

    :param values: merged; may hold secrets.
    :param needs: names (or namespace/name) of releases of the same list that must be there first.
    :param timeout: seconds for each operation of helm.
    :param crds: C(helm): helm installs missing ones and never changes them; C(apply): we apply them before an upgrade.
    """

    name: str
    namespace: str
    chart: ChartWish
    values: Values = field(repr=False)
    needs: tuple[str, ...] = ()
    wait: bool = True
    timeout: int = 600
    present: bool = True
    create_namespace: bool = True
    crds: str = "helm"
    force_conflicts: bool = False

    @property
    def limit(self) -> float:
        """Seconds after which a helm at work on it hangs: it would have given up by itself before."""
        return self.timeout * TURNS + MARGIN

    @property
    def key(self) -> tuple[str, str]:
        """(namespace, name): unique in a cluster."""
        return self.namespace, self.name

    def __str__(self) -> str:
        """The release in words."""
        return f"{self.namespace}/{self.name}"


def merge_values(parts: Iterable[Mapping[str, t.Any]]) -> Values:
    """Merge as helm merges C(-f) files: mappings deeply, everything else replaced, null kept (it removes a default)."""
    merged: Values = {}
    for part in parts:
        for key, value in part.items():
            before = merged.get(key)
            both = isinstance(before, Mapping) and isinstance(value, Mapping)
            merged[key] = merge_values((before, value)) if both else value  # type: ignore[arg-type]
    return merged


def same_values(one: t.Any, other: t.Any) -> bool:
    """Whether two values mean the same to helm, whose numbers are all floats (1 is 1.0, but never true)."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same_values(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_values, one, other))
    if _is_number(one) and _is_number(other):
        return float(one) == float(other)
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


def _is_number(value: t.Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def release_of(options: Mapping[str, t.Any]) -> Release:
    """One validated entry of C(releases).

    :raises PlatformError: the chart is named in two ways or none, or has no exact version.
    """
    release = Release(
        name=str(options["name"]),
        namespace=str(options["namespace"]),
        chart=_chart(options),
        values=merge_values(options.get("values") or []),
        needs=tuple(options.get("needs") or ()),
        wait=bool(options.get("wait", True)),
        timeout=int(options.get("timeout") or 600),
        present=options.get("state", "present") == "present",
        create_namespace=bool(options.get("create_namespace", True)),
        crds=str(options.get("crds") or "helm"),
        force_conflicts=bool(options.get("force_conflicts")),
    )
    if release.present:
        _check_chart(release)
    return release


def _chart(options: Mapping[str, t.Any]) -> ChartWish:
    chart = options.get("chart") or {}
    texts = {key: str(chart.get(key) or "") for key in ("ref", "name", "repository", "version")}
    return ChartWish(**texts, stand_in=chart.get("stand_in") or None)


def _check_chart(release: Release) -> None:
    chart = release.chart
    if bool(chart.ref) == bool(chart.name):
        raise PlatformError(
            f"release {release}: chart needs either ref (a directory, an archive, oci://...) or name with repository "
            "and version"
        )
    if chart.name and not chart.repository:
        raise PlatformError(
            f"release {release}: chart {chart.name} needs its repository, or a chart_mirror that has it"
        )
    if not chart.is_local and not chart.version:
        raise PlatformError(f"release {release}: chart {chart.short_name} needs an exact version")
    if chart.is_local and chart.stand_in:
        raise PlatformError(
            f"release {release}: the chart lies at {chart.ref}, so that nothing stands in for it; take stand_in away"
        )


def ordered(releases: Sequence[Release]) -> tuple[tuple[Release, ...], ...]:
    """Waves: each release stands in the first wave after all that it needs.

    :raises PlatformError: a release stands twice, needs something unknown, or needs itself in the end.
    """
    by_key = {release.key: release for release in releases}
    if len(by_key) < len(releases):
        names = [str(release) for release in releases]
        raise PlatformError(
            f"releases stand twice: {listed(sorted({name for name in names if names.count(name) > 1}))}"
        )
    needs = {release.key: {_find(releases, release, need).key for need in release.needs} for release in releases}
    waves: list[tuple[Release, ...]] = []
    done: set[tuple[str, str]] = set()
    while len(done) < len(by_key):
        ready = tuple(release for key, release in by_key.items() if key not in done and needs[key] <= done)
        if not ready:
            circle = [str(release) for key, release in by_key.items() if key not in done]
            raise PlatformError(f"releases need each other in a circle: {listed(circle)}; take one need away")
        waves.append(ready)
        done.update(release.key for release in ready)
    return tuple(waves)


def _find(releases: Sequence[Release], release: Release, need: str) -> Release:
    found = [other for other in releases if need in (other.name, str(other))]
    if len(found) != 1:
        known = [other.name for other in releases if other is not release]
        problem = (
            unknown_name("release", need, known) if not found else f"{need!r} is several releases, say namespace/name"
        )
        raise PlatformError(f"release {release} needs {need}: {problem}")
    return found[0]


__all__ = ("OCI", "ChartWish", "Release", "Values", "merge_values", "ordered", "release_of", "same_values")
