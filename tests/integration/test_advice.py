"""What a run tells its members: at the end of each day, from what is known then, kept in the state."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from transactive.core.slots import parse_time
from transactive.core.tables import Measured
from transactive.engine.advice import Advisor
from transactive.store import Store
from transactive.store.advice import daily_bills, read_advice


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


def test_nothing_after_the_telling_is_looked_at(demo_run, store):
    setting, now = demo_run.setting, parse_time("2017-06-09T00:00Z")
    known = (now - setting.measured.first_slot) // setting.community.clock.length
    clean = Advisor(setting, store, demo_run.slots[0]).advise(now)
    consumption, generation = setting.measured.consumption_wh.copy(), setting.measured.generation_wh.copy()
    consumption[known:], generation[known:] = 99_999, 0
    environment = setting.environment
    poison = np.full_like(environment.temperature[known:], 599)
    changed = replace(
        setting,
        measured=Measured(setting.measured.first_slot, consumption, generation),
        environment=replace(environment, temperature=np.concatenate((environment.temperature[:known], poison))),
    )
    assert Advisor(changed, store, demo_run.slots[0]).advise(now) == clean
    consumption[known - 200 : known] = 9_999
    assert Advisor(changed, store, demo_run.slots[0]).advise(now) != clean, "what was known does count"


def test_a_state_without_a_whole_day_has_told_nothing(tmp_path: Path):
    with closing(Store(tmp_path)) as empty:
        assert read_advice(empty, 0) is None
