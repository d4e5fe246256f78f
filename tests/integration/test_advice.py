"""What a run tells its members: at the end of each day, from what is known then, kept in the state."""

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.integration.conftest import call
from transactive.core.postings import PostingKind
from transactive.core.slots import parse_time
from transactive.core.tables import Measured
from transactive.engine.daily.advice import Advisor
from transactive.engine.devices.recorded_history import RecordedHistory, ReplayClock
from transactive.insight.advice.saved import saved_by
from transactive.store import Store
from transactive.store.read.advice import daily_bills, read_advice
from transactive.store.read.members import saving, slots_of
from transactive.store.read.runs import Reader


@pytest.fixture
def store(demo_run):
    with closing(Store(demo_run.folder)) as opened:
        yield opened


def test_each_member_is_told_at_the_end_of_the_last_day(demo_run, store):
    for member in range(len(demo_run.setting.community.members)):
        told = read_advice(store, member)
        assert told is not None
        assert told[0] == demo_run.slots.stop
        assert [insight.kind for insight in told[1]] == ["bill", "change", "always_on", "temperature", "car"]
        assert all(insight.title and insight.text and insight.source for insight in told[1])


def test_the_days_of_bills_are_what_the_run_billed(demo_run, store):
    bills = daily_bills(store, len(demo_run.setting.community.members), demo_run.slots[0], demo_run.slots.stop)
    assert bills.shape == (7, 14)
    assert bills.sum(axis=0).tolist() == [bill.with_market_n for bill in demo_run.outcome.bills]


def told(setting, now):
    """What meters have said by a time."""
    return RecordedHistory.of(setting, ReplayClock(now))


def test_nothing_after_the_telling_is_looked_at(demo_run, store):
    setting, now = demo_run.setting, parse_time("2017-06-09T00:00Z")
    known = (now - setting.measured.first_slot) // setting.community.clock.length
    clean = Advisor(setting, told(setting, now), store, demo_run.slots[0]).advise(now)
    consumption, generation = setting.measured.consumption_wh.copy(), setting.measured.generation_wh.copy()
    consumption[known:], generation[known:] = 99_999, 0
    environment = setting.environment
    poison = np.full_like(environment.temperature[known:], 599)
    changed = replace(
        setting,
        measured=Measured(setting.measured.first_slot, consumption, generation),
        environment=replace(environment, temperature=np.concatenate((environment.temperature[:known], poison))),
    )
    assert Advisor(changed, told(changed, now), store, demo_run.slots[0]).advise(now) == clean
    consumption[known - 200 : known] = 9_999
    assert Advisor(changed, told(changed, now), store, demo_run.slots[0]).advise(now) != clean, (
        "what was known does count"
    )


def test_a_state_without_a_whole_day_has_told_nothing(tmp_path: Path):
    with closing(Store(tmp_path)) as empty:
        assert read_advice(empty, 0) is None


def test_the_command_says_what_is_kept_and_names_what_is_wrong(demo_run, store, tmp_path):
    told = read_advice(store, 3)
    assert told is not None
    words = call("insights", "--state", demo_run.folder, "--member", "house-04")
    assert (words.code, words.out.splitlines()[0]) == (0, "house-04, as known at 2017-06-12T00:00Z")
    assert all(one.title in words.out and one.source in words.out for one in told[1])
    answer = json.loads(call("insights", "--state", demo_run.folder, "--member", "house-04", "--json").out)
    assert [finding["figures"] for finding in answer["findings"]] == [one.figures for one in told[1]]
    assert "house-99" in call("insights", "--state", demo_run.folder, "--member", "house-99").err
    assert "holds no run" in call("insights", "--state", tmp_path, "--member", "house-04").err


def test_the_reasons_of_each_saving_sum_to_the_runs_own_bill(demo_run, store):
    for member, bill in enumerate(demo_run.outcome.bills):
        sums = saving(Reader(store), member, demo_run.slots[-1])
        assert (sums.alone_n, sums.paid_n) == (bill.without_market_n, bill.with_market_n)
        assert sums.returned_n == bill.dividend_n
        assert sum(line.amount_n for line in saved_by(sums)) == bill.without_market_n - bill.with_market_n


def test_trading_as_ordered_leaves_nothing_beyond_the_orders(demo_run, store):
    """A slot in which a member takes what it bought and delivers what it sold has no last line."""
    reader = Reader(store)
    for record in demo_run.records:
        bought, sold = record.positions.bought_wh, record.positions.sold_wh
        kept = (record.readings.import_wh == bought) & (record.readings.export_wh == sold) & (bought + sold > 0)
        for member in np.flatnonzero(kept).tolist():
            row = slots_of(reader, member, record.readings.slot, record.readings.slot)[0]
            at = row["supply_price"] * row["import_wh"] - row["feed_in"] * row["export_wh"]
            better = row["bought_wh"] * (row["supply_price"] - row["fee"] - row["price"])
            better += row["sold_wh"] * (row["price"] - row["feed_in"])
            dividend = record.postings.amount_n[
                (record.postings.kind == PostingKind.DIVIDEND) & (record.postings.payee == member)
            ].sum()
            assert row["paid_n"] == at - better - dividend
