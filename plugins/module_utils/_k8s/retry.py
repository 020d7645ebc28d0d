# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which failures of a request that may safely be sent again are worth it, and after how long.

Everything that goes through here is idempotent: reads, server-side apply, deletes with preconditions.
"""

from __future__ import annotations

import typing as t

from .._core.clock import Clock
from .client import Answer, KubeClient
from .errors import KubeApiError

RETRY_FOR = 60.0
FIRST_LOOK_FOR = 3.0  # a cluster that never answered is more likely a wrong address than a restart
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
PASSING_STATUS = frozenset((429, 503, 504))
PASSING_500 = (
    "failed calling webhook",
    "etcdserver: request timed out",
    "etcdserver: leader changed",
    "connection refused",
    "context deadline exceeded",
)
PASSING_403 = ("error looking up service account", "not yet ready to handle request")
PASSING_409 = ("please apply your changes to the latest version", "object has been modified", "try again")
LASTING_NO_ANSWER = ("certificate", "ssl", "tls", "name or service not known", "nodename nor servname")


def is_passing(error: KubeApiError, *, kind_is_new: bool = False, versioned: bool = False) -> bool:
    """Whether the failure may pass by itself.

    :param kind_is_new: the kind's definition was made a moment ago, so that V(404) may pass too.
    :param versioned: the request holds for one resourceVersion only, which a V(409) says is no longer the newest.
    """
    if error.status == 409 and versioned:
        return False
    text = str(error).lower()
    if error.status == 0:
        return not any(word in text for word in LASTING_NO_ANSWER) or "eof" in text
    if error.status in PASSING_STATUS:
        return True
    if error.status == 404:
        return kind_is_new and "page not found" in text
    phrases = {500: PASSING_500, 403: PASSING_403}.get(error.status, ())
    if error.status == 409 and not any(cause.get("reason") == "FieldManagerConflict" for cause in error.causes):
        phrases = PASSING_409
    return any(phrase in text for phrase in phrases)


def is_versioned(body: t.Any) -> bool:
    """Whether a body (an object, a merge patch, or a JSON patch) is meant for one resourceVersion only."""
    if isinstance(body, list):
        return any(operation.get("path") == "/metadata/resourceVersion" for operation in body)
    return isinstance(body, dict) and bool((body.get("metadata") or {}).get("resourceVersion"))


def pause_before(error: KubeApiError, attempt: int) -> float:
    """Seconds to wait before attempt C(attempt + 1): what the server asks for, else doubling."""
    if error.retry_after is not None:
        return max(FIRST_PAUSE, error.retry_after)
    return float(min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt))


def send(
    client: KubeClient,
    method: str,
    path: str,
    *,
    clock: Clock,
    kind_is_new: bool = False,
    retry_for: float = RETRY_FOR,
    **request: t.Any,
) -> Answer:
    """A request that is sent again while its failure may pass, for at most C(retry_for) seconds.

    A server that is silent is waited for by all requests together: once it has been for that long, each fails at once.

    :raises KubeApiError: the last failure.
    """
    start, attempt, versioned = clock.now(), 0, is_versioned(request.get("body"))
    while True:
        try:
            answer = client.request(method, path, **request)
            client.silent_since = None
            return answer
        except KubeApiError as error:
            pause = pause_before(error, attempt)
            since = min(start, _silence(client, error, clock))
            passing = is_passing(error, kind_is_new=kind_is_new, versioned=versioned)
            if not passing or clock.now() - since + pause > retry_for:
                raise
            clock.sleep(pause)
            attempt += 1


def _silence(client: KubeClient, error: KubeApiError, clock: Clock) -> float:
    """Since when the server has not answered; now, if it has."""
    now = clock.now()
    if error.status:
        client.silent_since = None
        return now
    since = client.silent_since
    if since is None:
        since = client.silent_since = now
    return since


__all__ = ("FIRST_LOOK_FOR", "RETRY_FOR", "is_passing", "is_versioned", "pause_before", "send")
