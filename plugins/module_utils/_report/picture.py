# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The picture of GPUs: a tile for each, cut as the GPU is cut, with numbers that the list of users explains. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

from .markup import Markup, el, join
from .style import COLOURS

WIDTH, HEIGHT, GAP, LETTER = 96, 52, 2.0, 5.6
Node = Mapping[str, t.Any]


def colours(clusters: Sequence[Mapping[str, t.Any]]) -> dict[str, int]:
    """A colour for each namespace that uses GPUs; they begin anew when there are more namespaces than colours."""
    names = {user["namespace"] for one in clusters for node in one["gpu_nodes"] for user in node["users"]}
    return {name: number % COLOURS for number, name in enumerate(sorted(names))}


def legend(palette: Mapping[str, int]) -> Markup:
    """Which colour is which namespace."""
    entries = [
        el("li", el("span", Markup("&nbsp;"), class_=f"key k{colour}", aria_hidden="true"), name)
        for name, colour in palette.items()
    ]
    free = el("span", Markup("&nbsp;"), class_="key", style="background:var(--free);border:1px solid var(--line)")
    return el("ul", *entries, el("li", free, "free"), class_="legend")


def node_card(node: Node, palette: Mapping[str, int]) -> Markup:
    """A node with all its GPUs and a list of those who use them."""
    numbers = {(user["namespace"], user["pod"]): number for number, user in enumerate(_pods(node), 1)}
    tiles = [_tile(index, gpu, numbers, palette) for index, gpu in enumerate(node["gpus"])]
    rows = [_user(user, numbers, palette, node) for user in _pods(node)]
    name = node["accelerator"].removeprefix("NVIDIA ")
    memory = f" {node['memory_gib']:g} GiB" if node["memory_gib"] and "GB" not in name else ""
    head = el(
        "header",
        el("strong", node["name"]),
        el(
            "span",
            f"{node['instance_type']} · {len(node['gpus'])} x {name}{memory}",
            class_="soft small",
        ),
        el("span", node["zone"], class_="soft small"),
        _state(node),
    )
    listed = el("ul", *rows, class_="users") if rows else el("p", "Nobody uses these GPUs.", class_="soft small")
    return el("article", head, el("div", *tiles, class_="gpus"), listed, class_="card node")


def _pods(node: Node) -> list[dict[str, str]]:
    """The pods that use the node, each once."""
    found = {(one["namespace"], one["pod"]) for one in node["users"]}
    return [{"namespace": namespace, "pod": pod} for namespace, pod in sorted(found)]


def _user(user: Mapping[str, str], numbers: t.Any, palette: Mapping[str, int], node: Node) -> Markup:
    mine = [one for one in node["users"] if (one["namespace"], one["pod"]) == (user["namespace"], user["pod"])]
    what = ", ".join(f"{one['count']} x {one['resource'].removeprefix('nvidia.com/')}" for one in mine)
    number = str(numbers[user["namespace"], user["pod"]])
    return el(
        "li",
        el("span", number, class_=f"key k{palette[user['namespace']]}"),
        el("code", f"{user['namespace']}/{user['pod']}"),
        el("span", what, class_="soft"),
    )


def _state(node: Node) -> Markup:
    if not node["ready"]:
        return el("span", "✕ not ready", class_="bad small")
    if not node["right"]:
        offered = ", ".join(f"{count} x {name}" for name, count in node["offered"].items())
        return el("span", f"✕ offers {offered}, not what its pool promises", class_="bad small")
    return el("span", "✓ as promised" if node["schedulable"] else "✓ as promised, cordoned", class_="good small")


def _tile(index: int, gpu: Sequence[Node], numbers: t.Any, palette: Mapping[str, int]) -> Markup:
    used = sum(1 for part in gpu if part["user"])
    label = f"GPU {index}: {used} of {len(gpu)} in use ({', '.join(_words(part) for part in gpu)})"
    parts = [_slice(part, numbers, palette) for part in gpu]
    return el("svg", el("title", label), *parts, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=label)


def _words(part: Node) -> str:
    user = part["user"]
    return f"{part['name']} {user['namespace']}/{user['pod']}" if user else f"{part['name']} free"


def _slice(part: Node, numbers: t.Any, palette: Mapping[str, int]) -> Markup:
    x, width = part["start"] * WIDTH + GAP / 2, part["size"] * WIDTH - GAP
    user, middle = part["user"], x + width / 2
    box = {"x": round(x, 2), "y": 1, "width": round(width, 2), "height": HEIGHT - 2, "rx": 4}
    texts: list[Markup] = []
    if user:
        number = str(numbers[user["namespace"], user["pod"]])
        size = 17 if width > 16 else 11
        texts.append(_text(number, x=middle, y=25, size=size, fill="var(--on)", weight=700))
        rect = el("rect", **box, class_=f"f{palette[user['namespace']]}")
    else:
        rect = el("rect", **box, fill="var(--free)", stroke="var(--line)")
    if len(part["name"]) * LETTER < width:
        colour = "var(--on)" if user else "var(--soft)"
        texts.append(_text(part["name"], x=middle, y=42 if user else 30, size=10, fill=colour, weight=400))
    return join(rect, *texts)


def _text(text: str, *, x: float, y: float, size: int, fill: str, weight: int) -> Markup:
    return el(
        "text", text, x=round(x, 2), y=y, font_size=size, font_weight=weight, fill=fill, text_anchor="middle",
        font_family="system-ui, sans-serif", aria_hidden="true",
    )  # fmt: skip


__all__ = ("colours", "legend", "node_card")
