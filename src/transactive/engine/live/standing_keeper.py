"""Writes down now and then how a live market stands, for its pages and for Prometheus."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from transactive.engine.live.boxes.commands import BoxCommands
from transactive.engine.live.collector import Collector
from transactive.engine.live.waiting import Time
from transactive.store.live.standing import LiveStanding, live_standing, write_standing

EVERY_SECONDS = 5.0
"""How often it is written down."""


class StandingKeeper:
    """Keeps the standing of one market. orders_refused: orders by reason, as they are counted."""

    def __init__(
        self, folder: Path, clock: Time, collector: Collector, commands: BoxCommands, orders_refused: Counter[str]
    ) -> None:
        """Go on with the failures that were written down before."""
        self._folder, self._clock, self._collector, self._commands = folder, clock, collector, commands
        self._orders_refused, self._written = orders_refused, 0.0
        self._settled: tuple[int, int] | None = None
        before = live_standing(folder)
        commands.failures.extend(before.failures if before else ())

    def settled(self, slot: int, end: int) -> None:
        """Know that a slot [Unix s] that ended at `end` is settled now."""
        self._settled = slot, self._clock.now - end

    def look(self, *, is_connected: bool, backlog: Callable[[], int]) -> None:
        """Write down how the market stands, if it is time. Raises StateError where the disk takes no more."""
        if time.monotonic() - self._written < EVERY_SECONDS:
            return
        self._written = time.monotonic()
        settled, after = self._settled or (None, None)
        standing = LiveStanding(
            written=int(time.time()),
            now=self._clock.now,
            is_connected=is_connected,
            backlog=backlog(),
            meters=self._collector.standing(),
            refused=dict(self._collector.refused),
            orders_refused=dict(self._orders_refused),
            settled=settled,
            settled_after=after,
            failures=tuple(self._commands.failures),
        )
        write_standing(self._folder, standing)
