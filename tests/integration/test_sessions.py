"""A run with a day-ahead and intraday sessions: one position a slot, and it goes on where it stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.integration.conftest import START, call
from tests.integration.test_demo import GATEWAY
from transactive.config.community_file import load
from transactive.config.setting import Setting
from transactive.config.shipped import EXAMPLE
from transactive.core.errors import ConfigError
from transactive.core.postings import PostingKind
from transactive.core.slot_book import SlotBook
from transactive.core.slots import parse_time
from transactive.engine.books.state_keeper import StateKeeper
from transactive.engine.kernel import Kernel
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import slots_of
from transactive.store import Store

BOTH = ("day_ahead", "intraday")


class Stopped(Exception):
    """The run was stopped."""


@pytest.fixture(scope="module")
def setting(demo_setting: Setting) -> Setting:
    market = msgspec.structs.replace(demo_setting.community.market, sessions=BOTH)
    return replace(demo_setting, community=msgspec.structs.replace(demo_setting.community, market=market))


@contextmanager
def walk(setting: Setting, folder: Path) -> Iterator[Kernel]:
    with closing(Store(folder)) as store:
        yield recorded_run(setting, slots_of(setting, parse_time(START), 2), GATEWAY, store=store)


@pytest.fixture(scope="module")
def whole(setting, tmp_path_factory) -> Iterator[tuple[Kernel, list[SlotBook]]]:
    records: list[SlotBook] = []
    with walk(setting, tmp_path_factory.mktemp("whole")) as done:
        done.run(records.append)
        yield done, records


def test_the_sum_of_the_sessions_is_the_position_and_no_device_is_committed_twice(setting, whole) -> None:
    done, records = whole
    devices, members = setting.community.devices, len(setting.community.members)
    assert done.tally.energy_residual_wh == done.tally.money_residual_n == 0
    assert isinstance(done.keeper, StateKeeper)
    traded_in_both = 0
    for record in records:
        ahead = done.keeper.store.trading_ahead(record.readings.slot, members)[2]
        orders, given = record.orders, record.clearing.allocated_wh
        net = np.zeros(members, np.int64)
        np.add.at(net, orders.member, np.where(orders.is_buy, given, -given))
        position = record.positions.bought_wh - record.positions.sold_wh
        assert position.tolist() == net.tolist()
        assert (position >= -(devices.pv_wh + devices.power_wh)).all()
        held = ahead.positions.bought_wh - ahead.positions.sold_wh
        assert (held >= -(devices.pv_wh + devices.power_wh)).all()
        traded_in_both += bool(held.any() and (position - held).any())
        assert record.delivery.bought_wh.tolist() == np.maximum(position, 0).tolist()
    assert traded_in_both > len(records) // 4
    kinds = np.concatenate([record.postings.kind for record in records])
    assert (kinds == PostingKind.TRADED_AGAIN).any()


@pytest.mark.long
@pytest.mark.parametrize("after", [7, 30])
def test_an_interrupted_run_goes_on_between_its_sessions(setting, whole, tmp_path, after) -> None:
    seen: list[SlotBook] = []

    def stop(record: SlotBook) -> None:
        seen.append(record)
        if len(seen) == after:
            raise Stopped

    with walk(setting, tmp_path) as begun, pytest.raises(Stopped):
        begun.run(stop)
    with walk(setting, tmp_path) as resumed:
        resumed.run()
        assert resumed.state_hash == whole[0].state_hash


def test_the_day_ahead_session_sees_nothing_later_than_its_gate(setting, whole) -> None:
    """Readings after noon of the first day change nothing that was traded at noon for the second."""
    changed, slots = setting.measured.consumption_wh.copy(), whole[0].slots
    noon = slots[24] - 12 * 3600
    row = (noon - setting.measured.first_slot) // 3600
    changed[row:] += 500
    other = replace(setting, measured=replace(setting.measured, consumption_wh=changed))
    again = recorded_run(other, slots)
    again.commitments.open(slots[0] - 3601)
    traded: dict[int, object] = {}
    for now in range(slots[0] - 3600, noon + 3600, 3600):
        again.time.wait_until(now)
        again.trade_ahead(now)
        traded |= {slot: session.orders.digest() for slot, session in again._open.early.items()}
        if now + 3600 in slots:
            again.trade(now + 3600)
        if now in slots and now < noon:
            again.time.wait_until(now + 3600)
            again.deliver(now)
    members = len(setting.community.members)
    for slot in slots[24:]:
        assert traded[slot] == whole[0].keeper.store.trading_ahead(slot, members)[0].digest()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('sessions = ["day_ahead"]', "market.sessions = ['day_ahead']; choose"),
        ('sessions = ["intraday", "day_ahead"]', "market.sessions = ['intraday', 'day_ahead']; choose"),
        ('sessions = ["hourly"]', "market.sessions[0] is 'hourly'; choose day_ahead, intraday"),
        ('sessions = ["day_ahead", "intraday"]\nday_ahead_gate_minutes = 30', "day_ahead_gate_minutes = 30; give"),
        ('sessions = ["day_ahead", "intraday"]\nday_ahead_gate_minutes = 1441', "= 60 to 1440"),
    ],
)
def test_wrong_sessions_are_named(tmp_path, line, message) -> None:
    path = tmp_path / "community.toml"
    path.write_text(EXAMPLE.read_text().replace("slots_per_period", f"{line}\nslots_per_period", 1))
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert message in str(caught.value)


@pytest.mark.long
def test_the_example_runs_with_both_sessions_on_a_chain(tmp_path) -> None:
    assert call("init", tmp_path / "five").code == 0
    path = tmp_path / "five" / "community.toml"
    text = path.read_text().replace('# sessions = ["day_ahead"', 'sessions = ["day_ahead"', 1)
    path.write_text(text.replace("2017-06-05T00:00Z", "2017-06-10T12:00Z", 1))
    called = call("run", path, "--state", tmp_path / "state", "--no-page", "--json")
    assert called.code == 0, called.err
    assert msgspec.json.decode(called.out)["ledger_equals_chain"] is True
