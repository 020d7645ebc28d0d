# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as one page of HTML that needs nothing else. Pure: the same data give the same text."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterable, Mapping, Sequence

from .._aws.monthly_cost import CLUSTER, HOURS_PER_MONTH
from .markup import Markup, el, join
from .picture import colours, legend, node_card
from .style import CSS

Data = Mapping[str, t.Any]
CONTROL_PLANE = CLUSTER / HOURS_PER_MONTH
RUN = "run-record"  # id of the element that carries what changed, for the next page
SECTIONS = (
    ("gpus", "GPUs"),
    ("pools", "Node pools"),
    ("capacity", "Capacity and quotas"),
    ("price", "Price"),
    ("versions", "Versions"),
    ("changes", "Changes"),
)
ORDER_NOTE = (
    "Kubernetes says how many devices a pod holds on a node, not which: pods are drawn in the order of their names. "
    "MIG instances stand where the GPU places them."
)
PRICE_NOTE = (
    "On-demand prices of instances and of the control plane; spot counts as on demand. Volumes, traffic and load "
    "balancers are not in them."
)


def page(clusters: Sequence[Data], run: Data) -> str:
    """The whole page.

    :param clusters: what C(platform_info) returned, each with C(name), C(cloud), C(region), C(price), C(addons).
    :param run: C({time, changed: [{host, task, steps}]}) of the last run that changed something; empty without one.
    """
    names = ", ".join(str(one["name"]) for one in clusters)
    palette = colours(clusters)
    several = len(clusters) > 1
    parts = {
        "gpus": [_gpus(one, palette, several) for one in clusters],
        "pools": [_pools(one, several) for one in clusters],
        "capacity": [_capacity(one, several) for one in clusters],
        "price": [_price(one, several) for one in clusters],
        "versions": [_versions(one, several) for one in clusters],
        "changes": [_changes(run)],
    }
    sections = [
        el("section", el("h2", title, id=f"{key}-title"), *parts[key], id=key, aria_labelledby=f"{key}-title")
        for key, title in SECTIONS
    ]
    head = join(
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("title", f"AI platform: {names}"),
        el("style", Markup(CSS)),
    )
    body = join(
        el("header", el("h1", f"AI platform {names}"), *[_where(one) for one in clusters], _navigation()),
        _figures(clusters),
        el("main", *sections),
        el("footer", "Made by aiplatform.eks from what the cluster's API said. It names objects and shows no secret."),
        el("script", _embedded(run), type="application/json", id=RUN),
    )
    text = f"<!doctype html>\n{el('html', el('head', head), el('body', body), lang='en')}\n"
    for tag in ("<section", "<article", "<tr", "<li", "<p"):
        text = text.replace(f">{tag}", f">\n{tag}")  # a line for each thing said: text never holds a bare angle bracket
    return text


def _embedded(run: Data) -> Markup:
    """JSON that no text in it can end early."""
    return Markup(json.dumps(run, sort_keys=True).replace("<", "\\u003c"))


def _navigation() -> Markup:
    return el("nav", *[el("a", title, href=f"#{key}") for key, title in SECTIONS], aria_label="Sections")


def _where(one: Data) -> Markup:
    cloud = "the local cloud: emulated AWS, simulated nodes" if one.get("cloud") == "local" else "AWS"
    return el(
        "p",
        f"{one['name']} · {one.get('region', '')} · Kubernetes {one['kubernetes_version'] or 'to come'} · {cloud}",
        class_="soft",
    )


