"""The desk for direct trading in a session: seats, one roll, deals with receipts; its journal replays to the hash."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.direct_nodes import draws
from tests.integration.conftest import START
from tests.integration.test_mechanisms import under
from transactive.chain.keys.keys import DemoKeys
from transactive.core.boxes.direct import (
    AskRoll,
    AskSeat,
    DealRecord,
    DealsTaken,
    HasSeat,
    NodeReport,
    NoSeat,
    ShowDeals,
    SlotRoll,
)
from transactive.core.community.limits import Limits
from transactive.core.community.rules import DirectRules
from transactive.core.errors import SignatureError
from transactive.core.proofs import signing
from transactive.core.proofs.accepted_orders import books_of
from transactive.core.proofs.deals.allowances import slot_key, slot_salt
from transactive.core.proofs.deals.deal import Award, Bid, SignedDeal
from transactive.core.proofs.deals.deal_receipts import DealReceipt
from transactive.core.proofs.signed_orders import SigningPlace, domain
from transactive.core.slots import parse_time
from transactive.engine.live.direct.desk import DirectDesk
from transactive.engine.live.direct.journaled import JournaledDeals
from transactive.engine.live.session import Pace, rehearse, replay_journal
from transactive.engine.live.world import World
from transactive.engine.replay import slots_of
from transactive.store.direct.deals import deals_of
from transactive.store.live.journal import JOURNAL_FILE, Journal
from transactive.trading.direct.gathering import MemberWish, nodes_of
from transactive.trading.direct.mesh import Conditions, Mesh, Rounds
from transactive.trading.direct.terms import SlotTerms

SEED, SLOTS = "direct desk", 6
KEYS = DemoKeys(SEED)
SECRETS = [bytes([member]) * 32 for member in range(14)]
OPERATOR = str(KEYS.role("operator").address).lower()


@pytest.fixture(scope="module")
def setting(demo_setting):
    made = under(demo_setting, "direct")
    rules = DirectRules(rest="supplier", sealed_below=0)
    return replace(made, community=msgspec.structs.replace(made.community, direct=rules))


@pytest.fixture(scope="module")
def slots(setting):
    return slots_of(setting, parse_time(START), 1)[16 : 16 + SLOTS]


def ask_of(wish: MemberWish, number: int) -> AskSeat:
    salt = slot_salt(wish.secret, number)
    return AskSeat(number, wish.key(number), salt, b"at %d" % wish.member, tuple(wish.buys), tuple(wish.sells))


def negotiated(told: SlotRoll, wishes: list[MemberWish], separator: bytes) -> list[SignedDeal]:
    """What nodes agree on by a roll, each once."""
    told.roll.check(told.signature, OPERATOR, separator)
    terms = SlotTerms(told.roll, separator, OPERATOR, told.grid, told.sealed_below)
    nodes, contacts = nodes_of(wishes, terms, draws(len(wishes), 1))
    return Mesh(nodes, contacts, Conditions(), np.random.default_rng(1)).run(Rounds(told.rounds))


class Members:
    """Nodes of all members, which trade directly from the third slot on through the desk of the session."""

    def __init__(self, setting, slots):
        self.setting, self.slots = setting, slots
        self.clock: Any = SimpleNamespace(now=0, speed=1.0)
        self.desk: DirectDesk
        self.separator, self.books = b"", []
        self.deals: dict[int, list[SignedDeal]] = {}

    def report(self, wish: MemberWish, number: int) -> None:
        """What a node tells of its network; a second report counts for nothing."""
        for datagrams in (20 + wish.member, 1):
            assert self.desk.hear(NodeReport(number, (), datagrams, 900, 40), wish.member) is None

    def after(self, book):
        self.books.append(book)
        slot, length = book.slot + 3 * self.slots.step, self.slots.step
        if slot not in self.slots:
            return
        number, gate = slot // length, self.setting.community.clock.gate(slot)
        wishes = []
        for order in books_of(replace(book.orders.only(book.orders.lock_n > 0), slot=slot), number):
            most = sum(energy for _, energy in (*order.buys, *order.sells))
            wishes.append(MemberWish(order.account, SECRETS[order.account], order.buys, order.sells, most, most))
        self.clock.now = gate - length // 2
        for wish in wishes:
            assert isinstance(self.desk.hear(ask_of(wish, number), wish.member), HasSeat)
        assert self.desk.hear(AskRoll(number), wishes[0].member) is None
        self.clock.now = gate - 60
        told = self.desk.hear(AskRoll(number), wishes[0].member)
        assert isinstance(told, SlotRoll)
        self.deals[slot] = negotiated(told, wishes, self.separator)
        for wish in wishes:
            self.report(wish, number)
        assert self.desk.hear(NodeReport(number, (999,), 1, 1, 1), 13) is None
        member_of = {wish.key(number): wish.member for wish in wishes}
        for deal in self.deals[slot]:
            shown = ShowDeals(number, (DealRecord.of(deal),))
            for party in (deal.bid.buyer, deal.bid.seller):
                answer = self.desk.hear(shown, member_of[party])
                assert isinstance(answer, DealsTaken)
                DealReceipt(deal.hash).check(answer.taken[0][1], OPERATOR, self.separator)


@pytest.fixture(scope="module")
def traded(setting, slots, tmp_path_factory):
    folder, members, made = tmp_path_factory.mktemp("desk"), Members(setting, slots), World.kernel

    def kernel(world, *args, chain, **more):
        members.desk = DirectDesk(world.journal, members.clock, setting, slots)
        members.desk.open(chain)
        members.separator = chain.signing_place(0).domain
        kernel = made(world, *args, chain=chain, **more)
        members.desk.limits, members.desk.free_n = kernel.gates.limits, kernel.ledger.free_n
        return kernel

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(World, "kernel", kernel)
        outcome, _ = rehearse(setting, slots, folder, seed=SEED, pace=Pace(), after_slot=members.after)
    return outcome, folder, members


def test_what_nodes_agreed_on_is_what_is_settled(traded, slots):
    outcome, folder, members = traded
    assert outcome.summary.ledger_equals_chain
    assert sum(map(len, members.deals.values())) > 5
    assert len(members.deals) == SLOTS - 3
    keys = {wish: index for index, wish in enumerate(SECRETS)}
    for book in members.books:
        number = book.slot // slots.step
        member_of = {MemberWish(i, each, (), (), 0, 0).key(number): i for each, i in keys.items()}
        agreed = np.zeros(14, np.int64)
        for deal in members.deals.get(book.slot, ()):
            agreed[member_of[deal.bid.buyer]] += deal.energy_wh
            agreed[member_of[deal.bid.seller]] -= deal.energy_wh
        if book.slot in members.deals:
            (dealt,) = deals_of(folder, book.slot)
            assert len(dealt.deals) == len(members.deals[book.slot])
            assert dealt.nodes == dealt.reached == len(dealt.told)
            assert dealt.datagrams == sum(20 + node.member for node in dealt.told)
        assert (book.positions.bought_wh - book.positions.sold_wh).tolist() == agreed.tolist()


def test_a_session_with_deals_is_its_journal_replayed(traded, setting, slots, tmp_path):
    outcome, folder, _ = traded
    again, _ = replay_journal(setting, slots, folder / JOURNAL_FILE, tmp_path, seed=SEED)
    assert again.summary.state_hash == outcome.summary.state_hash


SEPARATOR = domain(31337, "0x" + 20 * "ab")


@pytest.fixture
def desk(setting, slots, tmp_path):
    """A desk before the gate of the first slot, with two members, a seller and a buyer; its clock, slot and gate."""
    chain: Any = SimpleNamespace(keys=KEYS, signing_place=lambda index: SigningPlace(index, SEPARATOR))
    gate = setting.community.clock.gate(slots[0])
    clock: Any = SimpleNamespace(now=gate - slots.step // 2, speed=1.0)
    with closing(Journal(tmp_path / JOURNAL_FILE)) as journal:

        def opened() -> DirectDesk:
            made = DirectDesk(journal, clock, setting, slots)
            made.open(chain)
            made.limits, made.free_n = lambda _: Limits.none(14), lambda _: np.full(14, 10**12)
            return made

        yield SimpleNamespace(
            opened=opened, desk=opened(), clock=clock, number=slots[0] // slots.step, gate=gate, journal=journal
        )


def two(setting, slots) -> list[MemberWish]:
    """A seller with a plant, and a buyer."""
    floor = setting.tariff(slots[0]).feed_in
    seller = int(np.argmax(setting.community.devices.pv_wh))
    buyer = (seller + 1) % 14
    sold, bought = ((floor + 1_000, 300),), ((floor + 50_000, 300),)
    return [
        MemberWish(seller, SECRETS[seller], (), sold, 300, 300),
        MemberWish(buyer, SECRETS[buyer], bought, (), 300, 300),
    ]


def seated(at, wishes) -> SlotRoll:
    for wish in wishes:
        assert isinstance(at.desk.hear(ask_of(wish, at.number), wish.member), HasSeat)
    at.clock.now = at.gate - 60
    told = at.desk.hear(AskRoll(at.number), wishes[0].member)
    assert isinstance(told, SlotRoll)
    return told


def reason(at, ask: AskSeat, member: int) -> str:
    answer = at.desk.hear(ask, member)
    assert isinstance(answer, NoSeat)
    return answer.reason


def test_seats_are_refused_with_their_reason(desk, setting, slots):
    wishes = two(setting, slots)
    ask, member = ask_of(wishes[1], desk.number), wishes[1].member
    change = msgspec.structs.replace
    assert reason(desk, change(ask, slot=desk.number + 999), member) == "slot"
    assert reason(desk, change(ask, buys=((1, 5),)), member) == "price"
    assert reason(desk, change(ask, sells=((ask.buys[0][0] + 100, 10**9),)), member) == "energy"
    desk.desk.free_n = lambda _: np.zeros(14, np.int64)
    assert reason(desk, ask, member) == "funds"
    desk.desk.free_n = lambda _: np.full(14, 10**12)
    desk.desk.limits = lambda _: replace(Limits.none(14), trades=np.zeros(14, np.bool_))
    assert reason(desk, ask, member) == "limits"
    desk.desk.limits = lambda _: Limits.none(14)
    assert isinstance(desk.desk.hear(ask, member), HasSeat)
    assert isinstance(desk.desk.hear(ask, member), HasSeat), "the same again"
    assert reason(desk, ask, wishes[0].member) == "key"
    assert reason(desk, change(ask, key="0x" + 40 * "1"), member) == "many"
    seller = ask_of(wishes[0], desk.number)
    seated(desk, wishes[1:])
    assert reason(desk, seller, wishes[0].member) == "late"
    desk.clock.now = desk.gate
    assert reason(desk, ask, member) == "late"
    assert desk.desk.refused == Counter(slot=1, price=1, energy=1, funds=1, limits=1, key=1, many=1, late=2)


def test_a_roll_that_is_closed_stays_as_it_is(desk, setting, slots):
    first = seated(desk, two(setting, slots))
    first.roll.check(first.signature, OPERATOR, SEPARATOR)
    again = desk.opened().hear(AskRoll(desk.number), two(setting, slots)[1].member)
    assert isinstance(again, SlotRoll)
    assert (again.allowances, again.signature) == (first.allowances, first.signature)
    assert again.contacts != first.contacts
    stranger = desk.desk.hear(AskRoll(desk.number), 13)
    assert isinstance(stranger, NoSeat)


def test_only_what_both_signed_within_what_they_may_is_taken(desk, setting, slots):
    wishes = two(setting, slots)
    deals = negotiated(seated(desk, wishes), wishes, SEPARATOR)
    record, member = DealRecord.of(deals[0]), wishes[0].member
    change = msgspec.structs.replace

    def why(shown: DealRecord, by: int = member) -> str:
        answer = desk.desk.hear(ShowDeals(desk.number, (shown,)), by)
        assert isinstance(answer, DealsTaken)
        assert answer.taken == ()
        return answer.refused[0][1]

    assert "shown by one of both" in why(record, 13)
    assert "not signed by" in why(change(record, energy_wh=record.energy_wh - 1))
    assert "award what was bid" in why(change(record, energy_wh=record.most_wh + 1))
    with pytest.raises(SignatureError):
        change(record, price=record.price + 100).deal(desk.number).check(SEPARATOR)
    answer = desk.desk.hear(ShowDeals(desk.number, (record,)), member)
    assert isinstance(answer, DealsTaken)
    assert [hash_ for hash_, _ in answer.taken] == [deals[0].hash]
    desk.clock.now = desk.gate
    assert desk.desk.hear(ShowDeals(desk.number, (record,)), wishes[1].member) == answer, "it is in the journal"
    assert JournaledDeals(desk.journal, setting.community.clock).of(slots[0]).deals.keys() == {deals[0].hash}


def test_nobody_deals_with_itself(desk, setting, slots):
    wishes = two(setting, slots)
    terms, number = seated(desk, wishes), desk.number
    secret, key = slot_key(wishes[0].secret, number), wishes[0].key(number)
    bid = Bid(number, 0, key, key, 5, terms.grid.floor + 100 * terms.grid.tick, 0)
    signatures = [signing.sign(signing.digest(SEPARATOR, each), secret) for each in (bid.hash, Award(bid.hash, 5).hash)]
    deal = SignedDeal(bid, 5, *signatures)
    deal.check(SEPARATOR)
    answer = desk.desk.hear(ShowDeals(number, (DealRecord.of(deal),)), wishes[0].member)
    assert isinstance(answer, DealsTaken)
    assert "nobody deals with itself" in answer.refused[0][1]


def test_asking_for_slots_without_end_keeps_nothing(desk, setting):
    known = JournaledDeals(desk.journal, setting.community.clock)
    for number in range(9):
        assert not known.of(desk.gate + number * 900).closed
    assert known._slots == {}
