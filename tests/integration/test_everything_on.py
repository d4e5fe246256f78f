"""A run in which everything is switched on goes on where it stopped: what each part keeps, beside all the others.

The tests of the parts stop runs with one of them, in `make test-long`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from tests.integration.conftest import call
from tests.integration.samples import COMMUNITY, write_community
from tests.integration.test_avoided import AVOIDED, WITH_CREDITS
from tests.integration.test_certificate_market import BUYS, SELLS
from tests.integration.test_shifting import DEVICES, with_devices
from transactive.config.setting import Setting, load_setting
from transactive.core.slot_book import SlotBook
from transactive.engine.replay import replay, slots_from

STOPS = (5, 27)
"""Slots after which the run is stopped: in its first period, and after it was paid."""


class Stopped(Exception):
    """The run was stopped."""


def setting(folder: Path) -> Setting:
    """Both sessions, many prices, two kinds of agents, all devices, credits, and certificates apart from energy."""
    path = write_community(folder)
    text = with_devices(COMMUNITY, "b", DEVICES)
    text = text.replace("\n[data]", AVOIDED).replace("pv_w = 5_000", WITH_CREDITS)
    text = text.replace(
        "slot_minutes = 60", 'slot_minutes = 60\nsessions = ["day_ahead", "intraday"]\nmechanism = "pay_as_bid"'
    )
    text = text.replace("[accounts]", '[trading]\nagent = "zip"\n\n[accounts]')
    path.write_text(text.replace('id = "b"', 'id = "b"\nagent = "zic"\nnever_pay_above_micro_per_kwh = 250_000'))
    loaded = load_setting(path)
    wishes = {"a": SELLS, "b": BUYS}
    members = tuple(
        msgspec.structs.replace(member, certificates=wishes[member.id]) if member.id in wishes else member
        for member in loaded.community.members
    )
    return replace(loaded, community=msgspec.structs.replace(loaded.community, members=members))


def test_a_run_with_everything_goes_on_exactly_where_it_stopped(tmp_path):
    given = setting(tmp_path)
    slots = slots_from(given)[:36]
    whole, _ = replay(given, slots, tmp_path / "whole", seed="transactive")
    seen: list[SlotBook] = []

    def stop(record: SlotBook) -> None:
        seen.append(record)
        if len(seen) in STOPS:
            raise Stopped

    for _ in STOPS:
        with pytest.raises(Stopped):
            replay(given, slots, tmp_path / "parts", seed="transactive", after_slot=stop)
    resumed, _ = replay(given, slots, tmp_path / "parts", seed="transactive")
    assert (resumed.summary.state_hash, resumed.bills) == (whole.summary.state_hash, whole.bills)
    assert resumed.summary.carbon == whole.summary.carbon
    registers = [call("credits", "show", "--state", tmp_path / name, "--json").out for name in ("whole", "parts")]
    assert registers[0] == registers[1]
    assert '"receipt":0' in registers[0]
    assert whole.summary.ledger_equals_chain
    assert whole.summary.carbon.certificates.traded_wh > 0
