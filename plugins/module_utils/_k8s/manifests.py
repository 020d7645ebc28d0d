# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML manifests to plain JSON data, read as kubectl reads them, with what it silently accepts refused.

PyYAML's C parser composes the nodes; the values are made here. Dates and sexagesimals stay text (the API has
neither), C(1e3) is a number, a mapping key that stands twice is an error, tags other than the core ones too.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable, Iterator

from .._core.errors import MissingLibraryError, PlatformError
from .objects import Object

try:
    import yaml
    from yaml.cyaml import CParser as _Parser  # type: ignore[attr-defined]  # types-PyYAML leaves it unnamed
except ImportError as import_error:
    yaml = None  # type: ignore[assignment]  # PyYAML without its C part, or none: said when it is needed
    _Parser = object  # type: ignore[assignment,misc]  # only stands in as a base class
    IMPORT_ERROR: ImportError | None = import_error
else:
    IMPORT_ERROR = None

STR, PLAIN, TAG = "tag:yaml.org,2002:str", "plain", "tag:yaml.org,2002:"
MOST_NODES = 2_000_000
DEEPEST = 200
CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False),
}
INTEGER = re.compile(r"[-+]?(?:0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)\Z")
FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?\Z")
NUMERIC_START = frozenset("+-.0123456789")
NOT_FINITE = re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z")


class _Composer(_Parser):
    """The C parser with a resolver that only tells plain scalars from quoted ones."""

    def resolve(self, kind: t.Any, _value: t.Any, implicit: t.Any) -> str:
        if kind is yaml.ScalarNode:
            return PLAIN if implicit[0] else STR
        return TAG + ("map" if kind is yaml.MappingNode else "seq")

    def descend_resolver(self, parent: t.Any, index: t.Any) -> None:
        """No path resolvers."""

    def ascend_resolver(self) -> None:
        """No path resolvers."""


class _Builder:
    """Makes plain data of the nodes of one text."""

    def __init__(self, source: str, *, last_counts: bool) -> None:
        self.source = source
        self.last_counts = last_counts
        self.nodes = 0

    def value(self, node: t.Any, path: str, depth: int = 0) -> t.Any:
        self.nodes += 1
        if self.nodes > MOST_NODES or depth > DEEPEST:
            raise self.error(node, path, "aliases expand without end")
        if node.id == "scalar":
            return self.scalar(node, path)
        if node.tag not in (TAG + "map", TAG + "seq"):
            raise self.error(node, path, f"the tag {node.tag!r} is not allowed in a manifest")
        if node.id == "sequence":
            return [self.value(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(node.value)]
        return self.mapping(node, path, depth)

    def mapping(self, node: t.Any, path: str, depth: int) -> Object:
        found: Object = {}
        lines: dict[str, int] = {}
        merged: list[t.Any] = []
        for key_node, value_node in node.value:
            if key_node.id != "scalar":
                raise self.error(key_node, path, "a key must be a word, not a list or mapping")
            if key_node.tag == PLAIN and key_node.value == "<<":
                merged.append(value_node)
                continue
            key = self.key(key_node)
            if key in lines and not self.last_counts:
                raise self.error(key_node, path, f"key {key!r} stands twice, first on line {lines[key]}")
            lines[key] = key_node.start_mark.line + 1
            found[key] = self.value(value_node, f"{path}.{key}" if path else key, depth + 1)
        for value_node in merged:
            self.merge(found, value_node, path, depth)
        return found

    def merge(self, found: Object, node: t.Any, path: str, depth: int) -> None:
        for source in node.value if node.id == "sequence" else [node]:
            value = self.value(source, path, depth + 1)
            if not isinstance(value, dict):
                raise self.error(source, path, "'<<' takes a mapping or a list of mappings")
            for key, inner in value.items():
                found.setdefault(key, inner)

    def key(self, node: t.Any) -> str:
        if node.tag != PLAIN or node.value == "":
            return str(node.value)
        value = plain(node.value)
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value) if isinstance(value, int) else str(node.value)

    def scalar(self, node: t.Any, path: str) -> t.Any:
        tag, text = node.tag, node.value
        if tag == STR:
            return text
        if tag != PLAIN and tag not in (TAG + "int", TAG + "float", TAG + "bool", TAG + "null"):
            raise self.error(node, path, f"the tag {tag!r} is not allowed in a manifest")
        if text and text[0] in "+-." and NOT_FINITE.match(text):
            raise self.error(node, path, f"{text!r} is no number that the API knows; quote it if it is text")
        return plain(text)

    def error(self, node: t.Any, path: str, what: str) -> PlatformError:
        mark = node.start_mark
        where = f"{self.source}, line {mark.line + 1}, column {mark.column + 1}"
        return PlatformError(f"{where}: {what}" + (f" (in {path})" if path else ""))


