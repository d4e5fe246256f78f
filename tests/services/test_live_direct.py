"""Five boxes that negotiate over UDP, a broker and a live market, each a process: their deals are what is settled."""

from __future__ import annotations

import sys
import time
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.services.market import SEED
from tests.services.street import BEGIN, DIRECT_MEMBERS, DIRECT_SPEED, SLOT, P1Meter, write_street
from tests.waiting import LIMIT_SECONDS
from transactive.cli.node.actions import MeterOptions, init_box, invite_member
from transactive.config.setting import load_setting
from transactive.core.slots import DAY
from transactive.engine.live.direct.journaled import EnteredDeal, EnteredSeat
from transactive.engine.live.session import replay_journal
from transactive.node.direct.kept_deals import KeptDeals
from transactive.store import Store
from transactive.store.direct.deals import deals_of
from transactive.store.live.journal import JOURNAL_FILE, ArrivalKind, JournalReader

pytestmark = [pytest.mark.service, pytest.mark.long]
ROOT = Path(__file__).parents[2]
TRANSACTIVE = Path(sys.executable).with_name("transactive")
SLOTS = 6


def test_boxes_agree_among_themselves_and_the_market_settles_what_they_show(tmp_path, broker, processes, monkeypatch):
    monkeypatch.chdir(ROOT)
    community, since = write_street(tmp_path, DIRECT_MEMBERS, direct=True), time.time()
    meters = [P1Meter(name, since, DIRECT_SPEED) for name in DIRECT_MEMBERS]
    for meter in meters:
        made = invite_member(community, meter.name, broker.url, tmp_path / "live", 3600)
        options = MeterOptions(meter.url, winter_hours=0, direct="udp:127.0.0.1")
        init_box(tmp_path / meter.name, made["community"], broker.url, options, made["code"], 15)
        processes(TRANSACTIVE, "node", "run", tmp_path / meter.name, log=tmp_path / f"{meter.name}.log")
    command = (sys.executable, "-m", "tests.services.market", tmp_path, broker.url, since, SLOTS, DIRECT_SPEED)
    running = processes(*command, log=tmp_path / "market.log")
    said, _ = running.communicate(timeout=2 * LIMIT_SECONDS)
    assert running.returncode == 0, (tmp_path / "market.log").read_text()
    state_hash, equal = said.split()
    assert equal == "True"

    journal = tmp_path / "live" / JOURNAL_FILE
    with closing(JournalReader(journal)) as opened:
        seats = [msgspec.json.decode(each.body, type=EnteredSeat) for each in opened.of_kinds([ArrivalKind.SEAT], 0)]
        deals = [msgspec.json.decode(each.body, type=EnteredDeal) for each in opened.of_kinds([ArrivalKind.DEAL], 0)]
    assert deals, [(tmp_path / f"{name}.log").read_text()[-2000:] for name in DIRECT_MEMBERS]
    member_of = {seat.key: seat.member for seat in seats}
    with closing(Store(tmp_path / "live")) as store:
        for slot in {each.slot for each in deals}:
            _, _, positions = store.trading(slot, len(DIRECT_MEMBERS)) or pytest.fail("nothing was traded")
            agreed = np.zeros(len(DIRECT_MEMBERS), np.int64)
            for each in deals:
                if each.slot == slot:
                    agreed[member_of[each.deal.buyer]] += each.deal.energy_wh
                    agreed[member_of[each.deal.seller]] -= each.deal.energy_wh
            assert (positions.bought_wh - positions.sold_wh).tolist() == agreed.tolist()
            assert agreed.any()
            (dealt,) = deals_of(tmp_path / "live", slot)
            assert dealt.told
            assert dealt.datagrams
    kept = [
        msgspec.json.decode(path.read_bytes(), type=KeptDeals)
        for name in DIRECT_MEMBERS
        for path in (tmp_path / name / "direct").glob("*.json")
    ]
    assert {each.deal for slot in kept for each in slot.deals} == {each.deal for each in deals}

    first = BEGIN + 4 * SLOT
    slots = range(first, first + SLOTS * SLOT, SLOT)
    setting = load_setting(community, until=slots.stop + DAY)
    again, _ = replay_journal(setting, slots, journal, tmp_path / "again", seed=SEED)
    assert again.summary.state_hash == state_hash
    for meter in meters:
        meter.__exit__()
