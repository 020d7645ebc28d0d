"""Write the reference that is generated: the README of every role, docs/inventory.md and docs/modules.md.

One truth: a role's README comes from its argument specs and defaults, a module's section from its DOCUMENTATION and
RETURN, the collection-wide values from the defaults that point at them. ``--check`` writes nothing and names the files
that are not current; a test does the same.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from ansible.plugins.loader import fragment_loader, init_plugin_loader
from ansible.utils.plugin_docs import get_docstring
from antsibull_docs_parser import dom
from antsibull_docs_parser.parser import Context, parse
from jinja2 import Environment, nodes

ROOT = Path(__file__).resolve().parent.parent
COLLECTION = "aiplatform.eks"
MADE = "<!-- Made by scripts/reference.py. Edit the argument specs, the defaults or the documentation instead. -->"
COLLECTION_WIDE = re.compile(r"\baiplatform_[a-z0-9_]+")
Documented = dict[str, t.Any]
Default = t.Callable[[str, Documented], str]


# --- words ---
def sentence(text: str | list[str] | None) -> str:
    """Ansible's markup as Markdown, one paragraph."""
    if isinstance(text, list):
        return " ".join(sentence(one) for one in text)
    paragraphs = parse(text or "", Context())
    return re.sub(r"\s+", " ", "".join(_part(part) for one in paragraphs for part in one)).strip()


def _part(part: dom.AnyPart) -> str:
    match part:
        case dom.TextPart():
            return part.text.replace("|", "\\|").replace("<", "&lt;")
        case dom.BoldPart():
            return f"**{part.text}**"
        case dom.LinkPart():
            return f"[{part.text}]({part.url})"
        case dom.URLPart():
            return f"<{part.url}>"
        case dom.HorizontalLinePart():
            return ""
        case _:
            return _code(_code_text(part))


def _code_text(part: dom.AnyPart) -> str:
    match part:
        case dom.OptionNamePart() | dom.ReturnValuePart():
            return part.name if part.value is None else f"{part.name}: {part.value}"
        case dom.ModulePart():
            return part.fqcn.removeprefix(f"{COLLECTION}.")
        case dom.PluginPart():
            return part.plugin.fqcn.removeprefix(f"{COLLECTION}.")
        case dom.EnvVariablePart():
            return part.name
        case dom.OptionValuePart():
            return part.value
        case dom.CodePart() | dom.ItalicPart() | dom.RSTRefPart():
            return part.text
        case _:
            raise ValueError(f"the markup {part!r} is not known here")


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")


def table(*rows: list[str]) -> list[str]:
    """A Markdown table; the first row is its head."""
    head, *body = rows
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *body)]


def type_of(option: Documented) -> str:
    kind = option.get("type", "str")
    choices = ", ".join(_code(_literal(one)) for one in option.get("choices", []))
    listed = f"list of {option['elements']}" if kind == "list" and "elements" in option else kind
    return f"{listed}: {choices}" if choices else listed


def _literal(value: t.Any) -> str:
    return value if isinstance(value, str) and value else json.dumps(value)


def rows_of(options: dict[str, Documented], default: Default, above: str = "") -> Iterator[list[str]]:
    """One row an option, what is nested behind its parent."""
    for name, option in options.items():
        path = f"{above}.{name}" if above else name
        text = sentence(option.get("description"))
        yield [_code(path), type_of(option), default(path, option), text]
        yield from rows_of(option.get("options") or option.get("suboptions") or {}, default, path)


