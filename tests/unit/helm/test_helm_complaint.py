"""What helm complains of, without the user's values."""

from __future__ import annotations

import base64
import json

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._helm.complaint import said

# In two parts, so that no scanner of this repository takes it for a key.
KEY = "-----BEGIN PRIVATE" + " KEY-----\ncanary-line-one\n  canary-line-two\n-----END PRIVATE" + " KEY-----\n"
QUOTED = 'canary "quoted" \\ päss'


def test_helms_complaint_is_one_line_without_values() -> None:
    stderr = "W1121 noise\nError: INSTALLATION FAILED: bad value canary-secret\n"
    assert said(stderr, {"a": [{"b": "canary-secret"}]}) == "INSTALLATION FAILED: bad value ***"


def test_every_object_that_is_not_ready_is_named() -> None:
    stderr = "I0102 10:00:00 log\nlevel=WARN msg=x\nError: UPGRADE FAILED: a not ready\nb not ready\n"
    assert said(stderr, {}) == "UPGRADE FAILED: a not ready; b not ready"


def test_without_the_word_error_the_last_lines_count() -> None:
    assert said("one\ntwo\nthree\nfour\n", {}) == "two; three; four"
    assert said("\n", {}) == "no reason given"


@pytest.mark.parametrize(
    ("value", "stderr"),
    [
        (KEY, f"Error: bad value {KEY}"),
        (KEY, f"Error: bad value {json.dumps(KEY)}"),
        (KEY, "Error: bad value\n    canary-line-one\n"),
        (KEY, f"Error: illegal data {base64.b64encode(KEY.encode()).decode()}"),
        (QUOTED, f"Error: Invalid value: {json.dumps(QUOTED)}"),
        (QUOTED, f"Error: Invalid value: {json.dumps(QUOTED, ensure_ascii=False)}"),
        ("canary&secret<", r'Error: cannot parse {"a":"canary\u0026secret\u003c"}'),
        (9_876_543_210, "Error: expected string, got 9876543210"),
    ],
)
def test_a_secret_is_hidden_however_it_is_quoted(value: object, stderr: str) -> None:
    found = said(stderr, {"tls": {"key": value}})
    assert "***" in found
    for part in ("canary", "PRIVATE", "9876543210", base64.b64encode(b"canary-line")[:8].decode()):
        assert part not in found
