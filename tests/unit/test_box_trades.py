"""A box trades with its own key: it knows its market, orders before each gate, and keeps the receipt."""

import json
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.services.street import BEGIN, SLOT, write_street
from transactive.chain.keys.keys import DemoKeys, MembersOwnKeys
from transactive.config.setting import load_setting
from transactive.core.boxes.messages import (
    AskTerms,
    OnDisk,
    OrderTaken,
    Said,
    SentOrder,
    Terms,
    Welcome,
    market_proof,
    say,
    seal,
    unseal,
)  # fmt: skip
from transactive.core.errors import ChainError, StateError
from transactive.core.proofs.members.authorisation import Authorisation, sign
from transactive.core.proofs.meter_records import MeterRecord, sign_record
from transactive.core.proofs.order_records import order_of
from transactive.core.proofs.signed_orders import SigningPlace, domain
from transactive.core.proofs.signing import address_of
from transactive.core.slots import DAY
from transactive.engine.authorisations import Authorisations
from transactive.engine.live.boxes import counter
from transactive.engine.live.boxes.commands import BoxCommands
from transactive.engine.live.boxes.counter import BoxCounter
from transactive.engine.live.boxes.leaf_teller import LeafTeller
from transactive.engine.live.collector import Collector
from transactive.engine.live.order_desk import OrderDesk
from transactive.engine.live.waiting import RehearsalClock
from transactive.metering.record_file import RecordFile
from transactive.node.agent.account import ACCOUNT_FILE, make_account
from transactive.node.agent.history import HomeHistory
from transactive.node.agent.thinking import think
from transactive.node.agent.trader import Trader
from transactive.node.settings import BoxSettings, make_box
from transactive.store import Store
from transactive.store.live.journal import ArrivalKind, Enrolment, Journal
from transactive.store.live.leaves import LeafOutbox

CODE, ADA, SETTLEMENT = "AAAAA-BBBBB-CCCCC-DDDDD", 0, "0x" + 20 * "ab"
FIRST = BEGIN + 4 * SLOT
GATE, START = BEGIN, BEGIN - 3 * SLOT
"""When the gate of the first slot closes, and when the box is made."""
SLOTS = range(FIRST, FIRST + 10 * SLOT, SLOT)


class Home:
    """What a home is known to have used."""

    def __init__(self, loads: list[int], end: int) -> None:
        self.loads, self.end = loads, end

    def net_load(self) -> np.ndarray:
        return np.array(self.loads, np.int64)


class Street:
    """A market whose member ada keeps its key, and her box, without a broker between them."""

    def __init__(self, folder: Path, journal: Journal) -> None:
        self.setting = setting = load_setting(write_street(folder), until=SLOTS.stop + DAY)
        self.box = folder / "box"
        account = make_account(self.box)
        settings = BoxSettings("street", "mqtt://127.0.0.1", "tcp://127.0.0.1:1", SLOT, 31337, code=CODE)
        self.key = make_box(self.box, settings)
        self.keys = MembersOwnKeys(DemoKeys("street"), {ADA: account})
        self.clock, self.journal = RehearsalClock(START), journal
        collector = Collector(journal, self.clock, SLOT, 31337)
        collector.enrol([Enrolment(self.key.address, ADA)])
        self.desk = OrderDesk(journal, self.clock, setting, SLOTS)
        self.commands = BoxCommands(folder, setting, collector, self.clock, print, journal)
        self.leaves = LeafTeller(LeafOutbox(folder / "leaves.sqlite"), collector, print)
        self.counter = BoxCounter(setting, SLOTS, collector, self.desk, self.commands, self.clock, self.leaves)
        separator = domain(31337, SETTLEMENT)
        chain: Any = SimpleNamespace(
            keys=self.keys,
            signing_place=lambda index: SigningPlace(index, separator),
            address=SETTLEMENT,
            chain_id=31337,
        )
        self.chain = chain
        self.counter.open(chain)
        self.home, self.told = Home([-700] * 8, START), list[str]()
        self.trader = self.trader_again()

    def trader_again(self, limits: tuple[int, int] = (2**62, -(2**62))) -> Trader:
        return Trader(self.box, self.key, CODE, self.home, limits, self.told.append)

    def say(self, message: Said) -> bytes:
        """What the box puts on its topic."""
        return say(message, self.key.address, self.key.key)

    def meet(self) -> None:
        self.trader.heard(self.counter.welcome(self.key.address, CODE) or b"")

    def at(self, now: int, *, lost: bool = False) -> list[object]:
        """Let it be a time; what the box said is answered, unless the answers are lost."""
        self.clock.wait_until(now)
        said = self.trader.step(now)
        for message in said:
            for answer in self.counter.hear(self.key.address, self.say(message)):
                if not lost:
                    self.trader.heard(answer)
        return list(said)


@pytest.fixture
def street(tmp_path):
    with closing(Journal(tmp_path / "journal.sqlite")) as journal:
        made = Street(tmp_path, journal)
        yield made
        made.leaves._outbox.close()


