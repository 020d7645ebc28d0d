"""Secrets of an inventory do not become arguments of a task."""

from __future__ import annotations

from ansible_collections.aiplatform.eks.plugins.module_utils._inventory.roles import Role
from ansible_collections.aiplatform.eks.plugins.module_utils._inventory.secrets import MASK, masked

OPTIONS = {
    "web_password": {"type": "str", "no_log": True},
    "web_login": {"type": "dict", "options": {"user": {"type": "str"}, "word": {"type": "str", "no_log": True}}},
    "web_logins": {"type": "list", "options": {"word": {"type": "str", "no_log": True}}},
}
ROLES = {"web": Role("web", OPTIONS, {})}


def test_secrets_are_masked_at_any_depth() -> None:
    given = {
        "web_password": "s3cret",
        "web_login": {"user": "me", "word": "s3cret"},
        "web_logins": [{"word": "s3cret"}, "nonsense"],
        "aiplatform_region": "us-east-1",
    }
    assert masked(given, ROLES) == {
        "web_password": MASK,
        "web_login": {"user": "me", "word": MASK},
        "web_logins": [{"word": MASK}, "nonsense"],
        "aiplatform_region": "us-east-1",
    }


def test_a_missing_secret_can_be_seen() -> None:
    assert masked({"web_password": ""}, ROLES) == {"web_password": ""}
