# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CloudFormation stacks that carry a digest of what made them, so that an unchanged one costs no call."""

from __future__ import annotations

import hashlib
import json
import typing as t
from collections.abc import Iterable, Mapping

from .._core.errors import MissingLibraryError, PlatformError

try:
    import yaml
except ImportError as import_error:
    YAML_ERROR: ImportError | None = import_error
else:
    YAML_ERROR = None

DIGEST_TAG = "aiplatform.eks/digest"
DIGEST_LENGTH = 32
SETTLED = frozenset(("CREATE_COMPLETE", "UPDATE_COMPLETE"))


def wanted_stack(
    template: str, parameters: Mapping[str, t.Any], *, tags: Mapping[str, str], live: Mapping[str, t.Any] | None
) -> dict[str, t.Any]:
    """A stack as it is wanted, and whether CloudFormation needs to be asked about it.

    :param template: the template's text.
    :param live: the stack as M(aiplatform.eks.cloudformation_stacks_info) returns it; None when there is none.
    :returns: C(template), C(parameters) as texts, C(tags) with the digest, C(stale).
    :raises PlatformError: a parameter has no value.
    """
    if empty := sorted(name for name, value in parameters.items() if value is None):
        raise PlatformError(f"the stack's parameter {empty[0]} has no value; give it one")
    texts = {name: _text(value) for name, value in parameters.items()}
    content = json.dumps([template, texts, dict(tags)], sort_keys=True)
    digest = hashlib.sha256(content.encode()).hexdigest()[:DIGEST_LENGTH]
    carried = ((live or {}).get("tags") or {}).get(DIGEST_TAG)
    return {
        "template": template,
        "parameters": texts,
        "tags": {**tags, DIGEST_TAG: digest},
        "stale": carried != digest or (live or {}).get("status") not in SETTLED,
    }


def merged_template(texts: Iterable[str]) -> str:
    """One template, as JSON, of a base and the parts that add to its sections.

    :raises PlatformError: two of them define the same thing.
    """
    if YAML_ERROR is not None:
        raise MissingLibraryError(f"PyYAML is needed to put templates together: {YAML_ERROR}")
    merged: dict[str, t.Any] = {}
    for text in texts:
        for section, content in (getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text).get_single_data() or {}).items():
            if not isinstance(content, dict):
                _define(merged, section, content, section)
                continue
            for name, thing in content.items():
                _define(merged.setdefault(section, {}), name, thing, f"{section}.{name}")
    return json.dumps(merged, sort_keys=True)


def _define(where: dict[str, t.Any], name: str, thing: t.Any, path: str) -> None:
    if name in where:
        raise PlatformError(f"two parts of the template define {path}; rename or remove one")
    where[name] = thing


def _text(value: t.Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


__all__ = ("DIGEST_TAG", "merged_template", "wanted_stack")