def test_a_box_orders_before_the_gate_with_its_own_key_and_keeps_the_receipt(street):
    street.meet()
    assert street.at(START) == [AskTerms()]
    assert street.at(GATE - SLOT // 2) == []
    street.home.end = GATE - SLOT
    (sent,) = street.at(GATE - 60)
    assert isinstance(sent, SentOrder)
    order = order_of(sent.order)
    assert (order.order.slot, order.order.account) == (FIRST // SLOT, ADA)
    assert order.order.buys == ()
    assert sum(energy for _, energy in order.order.sells) == 700
    assert order.grant is not None
    assert order.grant.agent == street.key.address
    entries = street.journal.of_kinds((ArrivalKind.ORDER,), 0)
    assert [entry.body for entry in entries] == [sent.order]
    kept = json.loads((street.box / "orders" / f"{FIRST}.json").read_text())
    assert kept["taken"]["number"] == entries[0].number
    assert street.at(GATE - 30) == []


def test_an_order_whose_answer_is_lost_is_said_again_and_is_one_order(street):
    street.meet()
    street.at(START)
    street.home.end = GATE - SLOT
    (first,) = street.at(GATE - 60, lost=True)
    street.trader = street.trader_again()  # the box lost power
    street.home.loads[-1] = 900
    assert street.at(GATE - 40) == [AskTerms(), first]
    assert len(street.journal.of_kinds((ArrivalKind.ORDER,), 0)) == 1
    assert street.at(GATE - 30) == []


def test_the_members_limits_hold_and_are_granted_anew_when_they_change(street):
    street.meet()
    street.at(START)
    street.home.end, gate = GATE - SLOT, GATE
    street.trader = street.trader_again((2**62, 190_000))
    _, sent = street.at(gate - 60)
    signed = order_of(sent.order)
    assert signed.grant is not None
    assert signed.grant.lowest_sell == 190_000
    assert all(price >= 190_000 for price, _ in signed.order.sells)
    (street.box / ACCOUNT_FILE).unlink()  # the member took its key to a safe place
    street.home.end, gate = gate, gate + SLOT
    assert len(street.at(gate - 60)) == 1
    street.trader = street.trader_again((2**62, 200_000))
    street.home.end, gate = gate, gate + SLOT
    assert street.at(gate - 60) == [AskTerms()]
    assert "not traded: the member's account gave this box no grant" in street.told[-1]


def test_a_box_whose_member_has_no_account_of_its_own_leaves_trading_to_the_market(street):
    street.meet()
    (street.box / ACCOUNT_FILE).unlink()
    street.home.end = GATE - SLOT
    assert street.at(GATE - 60) == [AskTerms()]
    assert street.at(GATE - 30) == []
    assert street.told == [f"the market is {street.trader.market.market}"]


def test_a_box_listens_to_who_invited_it_alone(street):
    stranger = bytes(DemoKeys("stranger").role("operator").key)
    address, own = street.key.address, street.counter
    claim = Welcome(address_of(stranger), market_proof("other code", address, address_of(stranger)))
    assert street.trader.heard(seal(claim, address, stranger)) == claim
    assert street.trader.market is None
    street.meet()
    street.at(START)
    terms = street.trader.terms
    assert isinstance(terms, Terms)
    torn = own.hear(address, street.say(AskTerms()))[0][:-3]
    for forged in (seal(terms, address, stranger), b"x", torn):
        assert street.trader.heard(forged) is None
        assert "not followed: " in street.told[-1]
    assert own.hear("0x" + 20 * "cd", street.say(AskTerms())) == []


def test_a_count_of_records_on_disk_is_the_markets_or_none(street, monkeypatch):
    monkeypatch.setattr(street.counter._collector, "count", lambda _: 3)
    stranger = bytes(DemoKeys("stranger").role("operator").key)
    street.meet()
    told = street.counter.on_disk(street.key.address)
    assert street.trader.heard(told) == OnDisk(3)
    other = seal(OnDisk(3), "0x" + 20 * "cd", bytes(street.keys.role("operator").key))
    for forged in ((900).to_bytes(8, "big"), seal(OnDisk(900), street.key.address, stranger), told[:-1], other):
        assert street.trader.heard(forged) is None
        assert "not followed: " in street.told[-1]
    street.counter.speak_by(b"")
    assert street.counter.on_disk(street.key.address) is None


def test_who_writes_to_a_boxs_topic_cannot_speak_for_it(street):
    address, desk = street.key.address, street.desk
    forged = say(AskTerms(), address, bytes(street.keys.role("operator").key))
    assert street.counter.hear(address, forged) == []
    assert street.counter.hear(address, street.say(AskTerms())[65:]) == []
    assert (desk.refused["signature"], desk.refused["torn"]) == (1, 1)


def test_a_box_that_asks_without_end_keeps_no_other_waiting(street, monkeypatch):
    monkeypatch.setattr(counter, "MOST_A_MINUTE", 3)
    minutes = iter([0, 1, 59, 59, 61])
    monkeypatch.setattr(time, "monotonic", lambda: next(minutes))
    asked = street.say(AskTerms())
    answered = [len(street.counter.hear(street.key.address, asked)) for _ in range(5)]
    assert (answered, street.desk.refused["often"]) == ([1, 1, 1, 0, 1], 1)


def test_terms_that_are_said_once_more_later_do_not_count(street):
    street.meet()
    address, ask = street.key.address, street.say(AskTerms())
    street.clock.wait_until(FIRST)
    (old,) = street.counter.hear(address, ask)
    street.clock.wait_until(FIRST + SLOT)
    (new,) = street.counter.hear(address, ask)
    for said in (old, new, old):  # a broker kept the first ones
        street.trader.heard(said)
    assert street.trader.terms.first == FIRST + SLOT
    assert street.trader_again().terms == street.trader.terms
    assert "older than those that are known" in street.told[-1]


def test_a_receipt_that_no_judge_reads_is_told_and_not_kept(street):
    street.meet()
    street.at(START)
    street.home.end = GATE - SLOT
    (sent,) = street.at(GATE - 60, lost=True)
    (answer,) = street.counter.hear(street.key.address, street.say(sent))
    right = unseal(answer, street.key.address, street.trader.market.market)
    assert isinstance(right, OrderTaken)
    operator = bytes(street.keys.role("operator").key)
    for receipt in (b"", right.receipt[:64], right.receipt + bytes(32), bytes(65)):
        wrong = msgspec.structs.replace(right, receipt=receipt)
        street.trader.heard(seal(wrong, street.key.address, operator))
        assert street.told[-1].startswith("not kept: ")
    street.trader.heard(answer)
    assert street.told[-1].endswith(f"is receipted as {right.number}")


def test_the_market_has_no_key_of_a_member_that_keeps_its_own(street):
    account = street.keys.account(ADA)
    assert street.keys.agent(ADA) is None
    with pytest.raises(ChainError, match="is with its member alone"):
        _ = account.key
    with pytest.raises(StateError, match="a key is never replaced"):
        make_account(street.box)


def test_what_somebody_else_signs_for_such_a_member_counts_for_nothing_and_stops_nothing(street, tmp_path):
    community = street.setting.community
    with closing(Store(tmp_path / "state")) as store:
        allowed = Authorisations(community, SLOTS, street.chain, store)
        for name, counts in (("account 0", False), ("account 1", True)):
            account = int(name[-1])
            given = Authorisation(account, 1, "curves", highest_buy=5, valid_until=2**53)
            key = bytes(DemoKeys("street").account(account).key)
            signed = sign(given, key, street.chain.signing_place(account))
            act: Any = SimpleNamespace(authorised=signed)
            allowed.take_up(SLOTS[0], [act])
            assert (int(allowed.limits(SLOTS[1]).highest_buy[account]) == 5) is counts


def terms_of(capacity: int) -> Terms:
    prices = (280_000,) * 200, (80_000,) * 200, (30_000,) * 200
    return Terms(0, "0x", 1, SETTLEMENT, SLOT, 1, 10_000, BEGIN, *prices, 2_000, 1_000, capacity, 900_000)


@given(
    loads=st.lists(st.integers(-3_000, 3_000), min_size=1, max_size=200),
    capacity=st.sampled_from([0, 5_000]),
    charged=st.integers(0, 5_000),
    limits=st.tuples(st.integers(0, 300_000), st.integers(0, 300_000)),
)
def test_what_a_box_orders_can_always_be_taken(loads, capacity, charged, limits):
    terms = terms_of(capacity)
    order = think(np.array(loads, np.int64), BEGIN, min(charged, capacity), terms, BEGIN + SLOT, limits).order
    grid = terms.grid(BEGIN + SLOT)
    assert order.is_meant
    for price, energy in (*order.buys, *order.sells):
        assert energy > 0
        assert grid.floor <= price <= grid.cap
        assert (price - grid.floor) % grid.tick == 0
    assert all(price <= limits[0] for price, _ in order.buys)
    assert all(price >= limits[1] for price, _ in order.sells)
    assert not order.buys or not order.sells or order.buys[0][0] < order.sells[0][0]
    assert sum(energy for _, energy in order.sells) <= 3_000


def test_what_a_home_used_is_what_its_records_say(tmp_path):
    key = bytes(DemoKeys("home").role("gateway").key)
    registers = [
        (1_000, 0, 0, 0, 0, 0),
        (1_500, 0, 0, 0, 0, 0),
        (1_500, 100, 0, 0, 400, 0),
        (2_700, 100, 0, 300, 400, 0),
    ]
    slots = [BEGIN, BEGIN + SLOT, BEGIN + 2 * SLOT, BEGIN + 5 * SLOT]
    record = MeterRecord("0x" + 20 * "11", 0, BEGIN, registers[0])
    with closing(RecordFile(tmp_path / "outbox")) as outbox:
        for number, (slot, levels) in enumerate(zip(slots, registers, strict=True)):
            outbox.append([sign_record(replace(record, number=number, slot=slot, registers=levels), key, 1).to_bytes()])
        history = HomeHistory(outbox, SLOT)
        assert history.net_load().tolist() == [500, 300, 300, 300, 300]
        assert history.end == BEGIN + 6 * SLOT