# --- roles ---
def read_yaml(path: Path) -> t.Any:
    return (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.is_file() else {}


def specs() -> dict[str, Documented]:
    """The argument specs of every role, by role, in the order of names."""
    found = {path.parents[1].name: read_yaml(path) for path in sorted(ROOT.glob("roles/*/meta/argument_specs.yml"))}
    return {role: content["argument_specs"]["main"] for role, content in found.items()}


def defaults_of(role: str) -> Documented:
    return t.cast(Documented, read_yaml(ROOT / f"roles/{role}/defaults/main.yml"))


def role_readme(role: str, spec: Documented) -> str:
    """What a role's README says."""
    given = defaults_of(role)

    def default(path: str, option: Documented) -> str:
        follows = [] if COLLECTION_WIDE.match(path) else COLLECTION_WIDE.findall(str(given.get(path, "")))
        said = _code(_literal(option["default"])) if "default" in option else ""
        if follows:
            return f"{_code(follows[0])}, else {said}" if said else _code(follows[0])
        if not said and given.get(path):
            return "[as listed](defaults/main.yml)"
        return "**required**" if option.get("required") else said

    about = spec.get("description") or ""
    checks = (spec.get("attributes") or {}).get("check_mode", {})
    lines = [
        MADE,
        "",
        f"# {COLLECTION}.{role}",
        "",
        f"{sentence(spec['short_description'])}.",
        "",
        *[f"- {sentence(one)}" for one in ([about] if isinstance(about, str) else about) if one],
        *([f"- Check mode: {checks['support']}. {sentence(checks.get('description'))}".rstrip()] if checks else []),
        "",
    ]
    if options := spec.get("options"):
        lines += table(["variable", "type", "default", "meaning"], *rows_of(options, default))
    lines += ["", "```yaml", *play(role, spec), "```", ""]
    return "\n".join(lines)


def play(role: str, spec: Documented) -> list[str]:
    """A play that uses the role, with what it must be given."""
    given = defaults_of(role)
    needed = [
        name
        for name, option in (spec.get("options") or {}).items()
        if option.get("required") and not COLLECTION_WIDE.search(str(given.get(name, "")))
    ]
    wide = sorted({name for variable, text in given.items() for name in required_wide(variable, f"{text}")})
    inputs = [*(f"#   {name}" for name in (*wide, *needed))]
    return [
        *(["# The inventory says:", *inputs] if inputs else []),
        f"- name: {sentence(spec['short_description'])}",
        "  hosts: clusters",
        "  gather_facts: false",
        "  roles:",
        f"    - role: {COLLECTION}.{role}",
    ]


def required_wide(variable: str, text: str) -> list[str]:
    """The collection-wide values that a default takes without an answer of its own."""
    names = dict.fromkeys(COLLECTION_WIDE.findall(text))
    return [name for name in names if Use("", variable, text).fallback(name) is None]


# --- the inventory ---
@dataclass(frozen=True)
class Use:
    """A role's variable whose default takes a collection-wide value."""

    role: str
    variable: str
    value: str

    def fallback(self, name: str) -> str | None:
        """The literal that the default takes where the inventory does not say the value; None: there is none."""
        for one in Environment().parse(self.value).find_all(nodes.Filter):
            if one.name in {"default", "d"} and isinstance(one.node, nodes.Name) and one.node.name == name:
                return _literal(one.args[0].as_const())
        return None

    def direct(self, name: str) -> bool:
        """Whether the variable is the value itself, so that its description is the value's."""
        return bool(re.fullmatch(rf"{{{{ {name}( \| default\(.*\))? }}}}", self.value))


def collection_wide() -> dict[str, list[Use]]:
    """Each collection-wide value, with the roles' variables that point at it."""
    found: dict[str, list[Use]] = {}
    for path in sorted(ROOT.glob("roles/*/defaults/main.yml")):
        for variable, value in read_yaml(path).items():
            for name in dict.fromkeys(COLLECTION_WIDE.findall(f"{value}")):
                found.setdefault(name, []).append(Use(path.parents[1].name, variable, f"{value}"))
    return dict(sorted(found.items()))


def inventory() -> str:
    """docs/inventory.md."""
    known = specs()
    shared = known["session"]["options"]

    def row(name: str, uses: list[Use]) -> list[str]:
        options = [known.get(one.role, {}).get("options", {}).get(one.variable) for one in uses if one.direct(name)]
        about = next((one for one in (shared.get(name), *options) if one), {})
        fallbacks = sorted({found for one in uses if (found := one.fallback(name)) is not None})
        default = ", ".join(_code(one) for one in fallbacks) or "**required**"
        roles = ", ".join(_link(role) for role in dict.fromkeys(one.role for one in uses))
        return [_code(name), type_of(about) if about else "", default, sentence(about.get("description")), roles]

    rows = [row(name, uses) for name, uses in collection_wide().items()]
    lines = [
        MADE,
        "",
        "# Inventory reference",
        "",
        "A host of the group `clusters` is one EKS cluster. What several roles need is said once, as `aiplatform_*`; a",
        "role's own variables begin with its name, and their defaults point at the collection-wide values.",
        "",
        "## Collection-wide values",
        "",
        *table(["variable", "type", "default", "meaning", "roles"], *rows),
        "",
        "## Roles",
        "",
        *table(
            ["role", "what it makes", "variables"],
            *(
                [_link(role), sentence(spec["short_description"]), str(len(spec.get("options") or {}))]
                for role, spec in known.items()
            ),
        ),
        "",
    ]
    return "\n".join(lines)


def _link(role: str) -> str:
    return f"[{role}](../roles/{role}/README.md)"


# --- modules ---
def documentation() -> dict[str, tuple[Documented, Documented]]:
    """Documentation, fragments included, and return values of each module."""
    found = {}
    for path in sorted((ROOT / "plugins/modules").glob("*.py")):
        doc, _examples, returned, _metadata = get_docstring(
            str(path), fragment_loader, is_module=True, collection_name=COLLECTION, plugin_type="module"
        )
        found[path.stem] = (doc, returned if isinstance(returned, dict) else yaml.safe_load(returned or "{}"))
    return found


def modules() -> str:
    """docs/modules.md."""

    def default(_path: str, option: Documented) -> str:
        if option.get("required"):
            return "**required**"
        return _code(_literal(option["default"])) if option.get("default") is not None else ""

    known = documentation()
    lines = [
        MADE,
        "",
        "# Module reference",
        "",
        "Every module has check mode and diff where it changes something. `ansible-doc` shows the same with examples.",
        "",
        *table(
            ["module", "what it does"],
            *([f"[{name}](#{name})", sentence(doc["short_description"])] for name, (doc, _returned) in known.items()),
        ),
    ]
    for name, (doc, returned) in known.items():
        about = doc["description"]
        lines += [
            "",
            f"## {name}",
            "",
            *[f"- {sentence(one)}" for one in ([about] if isinstance(about, str) else about)],
            "",
        ]
        lines += table(["option", "type", "default", "meaning"], *rows_of(doc.get("options") or {}, default))
        if returned:
            keys = [
                [_code(key), one.get("type", ""), sentence(one.get("description"))] for key, one in returned.items()
            ]
            lines += ["", *table(["returns", "type", "meaning"], *keys)]
    return "\n".join([*lines, ""])


# --- all of it ---
def wanted() -> dict[Path, str]:
    """Every generated file and its content."""
    readmes = {ROOT / f"roles/{role}/README.md": role_readme(role, spec) for role, spec in specs().items()}
    return {**readmes, ROOT / "docs/inventory.md": inventory(), ROOT / "docs/modules.md": modules()}


def outdated() -> dict[Path, str]:
    """The files that are not what they should be, with what they should be."""
    return {
        path: text for path, text in wanted().items() if not path.is_file() or path.read_text(encoding="utf-8") != text
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    init_plugin_loader([str(ROOT / "build/collections")])
    found = outdated()
    for path, text in found.items():
        print(f"{'not current' if check else 'written'}: {path.relative_to(ROOT)}")
        if not check:
            path.write_text(text, encoding="utf-8")
    return 1 if check and found else 0


if __name__ == "__main__":
    sys.exit(main())
