"""What a settled slot cost its home is told to its box, which counts each slot once."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.unit.test_box_trades import ADA, SLOTS, Street, street
from transactive.core.accounts import Accounts
from transactive.core.boxes.messages import AskTerms, HasCommand, SlotBill, Terms
from transactive.core.errors import StateError
from transactive.node.bills import BILLS_FILE, HomeBills

__all__ = ["street"]


def test_a_box_counts_each_slot_once_also_when_it_begins_anew(tmp_path):
    bills = HomeBills(tmp_path)
    assert (bills.cost_n, bills.saving_n) == (None, None)
    assert bills.take(SlotBill(7, 900, 10_000, 30, 50)) == HasCommand(7)
    bills = HomeBills(tmp_path)
    bills.take(SlotBill(8, 900, 10_000, 30, 50))  # told again, under another number
    bills.take(SlotBill(9, 1_800, 10_000, -45, 5))
    assert (bills.cost_n, bills.saving_n) == (-15, 70)
    (tmp_path / BILLS_FILE).write_text("{")
    with pytest.raises(StateError, match="delete it"):
        HomeBills(tmp_path)


def book_of(street: Street, slot: int, cost_n: int) -> Any:
    """What a slot is settled with, which costs ada so much."""
    members = len(street.setting.community.members)
    net = np.zeros(Accounts(members).total, np.int64)
    net[ADA] = -cost_n
    return SimpleNamespace(
        slot=slot,
        postings=SimpleNamespace(net_n=lambda _: net),
        tariff=SimpleNamespace(supply_of=3, feed_in_of=1),
        baseline=SimpleNamespace(import_wh=np.full(members, 20), export_wh=np.full(members, 5)),
    )


def test_a_bill_that_is_lost_on_the_way_is_counted_all_the_same(street: Street, tmp_path):
    lost = list[Any]()
    street.commands.publish = lambda _meter, command: lost.append(command)
    for place, slot in enumerate(SLOTS[:3]):
        street.commands.settled(book_of(street, slot, 10**place))
    assert [bill.slot for bill in lost] == [SLOTS[0]]  # no bill passes the one before
    street.meet()
    bills, told = HomeBills(tmp_path), street.counter.hear(street.key.address, street.say(AskTerms()))
    for _ in range(3):
        bill = street.trader.heard(told[-1])
        assert isinstance(bill, SlotBill)
        told = street.counter.hear(street.key.address, street.say(bills.take(bill)))
    assert (bills.cost_n, told) == (111, [])


def test_the_market_tells_a_box_what_its_slot_cost_until_it_has_it(street: Street):
    street.commands.settled(book_of(street, SLOTS[0], 40))
    street.meet()
    told = [street.trader.heard(each) for each in street.counter.hear(street.key.address, street.say(AskTerms()))]
    terms, bill = told
    assert isinstance(terms, Terms)
    assert terms.currency == "EUR"
    assert isinstance(bill, SlotBill)
    assert (bill.slot, bill.cost_n, bill.without_n) == (SLOTS[0], 40, 55)
    street.counter.hear(street.key.address, street.say(HasCommand(bill.number)))
    assert street.commands.open_for(street.key.address) == []
