"""Run one step of the Makefile: say what it does, show that it lives, and how long it took.

``step.py [--stream] TITLE COMMAND...``: the output goes to build/logs; it is shown when the step fails, or all the
time with ``--stream``. A step of minutes says every 20 seconds what it printed last.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

LOGS = Path(__file__).resolve().parent.parent / "build/logs"
HEARTBEAT = 20.0
TAIL = 60


def say(text: str) -> None:
    print(text, flush=True)


def main(argv: list[str]) -> int:
    stream = argv[:1] == ["--stream"]
    title, *command = argv[1:] if stream else argv
    start = time.monotonic()
    say(f"==> {title}")
    code = subprocess.run(command, check=False).returncode if stream else quietly(title, command, start)
    elapsed = time.monotonic() - start
    say(f"    {'ok' if code == 0 else f'FAILED (exit {code})'}: {title}, {elapsed:.0f} s")
    return code


def quietly(title: str, command: list[str], start: float) -> int:
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{re.sub('[^a-z0-9]+', '-', title.lower()).strip('-')}.log"
    with log.open("wb") as sink, subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT) as process:
        while True:
            try:
                code = process.wait(timeout=HEARTBEAT)
                break
            except subprocess.TimeoutExpired:
                last = (log.read_text(errors="replace").strip().splitlines() or [""])[-1]
                say(f"    ... {time.monotonic() - start:.0f} s: {last[:110]}")
    if code:
        say("\n".join(log.read_text(errors="replace").splitlines()[-TAIL:]))
        say(f"    the whole output: {log}")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
