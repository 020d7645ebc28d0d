# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""KMS where moto stops: a key's deletion is scheduled by its ARN too."""

from __future__ import annotations

from datetime import UTC, datetime

from .. import moto_library as lib
from ..aws_call import Answers, AwsCall, AwsError, Record


def _schedule_deletion(call: AwsCall) -> Record:
    """ScheduleKeyDeletion."""
    backend = lib.kms_backends[call.place.account][call.place.region]
    name = call.parameters["KeyId"]
    key = backend.keys.get(backend.any_id_to_key_id(name))
    if key is None:
        raise AwsError("NotFoundException", f"Key '{name}' does not exist", status=400)
    if key.key_state == "PendingDeletion":
        raise AwsError("KMSInvalidStateException", f"{key.arn} is pending deletion.", status=400)
    days = call.parameters.get("PendingWindowInDays", 30)
    when = datetime.fromtimestamp(backend.schedule_key_deletion(key.id, days), tz=UTC)
    return {"KeyId": key.arn, "DeletionDate": when, "KeyState": "PendingDeletion", "PendingWindowInDays": days}


KEYS: Answers = {("kms", "ScheduleKeyDeletion"): _schedule_deletion}

__all__ = ("KEYS",)
