"""The generated reference is current, and a role's defaults are what its argument specs say."""

from __future__ import annotations

from pathlib import Path

import pytest
from script_module import script_module

ROOT = Path(__file__).resolve().parents[3]
reference = script_module("reference")
ROLES = sorted(path.parent.name for path in ROOT.glob("roles/*/tasks"))


def test_the_reference_is_current() -> None:
    stale = sorted(str(path.relative_to(ROOT)) for path in reference.outdated())
    assert stale == [], "run: python scripts/reference.py"


def test_every_role_says_what_it_takes() -> None:
    assert sorted(reference.specs()) == ROLES


@pytest.mark.parametrize("role", ROLES)
def test_defaults_are_what_the_specs_say(role: str) -> None:
    options = reference.specs()[role].get("options", {})
    defaults = reference.defaults_of(role)
    assert set(defaults) <= set(options), "undocumented"
    literal = {name: value for name, value in defaults.items() if "{{" not in str(value)}
    short = {name for name, value in literal.items() if not value or not isinstance(value, list | dict)}
    said = {name: options[name].get("default") for name in literal if name in short or "default" in options[name]}
    assert said == {name: literal[name] for name in said}


@pytest.mark.parametrize(
    ("markup", "markdown"),
    [
        ("Needs O(aws=true), or V(x|y).", r"Needs `aws: true`, or `x\|y`."),
        (
            "See M(aiplatform.eks.eks_cluster) and M(amazon.aws.ec2_vpc_net).",
            "See `eks_cluster` and `amazon.aws.ec2_vpc_net`.",
        ),
        (
            "Of P(aiplatform.eks.gpu_resource#filter), E(HOME), B(now) U(https://a.b/c)",
            "Of `gpu_resource`, `HOME`, **now** <https://a.b/c>",
        ),
        (["One.", "Two <3."], "One. Two &lt;3."),
    ],
)
def test_markup_becomes_markdown(markup: str | list[str], markdown: str) -> None:
    assert reference.sentence(markup) == markdown


def test_a_value_without_default_is_required() -> None:
    use = reference.Use("role", "role_x", "{{ aiplatform_x | default(['a']) }}")
    assert use.fallback("aiplatform_x") == '["a"]'
    assert use.direct("aiplatform_x")
    assert reference.required_wide("role_x", "{{ aiplatform_x }}-{{ aiplatform_y | default('') }}") == ["aiplatform_x"]
