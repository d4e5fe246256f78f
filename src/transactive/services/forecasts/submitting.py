"""Forecasts of a total that somebody sends to a live market: who may, sealed, and shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

from transactive.core.community.community import Community
from transactive.core.errors import InputError, StateError
from transactive.core.slots import parse_time
from transactive.engine.live.forecasts.desk import ForecastDesk, TakenForecasts
from transactive.store import Store
from transactive.store.live.journal import JOURNAL_FILE, Journal
from transactive.store.read.runs import Reader


def forecaster_named(community: Community, *, name: str | None = None, member: str | None = None) -> str:
    """Name by which somebody submits: one outside by its own, a member by the one that it is paid as.

    Raises InputError for who is not among the community's forecasters.
    """
    for each in community.forecasters:
        if each.name == name or (member is not None and each.account == member):
            return each.name
    who = name or member
    raise InputError(f"{who}: is not among the community's [[forecasters]]; its operator adds who may submit")


def seal(store: Store, forecaster: str, sealed: Sequence[tuple[str, str]]) -> TakenForecasts:
    """Seal forecasts: slots, RFC 3339, with SHA-256 in hexadecimal. Raises InputError, StateError; then none is."""
    at = [(parse_time(slot), digest.lower()) for slot, digest in sealed]
    with _desk(store) as desk:
        return desk.seal(forecaster, at)


def show(store: Store, forecaster: str, shown: Sequence[tuple[str, tuple[int, ...], str]]) -> TakenForecasts:
    """Show what was sealed: slot, quantiles [Wh], salt in hexadecimal. Raises InputError, StateError; then none is."""
    at = [(parse_time(slot), quantiles, salt.lower()) for slot, quantiles, salt in shown]
    with _desk(store) as desk:
        return desk.show(forecaster, at)


@contextmanager
def _desk(store: Store) -> Iterator[ForecastDesk]:
    """The desk of a live market's state. Raises StateError for a run on recorded data."""
    from transactive.engine.live.session import OUTBOX_FILE
    from transactive.engine.live.waiting import WallClock

    folder, run = store.path.parent, Reader(store).run()
    if run is None or not (folder / JOURNAL_FILE).exists():
        raise StateError(f"{folder}: forecasts are sent to a live market; a run on recorded data takes them from files")
    with closing(Journal(folder / JOURNAL_FILE)) as journal:
        now = journal.received if (folder / OUTBOX_FILE).exists() else WallClock.noted(folder).now
        slots = range(run.first_slot, run.clock.end(run.last_slot), run.clock.length)
        yield ForecastDesk(journal, run.clock, slots, now)
