"""A member's battery on a day, told slot by slot."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import msgspec

from transactive.core.errors import InputError, StateError
from transactive.core.units import kwh_text
from transactive.services.battery_days import BatteryDay, battery_day
from transactive.store import Store, holds_state
from transactive.store.read.runs import Reader
from transactive.store.read.totals import Counter
from transactive.texts.formatting import Words
from transactive.web.history.periods import time_of
from transactive.web.run_context import index_of


def tell_why(state: Path, member: str, day: str | None, *, json: bool) -> None:
    """Print a battery's day. Raises StateError without a delivered slot, InputError for a day or member without one."""
    if not holds_state(state):
        raise StateError(f"{state}: holds no run; give the --state folder of one")
    with closing(Store(state)) as store:
        reader = Reader(store)
        run, position = reader.run(), reader.position()
        if run is None or position.delivered is None:
            raise StateError(f"{state}: no slot is delivered yet; run on, and ask again")
        index, words = index_of(run, member), Words(run.community.currency, run.community.zone)
        start = words.day_start(position.delivered if day is None else time_of(day, words))
        if not words.day_start(run.first_slot) <= start <= position.delivered:
            raise InputError(f"--day {day}: nothing of it is delivered in this run; the newest is {words.date(start)}")
        days = Counter(reader).totals(run, position).days
        held = run.community.members[index].battery_initial_wh + days.before(start, "charged_wh", index)
        found = battery_day(reader, run, index, held, start, position.delivered)
    if found is None:
        raise InputError(f"--member {member}: has no battery; name one that has")
    if json:
        print(msgspec.json.encode(found).decode())
    else:
        _print(found, member, run.clock.length, words)


def _print(day: BatteryDay, member: str, length: int, words: Words) -> None:
    """The day's slots, delivered and planned, and those of the next day."""
    print(f"{member}, {words.day(day.start)}, {words.zone_text(day.start)}")
    for slot in day.delivered:
        print(f"{words.span(slot.row['slot'], length)}  {kwh_text(slot.after_wh, 2):>6} kWh  {slot.reason}")
    for title, slots in (("Planned for the rest of the day", day.rest), ("Planned for the next day", day.next_day)):
        if slots:
            print(f"\n{title}")
        for each in slots:
            held = kwh_text(each.planned.held_wh[1], 2)
            print(f"{words.span(each.planned.slot, length)}  {held:>6} kWh  {each.reason}")
