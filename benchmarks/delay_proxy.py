"""A TCP proxy that adds a round-trip time, run as its own process: ``python -m benchmarks.delay_proxy TARGET_PORT MS``.

It prints its port, then forwards until its standard input ends. Each direction holds bytes back for half the time.
"""

from __future__ import annotations

import asyncio
import collections
import subprocess
import sys
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class _Pipe(asyncio.Protocol):
    """One direction: each chunk goes on C(delay) seconds after it came, without holding back the ones behind it.

    Callbacks instead of streams: the proxy shares the machine with what is measured.
    """

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._loop = asyncio.get_running_loop()
        self._chunks: collections.deque[bytes] = collections.deque()
        self.target: asyncio.Transport | None = None
        self.source: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.source = t.cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._later(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's signature)
        self._later(b"")

    def _later(self, data: bytes) -> None:
        self._chunks.append(data)
        self._loop.call_later(self._delay, self._forward)

    def _forward(self) -> None:
        data = self._chunks.popleft()
        if self.target is None:
            return
        if data:
            self.target.write(data)
        else:
            self.target.close()


class _Door(_Pipe):
    """The client's side: it is let in after the time that the TCP handshake takes over the distance."""

    def __init__(self, delay: float, upstream: int) -> None:
        super().__init__(delay)
        self._upstream = upstream
        self._letting_in: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._client().pause_reading()
        self._letting_in = self._loop.create_task(self._let_in())

    def _client(self) -> asyncio.Transport:
        assert self.source
        return self.source

    async def _let_in(self) -> None:
        await asyncio.sleep(2 * self._delay)
        back = _Pipe(self._delay)
        back.target = self._client()
        try:
            await self._loop.create_connection(lambda: back, "127.0.0.1", self._upstream)
        except OSError:
            self._client().close()
            return
        self.target = back.source
        self._client().resume_reading()


async def _serve(target: int, delay: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Door(delay, target), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


@contextmanager
def delayed(target: int, milliseconds: float) -> Iterator[int]:
    """The port of a proxy in front of ``target`` with this round-trip time; ``target`` itself for none."""
    if not milliseconds:
        yield target
        return
    command = [sys.executable, "-m", "benchmarks.delay_proxy", str(target), str(milliseconds)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        assert child.stdin
        try:
            yield int(child.stdout.readline())
        finally:
            child.stdin.close()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2]) / 2000))
