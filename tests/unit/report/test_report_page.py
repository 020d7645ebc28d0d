# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report's page: it parses, shows every GPU, escapes every name, and is the same for the same data."""

from __future__ import annotations

import re
import typing as t
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._report.cluster import Live, quota_facts
from ansible_collections.aiplatform.eks.plugins.module_utils._report.page import page
from ansible_collections.aiplatform.eks.plugins.module_utils._report.style import COLOURS, CSS
from report_world import RUN, cluster, quota

VOID = {"meta", "rect"}


class Reader(HTMLParser):
    """Refuses what is not closed in order, and keeps what the tests ask for."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.labels: list[str] = []
        self.outside: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids += [str(found["id"])] if "id" in found else []
        self.links += [str(found["href"])] if "href" in found else []
        self.labels += [str(found.get("aria-label"))] if tag == "svg" else []
        self.outside += [str(found["src"])] if "src" in found else []
        self.scripts += tag == "script" and found.get("type") != "application/json"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def text() -> str:
    return page([cluster()], RUN)


def test_it_is_whole_and_needs_nothing_else(text: str) -> None:
    found = read(text)
    assert text.startswith("<!doctype html>")
    assert len(found.ids) == len(set(found.ids))
    assert {link for link in found.links if not link.startswith("#")} == set()
    assert {link.removeprefix("#") for link in found.links} <= set(found.ids)
    assert (found.outside, found.scripts) == ([], 0)
    assert not re.search(r"url\(|@import|https?:", text)


def test_every_gpu_is_shown_and_said_in_words(text: str) -> None:
    labels = read(text).labels
    assert len(labels) == 4 * 8
    assert "GPU 0: 2 of 2 in use (3g.40gb agentic/planner-5c7b, 3g.40gb inference/llama-3-1-8b-7d9f8-0)" in labels
    assert "GPU 3: 1 of 1 in use (whole training/fine-tune-0)" in labels
    assert "GPU 7: 0 of 3 in use (1/3 free, 1/3 free, 1/3 free)" in labels


def test_every_pod_that_holds_a_gpu_is_named(text: str) -> None:
    for node in cluster()["gpu_nodes"]:
        for user in node["users"]:
            assert f"{user['namespace']}/{user['pod']}</code>" in text


def test_what_is_wrong_is_said(text: str) -> None:
    assert "✕ not ready" in text
    broken = cluster()
    broken["gpu_nodes"][0] |= {"right": False, "ready": True, "offered": {"nvidia.com/gpu.shared": 8}}
    assert "✕ offers 8 x nvidia.com/gpu.shared, not what its pool promises" in page([broken], {})


def test_stand_ins_are_said(text: str) -> None:
    assert "gpu-operator v26.7.0, stand-in" in text


def test_prices_are_those_of_the_live_nodes(text: str) -> None:
    pools = cluster()["pools"]
    hour = 0.1 + sum(pool["usd_per_hour"] for pool in pools)
    assert f"{hour:,.2f} USD/h" in text
    assert f"{hour * 730:,.0f} USD a month" in text


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", '"onload="x', "</script><b>", "&amp;'", "a\n><section"]
)
def test_names_are_text_whatever_they_are(hostile: str) -> None:
    one = cluster(name=hostile, region=hostile)
    one["pools"][0]["name"] = hostile
    node = one["gpu_nodes"][0]
    node["name"] = node["users"][0]["pod"] = node["gpus"][0][0]["user"]["pod"] = hostile
    one["releases"][0]["chart"] = one["addons"][0]["version"] = hostile
    run = {"time": hostile, "changed": [{"host": hostile, "task": hostile, "steps": [hostile]}]}
    calm = read(page([cluster()], RUN))
    found = read(page([one], run))
    assert (found.scripts, found.outside) == (0, [])
    assert found.ids == calm.ids


@pytest.mark.parametrize("prefix", ["", "requests."])
def test_a_quota_says_what_is_used_however_its_keys_are_written(prefix: str) -> None:
    hard, used = (
        {f"{prefix}cpu": cpu, f"{prefix}memory": memory} for cpu, memory in (("32", "64Gi"), ("3500m", "16Gi"))
    )
    found = quota_facts(Live(version="", nodes=(), pods=(), quotas=(quota("mlops", hard, used),)))
    said = {one["resource"]: (one["hard"], one["used"]) for one in found}
    assert said == {"cpu": (32.0, 3.5), "memory": (64.0, 16.0)}


def test_several_clusters_share_one_page() -> None:
    text = page([cluster("one"), cluster("two")], {})
    assert len(read(text).labels) == 2 * 4 * 8
    assert text.count("<h3>two</h3>") == 5


def test_a_cluster_that_is_to_come_has_a_page() -> None:
    empty: dict[str, t.Any] = {"name": "new", "kubernetes_version": "", "pools": [], "gpu_nodes": []}
    empty |= {"capacity": [], "quotas": [], "releases": []}
    text = page([empty], {})
    read(text)
    assert "No node has GPUs at the moment." in text
    assert "Kubernetes to come" in text


def test_the_same_data_give_the_same_text(text: str) -> None:
    assert page([cluster()], RUN) == text


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2."""
    full = colour if len(colour) == 7 else "#" + "".join(2 * digit for digit in colour[1:])
    parts = [int(full[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_has_contrast_in_both_themes(theme: int) -> None:
    blocks = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    assert len(blocks) == 2
    colour = dict(re.findall(r"--([\w]+): (#\w+)", blocks[theme]))
    pairs = [(name, ground) for name in ("text", "soft", "good", "bad", "accent") for ground in ("page", "card")]
    pairs += [(f"c{number}", "on") for number in range(COLOURS)] + [("soft", "free")]
    assert {
        pair: contrast(colour[pair[0]], colour[pair[1]]) for pair in pairs if contrast(*map(colour.get, pair)) < 4.5
    } == {}  # type: ignore[arg-type]


def test_slices_do_not_overlap() -> None:
    for node in cluster()["gpu_nodes"]:
        for gpu in node["gpus"]:
            for left, right in pairwise(gpu):
                assert left["start"] + left["size"] <= right["start"] + 0.001
