"""Plans of batteries, kept as they are made, so that each slot can be explained by what was weighed for it."""

from __future__ import annotations

from transactive.engine.observer import Observer
from transactive.store import Store
from transactive.store.devices.plans import save_plan
from transactive.trading.devices.made import MadePlan


class PlanBook(Observer):
    """Keeps the plans of a run in its database."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def planned(self, plan: MadePlan) -> None:
        """Keep a plan."""
        save_plan(self._store, plan)
