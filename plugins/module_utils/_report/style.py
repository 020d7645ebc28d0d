# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page's style sheet: light and dark, from 320 px to a wall screen, nothing from elsewhere."""

from __future__ import annotations

COLOURS = 8
CSS = """
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #fff; --text: #16191f; --soft: #555d6b; --line: #d9dde4; --free: #eceff3; --on: #fff;
  --good: #17693f; --bad: #b0261c; --accent: #0b5cad;
  --c0: #0b62b8; --c1: #a9430e; --c2: #19724a; --c3: #8038a0; --c4: #a52f49; --c5: #0d6c75; --c6: #6a5a00;
  --c7: #555b68;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #101216; --card: #191c22; --text: #e9ecf1; --soft: #a6aebb; --line: #333a45; --free: #262b34; --on: #0d0f12;
    --good: #71d59b; --bad: #ff9d92; --accent: #82bdff;
    --c0: #7fbaff; --c1: #ffb27c; --c2: #7bdaa5; --c3: #d6a8ee; --c4: #ff9fb2; --c5: #74d6de; --c6: #dbc968;
    --c7: #b9c0cb;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 76rem; padding: 2rem clamp(1rem, 4vw, 2.5rem) 4rem; background: var(--page);
  color: var(--text); font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
h1 { font-size: clamp(1.6rem, 1.2rem + 2vw, 2.3rem); line-height: 1.15; letter-spacing: -.02em; margin: 0 0 .25rem;
  overflow-wrap: anywhere; text-wrap: balance; }
h2 { font-size: 1.25rem; letter-spacing: -.01em; margin: 2.5rem 0 .75rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .5rem; }
p { margin: .25rem 0 .75rem; max-width: 46rem; }
a { color: var(--accent); }
code { font: .875em ui-monospace, "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  overflow-wrap: anywhere; }
.soft { color: var(--soft); }
.small { font-size: .875rem; }
.good { color: var(--good); }
.bad { color: var(--bad); font-weight: 600; }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: .75rem 0 0; font-size: .9375rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem;
  margin: 1.5rem 0 0; }
.figure, .card { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: .875rem 1rem; }
.figure dt { color: var(--soft); font-size: .875rem; }
.figure dd { margin: 0; font-size: 1.5rem; font-weight: 650; letter-spacing: -.02em; line-height: 1.3; }
.figure dd small { display: block; font-size: .8125rem; font-weight: 400; color: var(--soft); letter-spacing: 0; }
.node { margin-bottom: .75rem; }
.node header { display: flex; flex-wrap: wrap; gap: 0 .75rem; align-items: baseline; margin-bottom: .5rem; }
.node header strong { overflow-wrap: anywhere; }
.gpus { display: grid; grid-template-columns: repeat(8, 1fr); gap: .375rem; }
.gpus svg { display: block; width: 100%; height: auto; }
.users { list-style: none; margin: .625rem 0 0; padding: 0; display: grid; gap: .125rem 1rem; font-size: .875rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); }
.users li { display: flex; flex-wrap: wrap; gap: 0 .5rem; align-items: baseline; }
.key { display: inline-block; min-width: 1.4rem; padding: 0 .3rem; border-radius: .3rem;
  text-align: center; color: var(--on); font-size: .8125rem; font-weight: 600; }
.legend li { display: flex; gap: .4rem; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: 0 0 .75rem; padding: 0; list-style: none;
  font-size: .875rem; }
body > header p { max-width: none; }
.flag { white-space: nowrap; }
.wide { overflow-x: auto; border: 1px solid var(--line); border-radius: .75rem; background: var(--card); }
.wide:focus-visible { outline: 2px solid var(--accent); }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; }
th, td { padding: .5rem .875rem; text-align: left; vertical-align: top; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--soft); font-size: .8125rem; font-weight: 600; white-space: nowrap; }
tbody th { font-weight: 600; }
td code, th code { white-space: nowrap; }
.number { text-align: right; white-space: nowrap; }
.bar { display: block; min-width: 6rem; height: .5rem; margin-top: .45rem; border-radius: .25rem;
  background: var(--free); overflow: hidden; }
.bar span { display: block; height: 100%; background: var(--accent); }
.bar .full { background: var(--bad); }
ol.steps { margin: 0; padding-left: 1.25rem; }
ol.steps ul { padding-left: 1rem; color: var(--soft); font-size: .875rem; overflow-wrap: anywhere; }
footer { margin-top: 3rem; color: var(--soft); font-size: .875rem; }
@media (max-width: 40rem) {
  .gpus { grid-template-columns: repeat(4, 1fr); }
  .figures { grid-template-columns: 1fr 1fr; }
  .figure dd { font-size: 1.25rem; }
}
@media print { body { max-width: none; padding: 0; } .node, .figure { break-inside: avoid; } nav { display: none; } }
""" + "".join(
    f".f{number} {{ fill: var(--c{number}); }} .k{number} {{ background: var(--c{number}); }}\n"
    for number in range(COLOURS)
)

__all__ = ("COLOURS", "CSS")
