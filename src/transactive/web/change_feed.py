"""The feed of a run: one look at the database every half second, shared by everybody who waits for news."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from transactive.store.read.runs import Reader, RunProgress

INTERVAL = 0.5
"""Seconds between two looks."""


class ChangeFeed:
    """Watches how far the run has come, for as long as the server runs."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.position = reader.position()
        self.stopping = False
        self._moved_at = time.monotonic()
        self._moved = asyncio.Condition()

    @property
    def idle(self) -> float:
        """Seconds since the run was last seen to move, or since the server began to look."""
        return time.monotonic() - self._moved_at

    def stop(self) -> None:
        """Let everybody who waits go, at the next beat. May be called from any thread."""
        self.stopping = True

    async def wait(self, seen: RunProgress, seconds: float) -> RunProgress:
        """Wait until the run is elsewhere than `seen`, the server stops, or the time is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._moved:
                await self._moved.wait_for(lambda: self.stopping or self.position != seen)
        return self.position

    @contextlib.asynccontextmanager
    async def beating(self, _: object) -> AsyncIterator[None]:
        """Beat while the application lives."""
        task = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _beat(self) -> None:
        while True:
            position = await asyncio.to_thread(self.reader.position)
            if position != self.position or self.stopping:
                self.position, self._moved_at = position, time.monotonic()
                async with self._moved:
                    self._moved.notify_all()
            await asyncio.sleep(INTERVAL)
