# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What helm complains of, in one line and without the user's values, in whatever way it quotes them. Pure."""

from __future__ import annotations

import base64
import json
import re
import typing as t
from collections.abc import Iterator, Mapping

GO_JSON = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&"}  # Go's JSON escapes these too
NOISE = re.compile(r"level=|[IWEF]\d{4} ")  # log lines of helm 4, and of the Kubernetes client in it
SHORTEST = 8  # what is shorter is mere words of a sentence
HIDDEN = "***"


def said(stderr: str, values: Mapping[str, t.Any]) -> str:
    """Helm's complaint in one line, without the user's values."""
    for secret in sorted(_forms(values), key=len, reverse=True):
        stderr = stderr.replace(secret, HIDDEN)
    lines = [line.strip() for line in stderr.splitlines() if line.strip() and not NOISE.match(line)]
    first = next((number for number, line in enumerate(lines) if line.startswith("Error:")), max(0, len(lines) - 3))
    return "; ".join(lines[first:]).removeprefix("Error:").strip() or "no reason given"


def _forms(values: Mapping[str, t.Any]) -> set[str]:
    """Every value as it is, as Go and JSON quote it, as a Secret holds it, and each of its lines alone."""
    found: set[str] = set()
    for text in _texts(values):
        parts = [text, *(line.strip() for line in text.splitlines())]
        quoted = [json.dumps(text, ensure_ascii=plain)[1:-1] for plain in (True, False)]
        quoted.append(quoted[-1].translate(GO_JSON))
        found.update(parts, quoted, (base64.b64encode(text.encode()).decode(),))
    return {form for form in found if len(form) >= SHORTEST}


def _texts(value: t.Any) -> Iterator[str]:
    """The texts and numbers inside the values that are long enough to be secrets."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, (str, int, float)) and len(str(value)) >= SHORTEST:
        yield str(value)


__all__ = ("said",)
