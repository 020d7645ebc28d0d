# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Unknown fields and wrong types, found against the API's own schema before anything is written.

The server checks the same at each write; here every mistake of a set is named at once, with its path, before the first.
Only what is certain is an error: a place that the schema leaves open is never complained about.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .._core.text import nearest
from .objects import Object, group_of, version_of

Schema = Mapping[str, t.Any]
SCHEMAS = "#/components/schemas/"
WORDS = {"string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false"}
OPEN = ("oneOf", "anyOf", "not", "x-kubernetes-int-or-string")
IDENTITY = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {}}


class Schemas:
    """The schemas of one group version, by kind.

    :param document: an OpenAPI v3 document as under C(/openapi/v3).
    """

    def __init__(self, document: Schema) -> None:
        self._schemas: Schema = (document.get("components") or {}).get("schemas") or {}
        self._kinds: dict[tuple[str, str, str], Schema] = {}
        for schema in self._schemas.values():
            for entry in schema.get("x-kubernetes-group-version-kind") or ():
                self._kinds[entry.get("group", ""), entry.get("version", ""), entry.get("kind", "")] = schema

    def problems(self, document: Object) -> list[str]:
        """Sentences about unknown fields and wrong types, each with its path; empty when the kind is not known."""
        api_version = str(document["apiVersion"])
        schema = self._kinds.get((group_of(api_version), version_of(api_version), str(document["kind"])))
        return [] if schema is None else self._value(document, schema, "")

    def _resolved(self, schema: Schema) -> Schema:
        for _other in range(10):
            if "$ref" in schema:
                schema = self._schemas.get(str(schema["$ref"]).removeprefix(SCHEMAS)) or {}
            elif len(schema.get("allOf") or ()) == 1 and "properties" not in schema:
                schema = schema["allOf"][0]
            else:
                break
        return schema

    def _value(self, value: t.Any, schema: Schema, path: str) -> list[str]:
        schema = self._resolved(schema)
        if value is None or any(word in schema for word in OPEN):
            return []
        if wrong := _wrong_type(value, schema):
            return [f"{path or 'the object'}: {wrong}"]
        if isinstance(value, dict):
            return self._mapping(value, schema, path)
        if isinstance(value, list) and "items" in schema:
            found = (self._value(item, schema["items"], f"{path}[{i}]") for i, item in enumerate(value))
            return [problem for problems in found for problem in problems]
        return []

    def _mapping(self, value: Mapping[str, t.Any], schema: Schema, path: str) -> list[str]:
        properties = schema.get("properties")
        extra = schema.get("additionalProperties")
        found: list[str] = []
        if schema.get("x-kubernetes-embedded-resource"):
            properties = {**IDENTITY, **(properties or {})}
        for key, inner in value.items():
            place = f"{path}.{key}" if path else key
            if properties and key in properties:
                found += self._value(inner, properties[key], place)
            elif isinstance(extra, dict):
                found += self._value(inner, extra, place)
            elif properties and not extra and not schema.get("x-kubernetes-preserve-unknown-fields"):
                close = nearest(key, properties)
                found.append(f"{place}: unknown field" + (f"; did you mean {close}?" if close else ""))
        return found


def _wrong_type(value: t.Any, schema: Schema) -> str:
    kind = schema.get("type")
    if "properties" in schema and not isinstance(value, dict):
        return f"needs a mapping, found {_shown(value)}"
    if kind == "array" and not isinstance(value, list):
        return f"needs a list, found {_shown(value)}"
    if kind not in WORDS or schema.get("format") in ("int-or-string", "quantity"):
        return ""
    fits = {
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, (int, float)) and not isinstance(value, bool),
    }[kind]
    return "" if fits else f"needs {WORDS[kind]}, found {_shown(value)}"


def _shown(value: t.Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return "text" if isinstance(value, str) else repr(value).lower()


def schemas_of_definitions(definitions: t.Iterable[Mapping[str, t.Any]]) -> dict[str, Schemas]:
    """The schemas that these CustomResourceDefinitions will bring, by apiVersion."""
    found: dict[str, dict[str, t.Any]] = {}
    for definition in definitions:
        spec = definition.get("spec") or {}
        group, kind = str(spec.get("group")), str((spec.get("names") or {}).get("kind"))
        for version in spec.get("versions") or []:
            schema = dict((version.get("schema") or {}).get("openAPIV3Schema") or {})
            if schema.get("properties"):
                schema["properties"] = {**schema["properties"], **IDENTITY}
            name = str(version.get("name"))
            schema["x-kubernetes-group-version-kind"] = [{"group": group, "version": name, "kind": kind}]
            found.setdefault(f"{group}/{name}", {})[kind] = schema
    return {api_version: Schemas({"components": {"schemas": schemas}}) for api_version, schemas in found.items()}


__all__ = ("Schemas", "schemas_of_definitions")
