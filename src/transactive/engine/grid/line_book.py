"""What lasts of a network's lines: forecasts, loads and what was done for them."""

from __future__ import annotations

from transactive.core.congestion import Congestion, Interventions, LineLoads
from transactive.store import Store
from transactive.store.write.grid import save_congestion, save_loads


class LineBook:
    """Keeps what an operator of lines says in a run's database."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def forecast(self, seen: Congestion, *, ahead: bool) -> None:
        """Write a forecast of lines; ahead: one of the day ahead."""
        save_congestion(self._store, seen, ahead=ahead)

    def report(self, loads: LineLoads, done: Interventions) -> None:
        """Write what lines of a delivered slot carried, and what was done for them."""
        save_loads(self._store, loads, done)


class NoLineBook:
    """Keeps nothing: a run without a database."""

    def forecast(self, seen: Congestion, *, ahead: bool) -> None:
        """Nothing is written."""

    def report(self, loads: LineLoads, done: Interventions) -> None:
        """Nothing is written."""
