"""`transactive.simulate`: a community's recorded days through every room of the market."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from transactive.core.errors import StateError
from transactive.core.slot_book import SlotBook
from transactive.core.slots import time_text
from transactive.core.units import kwh_text, money_text
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import bills_of, replay
from transactive.face.frames import Frame, Library, giving, table, timed
from transactive.face.load import LoadedCommunity, load
from transactive.face.records import SlotTables
from transactive.face.spoken import spoken
from transactive.insight.studies.comparison import Variant
from transactive.insight.summary import MemberBill
from transactive.store import holds_state
from transactive.studies.asked_slots import DEMO_DAYS, DEMO_START, slots_asked
from transactive.studies.compare import able_of, mechanisms_for
from transactive.studies.mechanism_run import under

if TYPE_CHECKING:
    import polars as pl


CHAIN = ("transactive.chain.nodes.client", "transactive.chain.embedded.provider")
"""What a run with a chain in its folder needs."""


@dataclass(frozen=True, eq=False, repr=False)
class Simulation:
    """What a run gave, each a table with slot_start in UTC and slot_start_local; printed, it is a few lines.

    prices: price [µ¤/kWh] and energy of each slot, and the supplier's tariff. orders: what members asked for and got.
    positions: what they bought and sold, a row a price. postings: who paid whom for what [n¤]. readings: registers of
    all meters [Wh]. certificates: bundles of metered energy, and who has them. footprints: of members, location- and
    market-based [mg]. bills: of members over all slots, with and without the market [n¤]. state_hash: of a run that was
    kept in a folder, None without one.
    """

    prices: Frame
    orders: Frame
    positions: Frame
    postings: Frame
    readings: Frame
    certificates: Frame
    footprints: Frame
    bills: Frame
    state_hash: str | None
    _summary: str

    def __repr__(self) -> str:
        return self._summary


@spoken
def simulate(
    community: LoadedCommunity | str | PathLike[str],
    days: int | None = None,
    *,
    start: str | None = None,
    mechanism: str | None = None,
    state: str | PathLike[str] | None = None,
    seed: str = "transactive",
    frames: Library | None = None,
    floats: bool = False,
) -> Simulation:
    """Run a community's recorded days through every room: forecasts, orders, clearing, delivery, settlement, carbon.

    Nothing is written and no chain is used unless `state` names a folder for both.

    Examples
    --------
    >>> import transactive as ta
    >>> run = ta.simulate(ta.load("demo"), days=1)
    >>> run
    Demo community, uniform: 14 members, 24 slots from 2017-06-05T00:00Z
    29.8 kWh traded, members saved 1.84 USD together, worse off: 4
    >>> run.prices.columns[:4]
    ['slot_start', 'slot_start_local', 'price_micro_per_kwh', 'traded_wh']

    Parameters
    ----------
    community
        As `load` gives it, or what `load` takes.
    days
        Days to run; without it all that the community file asks for, a week of the demo.
    start
        First slot, like 2017-06-05T00:00Z; without it the file's, or the first with a day of history.
    mechanism
        Another mechanism than the community's own.
    state
        Empty folder for database and chain, as of `transactive run --state`; `transactive serve` shows it.
    seed
        Seed of the demo keys that sign what is kept.
    frames
        Library of the results, polars or pandas; without it the community's.
    floats
        Add columns in kWh, ¤/kWh, ¤ and kg beside the whole numbers.

    Returns
    -------
    Simulation
        Tables of prices, orders, positions, postings, readings, certificates, footprints and bills; the same call gives
        equal tables.

    Raises
    ------
    ConfigError
        For a community or a mechanism that cannot be.
    DataError
        For days that the readings do not have.
    StateError
        For a folder that holds a run already.
    """
    loaded = community if isinstance(community, LoadedCommunity) else load(community)
    setting = loaded.setting
    if mechanism is not None:
        mechanisms_for([mechanism], **able_of(setting.community))
        setting = under(setting, Variant(name=mechanism))
    give = giving(frames or loaded.frames, floats=floats)
    slots = slots_of(loaded, start, days)
    records: list[SlotBook] = []
    state_hash = None
    if state is None:
        kernel = recorded_run(setting, slots)
        kernel.run(records.append)
        bills = bills_of(kernel)
    else:
        folder = Path(state)
        for name in CHAIN:
            import_module(name)  # a missing extra is told before the folder is made
        if holds_state(folder):
            raise StateError(f"{folder}: holds a run already; give an empty folder, or look at it: transactive serve")
        outcome, _ = replay(setting, slots, folder, seed=seed, after_slot=records.append)
        bills, state_hash = outcome.bills, outcome.summary.state_hash
    found = SlotTables(records, loaded.members)
    tables = {name: give(timed(made(), "slot_start", loaded.zone)) for name, made in found.tables().items()}
    summary = told(loaded, slots, setting.community.market.mechanism, found, bills)
    return Simulation(**tables, bills=give(bill_table(bills)), state_hash=state_hash, _summary=summary)


def slots_of(loaded: LoadedCommunity, start: str | None, days: int | None) -> range:
    """The slots that are asked for; of the demo its week."""
    if loaded.shipped:
        start, days = start or DEMO_START, DEMO_DAYS if days is None else days
    return slots_asked(loaded.setting, start, days)


def bill_table(bills: list[MemberBill]) -> pl.DataFrame:
    """A row a member: both bills and what is in them [n¤], energy [Wh], carbon [mg]."""
    rows = [{"member": bill.id, "saved_n": bill.saved_n, **msgspec.structs.asdict(bill)} for bill in bills]
    return table({name: [row[name] for row in rows] for name in rows[0] if name != "id"})


def told(loaded: LoadedCommunity, slots: range, mechanism: str, found: SlotTables, bills: list[MemberBill]) -> str:
    """The run in two lines."""
    traded = sum(int(record.clearing.traded_wh) for record in found.records)
    saved = money_text(sum(bill.saved_n for bill in bills), loaded.currency)
    worse = sum(bill.saved_n < 0 for bill in bills)
    return (
        f"{loaded.name}, {mechanism}: {len(bills)} members, {len(slots)} slots from {time_text(slots[0])}\n"
        f"{kwh_text(traded)} kWh traded, members saved {saved} together, worse off: {worse}"
    )
