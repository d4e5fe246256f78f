"""`transactive forecast leaderboard`: who submits forecasts of a total, and how they fare."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from transactive.core.errors import StateError
from transactive.services.forecasts.leaderboard import Leader, leaders
from transactive.store import Store, holds_state
from transactive.store.read.runs import Reader
from transactive.texts.forecasters import HEAD, leader_row, milli_wh
from transactive.texts.formatting import Words


def show_leaderboard(folder: Path, *, json: bool) -> None:
    """Print the standings of a state's newest 13 weeks. Raises StateError where there is no run."""
    if not holds_state(folder):
        raise StateError(f"{folder}: holds no run; give the --state folder of one")
    with closing(Store(folder)) as store:
        reader = Reader(store)
        run, last = reader.run(), reader.position().delivered
        found = [] if run is None or last is None else leaders(reader, run, last)
        if json:
            print(msgspec.json.encode({"leaderboard": [_facts(one) for one in found]}).decode())
            return
        if run is None or not found:
            print("nobody has submitted a forecast", file=sys.stderr)
            return
        words = Words(run.community.currency, run.community.zone)
    table = Table(*(title.lstrip("=") for title in HEAD), box=None, pad_edge=False)
    for one in found:
        of = one.standing
        paid = None if one.paid_n is None else words.money(one.paid_n)
        gains, counts = (of.low, of.mean, of.high), (one.slots, one.hidden)
        table.add_row(*leader_row(of.forecaster, gains, counts, paid, is_told=of.is_told))
    Console(soft_wrap=True).print(table)


def _facts(one: Leader) -> dict[str, object]:
    of = one.standing
    return {
        "forecaster": of.forecaster,
        "days": of.days,
        "slots": one.slots,
        "not_shown": one.hidden,
        "gain_milli_wh": milli_wh(of.mean),
        "gain_low_milli_wh": milli_wh(of.low),
        "gain_high_milli_wh": milli_wh(of.high),
        "is_sure": of.is_sure,
        "paid_n": None if one.paid_n is None else str(one.paid_n),
    }