def _figures(clusters: Sequence[Data]) -> Markup:
    pools = [pool for one in clusters for pool in one["pools"]]
    slices = [part for one in clusters for node in one["gpu_nodes"] for gpu in node["gpus"] for part in gpu]
    gpus = sum(len(node["gpus"]) for one in clusters for node in one["gpu_nodes"])
    hour = sum(_hourly(one) for one in clusters)
    ready, nodes = sum(pool["ready"] for pool in pools), sum(pool["nodes"] for pool in pools)
    entries = [
        ("Nodes ready", f"{ready} of {nodes}", f"{sum(pool['most'] for pool in pools)} at the largest"),
        ("GPUs", str(gpus), f"cut into {len(slices)} shares"),
        (
            "Shares in use",
            f"{sum(1 for part in slices if part['user'])} of {len(slices)}",
            "held by pods",
        ),
        ("Price now", f"{hour:,.2f} USD/h", f"{hour * HOURS_PER_MONTH:,.0f} USD a month"),
    ]
    figures = [
        el("div", el("dt", name), el("dd", value, el("small", note)), class_="figure") for name, value, note in entries
    ]
    return el("dl", *figures, class_="figures")


def _title(one: Data, several: bool) -> list[Markup]:
    return [el("h3", str(one["name"]))] if several else []


def _gpus(one: Data, palette: Mapping[str, int], several: bool) -> Markup:
    cards: list[Markup] = []
    for pool in one["pools"]:
        nodes = [node for node in one["gpu_nodes"] if node["pool"] == pool["name"]]
        if nodes:
            cards += [el("h3", pool["name"], el("span", f" {pool['sharing']}", class_="soft")), *_cards(nodes, palette)]
    if not cards:
        return join(*_title(one, several), el("p", "No node has GPUs at the moment.", class_="soft"))
    return join(*_title(one, several), el("p", ORDER_NOTE, class_="soft small"), legend(palette), *cards)


def _cards(nodes: Iterable[Data], palette: Mapping[str, int]) -> list[Markup]:
    return [node_card(node, palette) for node in nodes]


def _pools(one: Data, several: bool) -> Markup:
    rows = [
        [
            pool["name"],
            ", ".join(pool["instance_types"])
            + ("" if pool["capacity_type"] == "on_demand" else f" ({pool['capacity_type']})"),
            pool["sharing"] or "no accelerators",
            ", ".join(f"{count} x {name}" for name, count in pool["offers"].items()),
            _flag(f"{pool['ready']} of {pool['nodes']}", pool["ready"] == pool["nodes"]),
            f"{pool['least']} to {pool['most']}",
        ]
        for pool in one["pools"]
    ]
    head = ["Pool", "Instance types", "Sharing", "A node offers", "Ready", "Nodes"]
    return join(*_title(one, several), table(head, rows, label=f"Node pools of {one['name']}"))


def _capacity(one: Data, several: bool) -> Markup:
    whole = [
        [
            el("code", row["resource"]),
            _amount(row["resource"], row["asked"]),
            _amount(row["resource"], row["now"]),
            _amount(row["resource"], row["most"]),
            _amount(row["resource"], row["quotas"]),
        ]
        for row in one["capacity"]
    ]
    shares = [
        [
            row["namespace"],
            el("code", row["resource"]),
            join(f"{_amount(row['resource'], row['used'])} of {_amount(row['resource'], row['hard'])}", _bar(row)),
        ]
        for row in one["quotas"]
    ]
    found = [*_title(one, several)]
    head = ["Resource", "Asked for", "Nodes now", "Nodes at most", "All quotas"]
    found.append(table(head, whole, label=f"Capacity of {one['name']}", numbers=(1, 2, 3, 4)))
    if shares:
        found.append(el("h3", "Quotas of namespaces"))
        found.append(table(["Namespace", "Resource", "Used"], shares, label=f"Quotas of {one['name']}"))
    return join(*found)


def _bar(row: Data) -> Markup:
    part = min(1.0, row["used"] / row["hard"]) if row["hard"] else 1.0
    full = "full" if part >= 1 else None
    return el("span", el("span", style=f"width:{part * 100:.0f}%", class_=full), class_="bar", aria_hidden="true")


