"""A year of the demo community that nobody looks after: its agents trade, its accounts fill themselves.

Without chain and database, which need nobody either: `transactive demo --days 363` is the same with both.
"""

from __future__ import annotations

from collections.abc import Iterator

from transactive.bench.measure import BenchTimer
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.config.setting import load_setting
from transactive.config.shipped import DEMO
from transactive.core.slot_book import SlotBook
from transactive.core.units import NANO
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import bills_of, slots_from


@bench("autonomy", summary="a year of the demo community without a human")
def autonomy(_: BenchTimer) -> Iterator[Row]:
    """Walk the year, and count what would have needed somebody."""
    setting = load_setting(DEMO)
    slots = slots_from(setting)
    walk, traded = recorded_run(setting, slots), 0

    def seen(record: SlotBook) -> None:
        nonlocal traded
        traded += record.clearing.traded_wh > 0

    walk.run(seen)
    bills = bills_of(walk)
    yield Row(name="slots delivered of a year", value=walk.tally.slots, unit=f"of {len(slots):,}")
    yield Row(name="slots in which something was traded", value=traded, unit="slots")
    yield Row(name="orders refused for lack of funds", value=walk.tally.refused, unit=f"of {walk.tally.orders:,}")
    yield Row(name="members out of the market at the end", value=int(walk.ledger.suspended.sum()), unit="members")
    yield Row(
        name="bills of the year",
        value=sum(bill.with_market_n for bill in bills) / NANO,
        unit=setting.community.currency,
        reference="without a market",
        reference_value=sum(bill.without_market_n for bill in bills) / NANO,
        ratio=sum(bill.with_market_n for bill in bills) / sum(bill.without_market_n for bill in bills),
    )
    yield Row(name="members worse off", value=sum(bill.saved_n < 0 for bill in bills), unit="of 14")
