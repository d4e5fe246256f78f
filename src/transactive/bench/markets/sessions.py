"""What a day-ahead session changes for the demo's homes: saved in a week, and how much of its trading is undone again.

Saved as in `plans`. The day-ahead gate fixes the batteries' plans too, so an early one costs what is not yet known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import msgspec

from transactive.bench.measure import BenchTimer
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.config.setting import Setting, load_setting
from transactive.config.shipped import DEMO
from transactive.core.postings import PostingKind
from transactive.core.slot_book import SlotBook
from transactive.core.slots import parse_time
from transactive.core.units import NANO
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import bills_of, slots_of

START = "2017-06-05T00:00Z"
GATES = (("at noon the day before", 720), ("an hour before the day", 60))


@bench("sessions", summary="day-ahead and intraday sessions against intraday alone")
def sessions(_: BenchTimer) -> Iterator[Row]:
    """Run the demo's week with and without a day-ahead session."""
    setting = load_setting(DEMO)
    alone_n, _again = week(setting)
    for gate, minutes in GATES:
        saved_n, again_wh = week(setting, sessions=("day_ahead", "intraday"), day_ahead_gate_minutes=minutes)
        yield Row(
            name=f"saved in a week, day-ahead gate {gate}",
            value=saved_n / NANO,
            unit="USD",
            reference="intraday alone",
            reference_value=alone_n / NANO,
            ratio=saved_n / alone_n,
        )
        yield Row(name=f"traded again, day-ahead gate {gate}", value=again_wh / 1000, unit="kWh")


def week(setting: Setting, **market: object) -> tuple[int, int]:
    """Run a week without a chain: saved by all members [n¤], and sold again [Wh]."""
    rules = msgspec.structs.replace(setting.community.market, **market)
    setting = replace(setting, community=msgspec.structs.replace(setting.community, market=rules))
    walk, records = recorded_run(setting, slots_of(setting, parse_time(START), 7)), list[SlotBook]()
    walk.run(records.append)
    again = (record.postings.energy_wh[record.postings.kind == PostingKind.TRADED_AGAIN] for record in records)
    return sum(bill.saved_n for bill in bills_of(walk)), sum(int(wh.sum()) for wh in again)
