"""Orders that members send to a live market: written and receipted before the gate, cleared in its session, proved."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace as replace_record

from tests.integration.conftest import START
from transactive.chain.keys.keys import DemoKeys
from transactive.cli.live.contents import contents
from transactive.config.setting import load_setting
from transactive.config.shipped import DEMO
from transactive.core.errors import OrderError
from transactive.core.proofs.accepted_orders import hashes_of
from transactive.core.proofs.order_records import order_bytes, order_of
from transactive.core.proofs.signed_orders import Order, SigningPlace, domain, sign_order
from transactive.core.proofs.signing import signer
from transactive.core.slot_book import SlotBook
from transactive.core.slots import parse_time
from transactive.core.tariff import PriceGrid
from transactive.engine.live.order_desk import EnteredOrder, OrderDesk
from transactive.engine.live.session import Pace, rehearse, replay_journal
from transactive.engine.live.waiting import RehearsalClock
from transactive.engine.live.world import World
from transactive.engine.replay import slots_of
from transactive.store import Store
from transactive.store.live.journal import JOURNAL_FILE, ArrivalKind, Journal, JournalReader

SEED, MEMBER, SLOTS = "sent", 3, 6
KEYS = DemoKeys(SEED)


@pytest.fixture(scope="module")
def setting():
    return load_setting(DEMO)


@pytest.fixture(scope="module")
def slots(setting):
    return slots_of(setting, parse_time(START), 1)[:SLOTS]


class Sender:
    """Sends orders of a member as slots are over, through the desk of the session."""

    def __init__(self, setting, slots):
        self.setting, self.slots = setting, slots
        self.desk: OrderDesk
        self.books: list[SlotBook] = []
        self.receipts: list[EnteredOrder] = []
        self.domain = b""

    def order(self, slot, serial, energy):
        grid = PriceGrid.of(self.setting.tariff(slot), self.setting.community.market.tick_micro_per_kwh)
        return Order(MEMBER, slot // self.slots.step, serial, ((grid.cap, energy),), ())

    def send(self, order, key=None):
        signed = sign_order(order, bytes((key or KEYS.account(MEMBER)).key), self.domain)
        self.receipts.append(self.desk.take(order_bytes(signed), order.account))

    def after(self, book):
        self.books.append(book)
        slot = book.slot + 3 * self.slots.step  # its gate closes two slots from here
        if slot in self.slots:
            self.send(self.order(slot, 0, 400))
            self.send(self.order(slot, 1, 700))


@pytest.fixture(scope="module")
def sent(setting, slots, tmp_path_factory):
    """A rehearsal in which a member sends two orders for each of its later slots, the second in place of the first."""
    folder, sender = tmp_path_factory.mktemp("sent"), Sender(setting, slots)
    made = World.kernel

    def kernel(world, *args, chain, **more):
        sender.desk, sender.domain = (
            OrderDesk(world.journal, world.clock, setting, slots),
            chain.signing_place(0).domain,
        )
        sender.desk.open(chain)
        return made(world, *args, chain=chain, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(World, "kernel", kernel)
        outcome, _ = rehearse(setting, slots, folder, seed=SEED, pace=Pace(), after_slot=sender.after)
    return outcome, folder, sender


def test_the_last_order_that_was_sent_is_the_one_that_trades(sent, slots):
    outcome, _, sender = sent
    assert outcome.summary.ledger_equals_chain
    assert len(sender.receipts) == 2 * (SLOTS - 3)
    for book in sender.books[3:]:
        own = book.orders.only(book.orders.member == MEMBER)
        assert own.energy_wh.tolist() == [700]
        entered = [one for one in book.accepted if one.signed.order.account == MEMBER]
        assert [one.signed.order.serial for one in entered] == [0, 1]
        assert sum(one.number == 0 for one in book.accepted) > 5  # the run makes those of the others


def test_what_was_sent_is_kept_whole_and_with_a_receipt_that_the_judge_reads(sent, setting, slots):
    _, folder, sender = sent
    operator = str(KEYS.role("operator").address).lower()
    told = {(each.order.slot, each.order.serial): each for each in sender.receipts}
    with closing(Store(folder)) as store:
        for book in sender.books:
            number = book.slot // slots.step
            kept = store.accepted(book.slot, book.orders, number)
            assert hashes_of(kept, range(15)) == hashes_of(book.accepted, range(15))
            for one in kept:
                if one.number:
                    order, receipt = one.signed.order, told[one.signed.order.slot, one.signed.order.serial]
                    assert (receipt.number, receipt.received, receipt.receipt) == (
                        one.number,
                        one.received,
                        one.signature,
                    )
                    assert one.receipt.way == ()
                    assert signer(one.receipt.digest(order, sender.domain), one.signature, "receipt") == operator


def test_a_session_with_orders_that_were_sent_is_its_journal_replayed(sent, setting, slots, tmp_path):
    outcome, folder, _ = sent
    again, _ = replay_journal(setting, slots, folder / JOURNAL_FILE, tmp_path, seed=SEED)
    assert again.summary.state_hash == outcome.summary.state_hash


def test_an_order_stands_before_its_gate_in_the_journal_or_nowhere(tmp_path):
    with closing(Journal(tmp_path / "one.sqlite")) as journal, closing(Journal(tmp_path / "one.sqlite")) as other:
        assert journal.append_order(10, b"first", 3600, 0)
        other.append(20, ArrivalKind.GATE, [b"3600 0"])
        assert journal.append_order(30, b"second", 3600, 1) == "closed"
        third = journal.append_order(30, b"third", 7200, 1)
        assert [entry.body for entry in other.all_after(0)] == [b"first", b"3600 0", b"third"]
        assert third == next(iter(other.all_after(2)))


@pytest.fixture
def desk(setting, slots, tmp_path):
    """A desk an hour before the first gate, and how its orders are signed."""
    separator = domain(31337, "0x" + 20 * "ab")
    chain: Any = SimpleNamespace(keys=KEYS, signing_place=lambda index: SigningPlace(index, separator))
    sender = Sender(setting, slots)
    with closing(Journal(tmp_path / JOURNAL_FILE)) as journal:
        clock = RehearsalClock(setting.community.clock.gate(slots[0]) - 3600)
        sender.desk, sender.domain = OrderDesk(journal, clock, setting, slots), separator
        sender.desk.open(chain)
        yield sender, clock


def test_orders_that_no_market_takes_are_refused_with_their_reason(desk, slots, setting):
    sender, clock = desk
    good = sender.order(slots[0], 1, 400)
    price = good.buys[0][0]
    wrong = {
        "slot": replace(good, slot=good.slot - 1),
        "price": replace(good, buys=((price + 1, 5),)),
        "energy": replace(good, sells=((price, 10**9),), buys=()),
        "crossing": replace(good, sells=((price, 1),)),
        "steps": replace(good, buys=((price, 1),) * 65),
    }
    for reason, order in wrong.items():
        with pytest.raises(OrderError) as refused:
            sender.send(order)
        assert refused.value.code == f"order.{reason}"
    with pytest.raises(OrderError, match="is signed by"):
        sender.send(good, KEYS.account(MEMBER + 1))
    with pytest.raises(OrderError, match="from account 4"):
        sender.desk.take(order_bytes(sign_order(good, bytes(KEYS.account(MEMBER).key), sender.domain)), 4)
    with pytest.raises(OrderError, match="is no signed order"):
        sender.desk.take(b"{}", MEMBER)
    sender.send(good)
    sender.send(good)  # its answer was lost: the same again is the same receipt
    assert sender.receipts[0] == sender.receipts[1]
    with pytest.raises(OrderError, match="serial 1 comes after 1"):
        sender.send(replace(good, buys=((price, 401),)))
    for serial in range(2, 9):
        sender.send(replace(good, serial=serial))
    with pytest.raises(OrderError, match="8 orders"):
        sender.send(replace(good, serial=9))
    clock.wait_until(setting.community.clock.gate(slots[0]))
    with pytest.raises(OrderError, match="the gate of"):
        sender.send(replace(good, serial=10))
    assert (sender.desk.refused["late"], sender.desk.refused["slot"]) == (1, 1)
    assert len(sender.receipts) == 9


def test_two_desks_at_once_take_each_serial_once(desk, setting, slots, tmp_path):
    """Two threads at one desk, and another desk on the same journal, as that of a page."""
    sender, clock = desk
    chain: Any = SimpleNamespace(keys=KEYS, signing_place=lambda index: SigningPlace(index, sender.domain))
    key = bytes(KEYS.account(MEMBER).key)
    with closing(Journal(tmp_path / JOURNAL_FILE)) as journal:
        other = OrderDesk(journal, clock, setting, slots)
        other.open(chain)

        def send(place: int) -> str:
            order = sender.order(slots[0], place // 3 + 1, 400 + place)
            try:
                (other if place % 3 == 0 else sender.desk).take(
                    order_bytes(sign_order(order, key, sender.domain)), MEMBER
                )
            except OrderError as error:
                return error.reason
            return "taken"

        with ThreadPoolExecutor(3) as pool:
            said = list(pool.map(send, range(12)))
        serials = [order_of(each.body).order.serial for each in journal.of_kinds((ArrivalKind.ORDER,), 0)]
    assert serials == sorted(set(serials))
    assert Counter(said) == Counter({"taken": len(serials), "serial": 12 - len(serials)})


def test_what_a_journal_holds_names_who_ordered(sent):
    _, folder, _ = sent
    with closing(JournalReader(folder / JOURNAL_FILE)) as journal:
        told = contents(journal)
        orders = len(journal.of_kinds((ArrivalKind.ORDER,), 0))
    assert orders
    assert (told["orders_by_hand"], told["orders_of_boxes"], told["import_limits"]) == (orders, 0, 0)


def test_bytes_of_an_order_are_the_order(desk, slots):
    sender, _ = desk
    signed = sign_order(sender.order(slots[0], 0, 9), bytes(KEYS.account(MEMBER).key), sender.domain)
    assert order_of(order_bytes(signed)) == signed


def test_where_members_trade_directly_no_order_is_taken_that_is_sent(desk, slots, setting, tmp_path):
    """What undoes a deal would be no part of it, and an honest operator convicted."""
    sender, clock = desk
    market = replace_record(setting.community.market, mechanism="direct")
    direct = replace(setting, community=replace_record(setting.community, market=market))
    chain: Any = SimpleNamespace(keys=KEYS, signing_place=lambda index: SigningPlace(index, sender.domain))
    with closing(Journal(tmp_path / JOURNAL_FILE)) as journal:
        sender.desk = OrderDesk(journal, clock, direct, slots)
        sender.desk.open(chain)
        with pytest.raises(OrderError, match="members of this market trade directly"):
            sender.send(sender.order(slots[0], 1, 400))
        assert not list(journal.all_after(0))