def plain(text: str) -> t.Any:
    """The value of an unquoted scalar: null, boolean, integer, float or text."""
    if text in CONSTANTS:
        return CONSTANTS[text]
    if text[0] not in NUMERIC_START:
        return text
    if INTEGER.match(text):
        return _integer(text.replace("_", ""))
    if FLOAT.match(text) and any(letter.isdigit() for letter in text):
        number = float(text.replace("_", ""))
        return int(number) if number.is_integer() and abs(number) < 1e15 else number  # as Go writes 1e3 to JSON
    return text


def _integer(text: str) -> int:
    sign = -1 if text[0] == "-" else 1
    digits = text.lstrip("+-")
    if len(digits) > 1 and digits[0] == "0":
        return sign * int(digits, 8 if digits[1].isdigit() else 0)
    return sign * int(digits)


def parse_manifests(text: str, *, source: str) -> list[Object]:
    """The objects of a text with one or more YAML (or JSON) documents; C(kind: List) is opened, empty documents
    are left out.

    :param source: the text's name in error messages, e.g. a path.
    :raises MissingLibraryError: PyYAML with its C part is absent.
    :raises PlatformError: the text is no YAML, a key stands twice, a document is no object.
    """
    return list(opened(documents(text, source=source), source=source))


def documents(text: str, *, source: str, last_counts: bool = False) -> Iterator[t.Any]:
    """The YAML documents of a text, whatever they are.

    :param last_counts: of a key that stands twice the last value counts, as helm has it; else it is an error.
    :raises MissingLibraryError: PyYAML with its C part is absent.
    :raises PlatformError: the text is no YAML, or a key stands twice.
    """
    if yaml is None:
        raise MissingLibraryError(f"PyYAML with its C parser cannot be imported ({IMPORT_ERROR}); pip install PyYAML")
    parser = _Composer(text.encode())  # bytes: the C parser refuses subclasses of str, as Ansible hands out
    builder = _Builder(source, last_counts=last_counts)
    try:
        while parser.check_node():
            yield builder.value(parser.get_node(), "")
    except yaml.YAMLError as error:
        raise PlatformError(f"{source}: not valid YAML: {' '.join(str(error).split())}") from error
    finally:
        parser.dispose()


def opened(documents: Iterable[t.Any], *, source: str) -> Iterator[Object]:
    """The objects of these documents: lists and C(kind: List) opened, empty documents left out.

    :raises PlatformError: a document is no object with apiVersion, kind and metadata.name.
    """
    for number, document in enumerate(documents, 1):
        where = f"{source}, document {number}"
        if document is None or document == {}:
            continue
        if isinstance(document, list):
            yield from opened(document, source=where)
        elif isinstance(document, dict) and str(document.get("kind", "")).endswith("List") and "items" in document:
            yield from opened(document["items"] or [], source=where)
        else:
            yield checked(document, where)


def checked(document: t.Any, where: str) -> Object:
    """The document, if it says which object it is.

    :raises PlatformError: apiVersion, kind or metadata.name is missing or no text.
    """
    if not isinstance(document, dict):
        raise PlatformError(f"{where}: an object was expected, found {type(document).__name__}")
    metadata = document.get("metadata")
    fields = {"apiVersion": document.get("apiVersion"), "kind": document.get("kind")}
    fields["metadata.name"] = metadata.get("name") if isinstance(metadata, dict) else None
    kind = document.get("kind") or "object"
    if isinstance(metadata, dict) and metadata.get("generateName") and not metadata.get("name"):
        raise PlatformError(f"{where}: {kind} has generateName; an object that is to converge needs metadata.name")
    for path, value in fields.items():
        if not isinstance(value, str) or not value:
            found = "nothing" if value is None else repr(value)
            raise PlatformError(f"{where}: {kind} needs {path} as text, found {found}")
    return document


__all__ = ("checked", "documents", "opened", "parse_manifests", "plain")
