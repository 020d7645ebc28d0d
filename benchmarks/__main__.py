"""``python -m benchmarks [GROUP]``: run the benchmarks, print the table and write build/bench.json."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

from benchmarks.harness import Row, table

HERE = Path(__file__).resolve().parent


def main(argv: list[str]) -> int:
    groups = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    wanted = [group for group in argv if group] or groups
    if unknown := sorted(set(wanted) - set(groups)):
        print(f"unknown benchmark group {', '.join(unknown)}; there are {', '.join(groups)}", file=sys.stderr)
        return 2
    sys.path.insert(0, str(HERE.parent / "build/collections"))
    rows: list[Row] = []
    for group in wanted:
        print(f"# {group}", file=sys.stderr, flush=True)
        for row in importlib.import_module(f"benchmarks.bench_{group}").rows():
            rows.append(row)
            print(f"  {table([row]).splitlines()[-1]}", file=sys.stderr, flush=True)
    print(table(rows))
    target = HERE.parent / "build/bench.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps([row.as_json() for row in rows], indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
