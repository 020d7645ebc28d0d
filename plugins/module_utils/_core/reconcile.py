# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One reconcile of keyed sets: tags, labels, taints, add-ons, access entries, pod identities."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass

K = t.TypeVar("K")
V = t.TypeVar("V")


@dataclass(frozen=True)
class KeyedChanges(t.Generic[K, V]):
    """What leads from the live set to the desired one.

    :param create: keys that are missing, with the desired value.
    :param update: keys whose value differs, with (live, desired).
    :param delete: keys that are too many, with the live value.
    :param same: keys that are right.
    """

    create: Mapping[K, V]
    update: Mapping[K, tuple[V, V]]
    delete: Mapping[K, V]
    same: tuple[K, ...]

    @property
    def changed(self) -> bool:
        """Whether the sets differ."""
        return bool(self.create or self.update or self.delete)


def keyed_changes(
    live: Mapping[K, V],
    desired: Mapping[K, V],
    *,
    equal: Callable[[V, V], bool] = lambda one, other: bool(one == other),
    prune: Callable[[K, V], bool] = lambda _key, _value: True,
) -> KeyedChanges[K, V]:
    """Compare two keyed sets.

    :param equal: whether a live value already is the desired one.
    :param prune: whether a live entry that nobody desires is ours to delete.
    """
    return KeyedChanges(
        create={key: value for key, value in desired.items() if key not in live},
        update={
            key: (live[key], value) for key, value in desired.items() if key in live and not equal(live[key], value)
        },
        delete={key: value for key, value in live.items() if key not in desired and prune(key, value)},
        same=tuple(key for key, value in desired.items() if key in live and equal(live[key], value)),
    )


__all__ = ("KeyedChanges", "keyed_changes")
