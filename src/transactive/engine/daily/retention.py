"""Data that a run need not keep any longer, deleted at the end of each day."""

from __future__ import annotations

from transactive.core.community.community import Community
from transactive.core.slots import DAY
from transactive.engine.observer import Observer
from transactive.store import Store
from transactive.store.write.retention import KEPT_TABLES, drop_before


class Retention(Observer):
    """Deletes what is older than the community file says."""

    def __init__(self, community: Community, store: Store) -> None:
        self._days = {kind: getattr(community.privacy.keep, f"{kind}_days") for kind in KEPT_TABLES}
        self._store, self._length = store, community.clock.length

    def committed(self, slot: int) -> None:
        """Delete once `slot` is settled, if a day is over then."""
        if (slot + self._length) % DAY == 0:
            for kind, days in self._days.items():
                if days is not None:
                    drop_before(self._store, kind, slot - days * DAY, do=True)