def _price(one: Data, several: bool) -> Markup:
    plan = one.get("price") or {}
    rows = [["EKS control plane", "", "", _usd(CONTROL_PLANE)]]
    rows += [
        [pool["name"], str(pool["nodes"]), _usd(pool["usd_per_node_hour"]), _usd(pool["usd_per_hour"])]
        for pool in one["pools"]
    ]
    found = [*_title(one, several)]
    head = ["What", "Nodes now", "USD a node and hour", "USD an hour"]
    found.append(table(head, rows, label=f"Price of {one['name']}", numbers=(1, 2, 3)))
    if plan.get("per_hour"):
        bounds = [
            [name, _usd(plan["per_hour"][key]), f"{plan['per_month'][key]:,.0f}"]
            for name, key in (("Fewest nodes", "least"), ("At first", "first"), ("Most nodes", "most"))
        ]
        found.append(el("h3", "What the inventory can cost"))
        found.append(table(["", "USD an hour", "USD a month"], bounds, label="Bounds of the price", numbers=(1, 2)))
    note = PRICE_NOTE
    if plan.get("from_table"):
        note += f" From the table of us-east-1, 2026-07: {', '.join(plan['from_table'])}."
    if plan.get("unknown"):
        note += f" Without a known price, counted as nothing: {', '.join(plan['unknown'])}."
    return join(*found, el("p", note, class_="soft small"))


def _hourly(one: Data) -> float:
    return CONTROL_PLANE + sum(pool["usd_per_hour"] or 0.0 for pool in one["pools"])


def _versions(one: Data, several: bool) -> Markup:
    rows = [["Kubernetes", "EKS", one["kubernetes_version"], ""]]
    rows += [
        [
            release["name"],
            f"chart, namespace {release['namespace']}",
            f"{release['chart']} {release['chart_version']}" + (", stand-in" if release["stand_in"] else ""),
            _flag(release["status"], release["status"] == "deployed"),
        ]
        for release in one["releases"]
    ]
    rows += [
        [addon["name"], "EKS add-on", str(addon["version"]), _flag(str(addon["status"]), addon["status"] == "ACTIVE")]
        for addon in one.get("addons") or ()
    ]
    note: list[Markup] = []
    if any(release["stand_in"] for release in one["releases"]):
        note = [
            el("p", "A stand-in makes the chart's objects without its software, for rehearsals.", class_="soft small")
        ]
    return join(
        *_title(one, several),
        table(["What", "Kind", "Version", "State"], rows, label=f"Versions of {one['name']}"),
        *note,
    )


def _changes(run: Data) -> Markup:
    if not run:
        return el("p", "No run that kept a record has changed anything yet. Records are kept by the callback "
                  "aiplatform.eks.run_record.", class_="soft")  # fmt: skip
    entries = []
    for change in run["changed"]:
        steps = [el("li", step) for step in change.get("steps") or ()]
        more = [el("ul", *steps)] if steps else []
        entries.append(el("li", el("span", f"{change['task']} ", el("span", change["host"], class_="soft")), *more))
    said = f"The last run that changed something, {run['time']}: {len(entries)} tasks."
    return join(el("p", said, class_="soft"), el("ol", *entries, class_="steps"))


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, label: str, numbers: Sequence[int] = ()) -> Markup:
    """A table that scrolls sideways where it is too wide; the first cell of a row names it."""

    def cell(tag: str, text: str, column: int, scope: str | None = None) -> Markup:
        return el(tag, text, class_="number" if column in numbers else None, scope=scope)

    header = el("tr", *[cell("th", text, column, "col") for column, text in enumerate(head)])
    body = [
        el(
            "tr",
            *[
                cell("td" if column else "th", text, column, None if column else "row")
                for column, text in enumerate(row)
            ],
        )
        for row in rows
    ]
    found = el("table", el("thead", header), el("tbody", *body))
    return el("div", found, class_="wide", role="region", aria_label=label, tabindex=0)


def _flag(text: str, good: bool) -> Markup:
    return el("span", f"{'✓' if good else '✕'} {text}", class_=f"flag {'good' if good else 'bad'}")


def _amount(resource: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f} GiB" if resource == "memory" else f"{round(value, 1):,g}"


def _usd(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.2f}"


__all__ = ("RUN", "page")
