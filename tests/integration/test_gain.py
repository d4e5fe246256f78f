"""What a run reached of the possible gain: where the rest went sums to it, and only what batteries did counts."""

from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np
import pytest
from msgspec.structs import replace as replace_fields

from transactive.bench.intelligence.community import example, rows
from transactive.config.setting import load_setting
from transactive.config.shipped import DEMO
from transactive.core.errors import InputError
from transactive.core.slots import parse_time
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import bills_of, slots_from, slots_of
from transactive.studies.compare import compare, variants
from transactive.studies.gain import compared
from transactive.studies.gain.faced import Foreknown, faced, net_loads, why_not
from transactive.studies.gain.steps import SeenRun, cost_n, paid_by, possible, share, steps


@pytest.fixture(scope="module")
def setting():
    return load_setting(DEMO)


@pytest.fixture(scope="module")
def slots(setting):
    return slots_of(setting, parse_time("2017-06-05T00:00Z"), 1)


@pytest.fixture(scope="module")
def found(setting, slots):
    return steps(setting, slots)


def test_where_the_gain_went_sums_to_it(found):
    paid, _ = found
    assert sum(paid.left.values()) == paid.market_n - paid.together_n > 0
    assert min(astuple(paid)) == paid.together_n
    assert paid.alone_n <= paid.without_n


def test_what_all_pay_follows_from_their_meters_alone(setting, slots):
    walk, seen = recorded_run(setting, slots), SeenRun()
    walk.observers.append(seen)
    walk.run()
    _, market = paid_by(walk)
    taken, given = (np.array([row[side] for row in seen.meters]) for side in (0, 1))
    credit = sum(bill.with_market_credit_n for bill in bills_of(walk))
    settled = cost_n(faced(setting, slots, 0), taken, given) - credit
    assert abs(settled - market) < len(setting.community.members)  # n¤: what the community's account keeps in rounding
    assert seen.beside_wh > 0, "trades that were not kept cost nothing in sum"


def test_a_foreknown_forecast_is_what_came(setting, slots):
    ahead = Foreknown(setting).forecast(slots[0], slots, slice(2, 4))
    assert (ahead.net_load_wh[:, 0] == net_loads(setting, slots)[:, 2:4]).all()


def test_a_run_knows_nothing_of_what_comes_after_its_readings(setting):
    length = setting.community.clock.length
    beyond = range(setting.measured_end - 24 * length, setting.measured_end + 30 * length, length)
    loads = net_loads(setting, beyond)
    assert (loads[24:48] == loads[:24]).all()
    assert (loads[48:] == loads[:6]).all()


def test_a_community_that_the_plan_does_not_know_is_named(setting, slots):
    first, *others = setting.community.members
    members = (replace_fields(first, battery_reserve_wh=500), *others)
    reserved = replace(setting, community=replace_fields(setting.community, members=members))
    assert why_not(setting, slots) is None
    with pytest.raises(InputError, match="Demo community: the plan for all does not know batteries with a reserve"):
        possible(reserved, slots, 0)


@pytest.mark.parametrize("odd", [{"feed_in": 450_000}, {"network_fee": -10_000}, {"near_fee": 5_000}])
def test_a_run_ends_without_a_share_where_no_plan_for_all_is_found(setting, slots, odd):
    prices = {f"{name}_micro_per_kwh": price for name, price in odd.items()}
    members = tuple(replace_fields(each, neighbourhood="here") for each in setting.community.members)
    community = replace_fields(
        setting.community, members=members, tariff=replace_fields(setting.community.tariff, **prices)
    )
    changed = replace(setting, community=community)
    walk = recorded_run(changed, slots)
    walk.run()
    assert compared.reached(changed, slots, bills_of(walk)) is None


def test_a_share_needs_something_to_gain():
    assert share(0, 5, 5) is None
    assert share(-1, 5, 3) == -0.5


def test_a_comparison_has_the_share_where_it_takes_seconds(setting, slots, found, monkeypatch):
    chosen = variants(["uniform"])
    (figures,) = compare(setting, slots, chosen, workers=1, timer=lambda: 0.0).mechanisms
    paid = found[0]
    assert figures.gain_share == share(paid.without_n - paid.market_n, paid.without_n, paid.together_n)
    monkeypatch.setattr(compared, "MOST", len(slots) * len(setting.community.members) - 1)
    unknown = replace_fields(figures, gain_share=None)
    assert compared.with_shares(setting, slots, (unknown,)) == (unknown,)


def test_several_spans_are_summed(found):
    both, one = ({row.name: row.value or 0 for row in rows("x", many)} for many in ([found, found], [found]))
    assert both["x: paid with the market"] == pytest.approx(2 * one["x: paid with the market"])
    assert both["x: share of the possible gain"] == pytest.approx(one["x: share of the possible gain"])


def test_neighbours_that_plan_for_their_share_leave_nobody_worse_off_in_the_demos_week(setting):
    week = slots_of(setting, parse_time("2017-06-05T00:00Z"), 7)
    walk, apart = recorded_run(setting, week), recorded_run(alone(setting), week)
    for run in (walk, apart):
        run.run()
    bills = bills_of(walk)
    assert min(bill.saved_n for bill in bills) >= 0
    _, together = paid_by(walk)
    without, each = paid_by(apart)
    assert compared.reached(setting, week, bills) == pytest.approx(0.599, abs=0.001)
    assert without - together > 1.15 * (without - each), "a fifth more than plans alone save"


def test_nobody_is_worse_off_in_the_example():
    community = example()
    walk = recorded_run(community, slots_from(community))
    walk.run()
    assert min(bill.saved_n for bill in bills_of(walk)) >= 0


def alone(setting):
    """The same community, each battery planned for its own home."""
    trading = replace_fields(setting.community.trading, plans="alone")
    return replace(setting, community=replace_fields(setting.community, trading=trading))
