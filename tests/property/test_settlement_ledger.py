"""The ledger over many slots: no member is ever overdrawn, no money appears or disappears."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import SLOT, positions_of, priced, tariffs, trades
from transactive.core.accounts import Accounts
from transactive.core.postings import PostingKind
from transactive.core.proofs.leaves import MONEY
from transactive.core.tables import Readings
from transactive.settlement.funds import advance, dividend
from transactive.settlement.ledger import Ledger
from transactive.settlement.netted import deliver, post
from transactive.trading.escrow import locked_after_clearing

SLOTS_PER_PERIOD = 3
PLENTY = 10**17


class Book:
    """What the ledger must say, kept in plain numbers from the postings alone."""

    def __init__(self, accounts):
        self.balance = [0] * accounts.on_chain
        self.debit: dict[int, list[int]] = {}
        self.credit: dict[int, list[int]] = {}
        self.energy: dict[int, list[tuple[int, int]]] = {}

    def enter(self, period, positions, postings):
        count = len(self.balance)
        net = [0] * (count + 2)
        for payer, payee, amount in zip(postings.payer, postings.payee, postings.amount_n, strict=True):
            net[payer] -= int(amount)
            net[payee] += int(amount)
        debit, credit = (book.setdefault(period, [0] * count) for book in (self.debit, self.credit))
        energy = self.energy.setdefault(period, [(0, 0)] * count)
        for k in range(count):
            debit[k] += max(-net[k], 0)
            credit[k] += max(net[k], 0)
        for k, (b, s) in enumerate(zip(positions.bought_wh.tolist(), positions.sold_wh.tolist(), strict=True)):
            energy[k] = (energy[k][0] + b, energy[k][1] + s)

    def settle(self, period):
        for k, (paid, got) in enumerate(zip(self.debit.pop(period), self.credit.pop(period), strict=True)):
            self.balance[k] += got - paid

    def available(self):
        return [b - sum(debit[k] for debit in self.debit.values()) for k, b in enumerate(self.balance)]


@st.composite
def meters(draw, positions, most_wh):
    net = [
        b - s + draw(st.sampled_from((0, 0, most_wh, -most_wh))) + draw(st.integers(-3, 3))
        for b, s in zip(positions.bought_wh.tolist(), positions.sold_wh.tolist(), strict=True)
    ]
    imported, exported = (np.maximum(sign * np.array(net, np.int64), 0) for sign in (1, -1))
    nothing = np.zeros(len(net), np.int64)
    return Readings(positions.slot, imported, exported, exported, nothing, nothing)


@given(st.data())
def test_the_books_balance_and_no_member_is_overdrawn(data):
    members = data.draw(st.integers(1, 4))
    accounts = Accounts(members)
    tariff = data.draw(tariffs())
    most_wh = data.draw(st.sampled_from((3, 2_000)))
    ledger, book = Ledger(accounts), Book(accounts)
    opening = np.full(accounts.on_chain, PLENTY, np.int64)
    opening[:members] = [data.draw(st.sampled_from((0, 10**6, 10**9))) for _ in range(members)]
    ledger.deposit(opening)
    book.balance = opening.tolist()
    receivable = [0] * members
    open_slots = []
    settled_up_to = 0

    for number in range(data.draw(st.integers(1, 8))):
        # trading: two slots may be open at once, each within what is free
        slot = SLOT + 3600 * number
        bought, sold = data.draw(trades(members, most_wh))
        positions = data.draw(priced(slot, tariff, bought, sold))
        locks = locked_after_clearing(positions, tariff)
        if (locks > ledger.free_n(slot)).any():
            positions = positions_of(slot, 0, [0] * members, [0] * members)
            locks = np.zeros(members, np.int64)
        ledger.lock(slot, locks)
        open_slots.append((number, positions))
        if data.draw(st.booleans()) and len(open_slots) < 2:
            continue

        # delivery of the older one
        delivered, positions = open_slots.pop(0)
        period = delivered // SLOTS_PER_PERIOD
        readings = data.draw(meters(positions, most_wh))
        delivery = deliver(positions, readings)
        postings = post(delivery, positions, tariff, accounts)
        ledger.unlock(positions.slot)
        postings = postings.and_then(advance(postings, delivery, tariff, ledger.funds_n(positions.slot), accounts))
        if (delivered + 1) % SLOTS_PER_PERIOD == 0:
            postings = postings.and_then(dividend(positions.slot, ledger.undistributed_with(postings), accounts))
        ledger.enter(period, positions, postings)
        book.enter(period, positions, postings)
        for payee, amount, kind in zip(postings.payee, postings.amount_n, postings.kind, strict=True):
            if kind == PostingKind.ADVANCE:
                receivable[payee] += int(amount)
                assert ledger.suspended[payee]

        # chain: a period is netted some time after its end
        if settled_up_to < period and data.draw(st.booleans()):
            nets = ledger.nets_n(settled_up_to)
            assert sum(nets) == 0
            ledger.settle(settled_up_to)
            book.settle(settled_up_to)
            settled_up_to += 1
        if data.draw(st.booleans()):
            top_ups = ledger.top_ups_n(10**6, 10**9)
            ledger.deposit(top_ups)
            book.balance = [b + int(t) for b, t in zip(book.balance, top_ups, strict=True)]
            assert (ledger.available_n() >= 10**6).all()

        assert ledger.balances_n.tolist() == book.balance
        assert ledger.available_n().tolist() == book.available()
        assert (ledger.available_n()[:members] >= sum(ledger.locks_n.values(), np.zeros(members, np.int64))).all()
        assert ledger.receivable_n.tolist() == receivable
        for open_period, debit in book.debit.items():
            leaves = [dict(zip(MONEY.names, row, strict=True)) for row in ledger.leaves(open_period, 7).money.tolist()]
            assert [leaf["debit_n"] for leaf in leaves] == debit
            assert [leaf["credit_n"] for leaf in leaves] == book.credit[open_period]
            assert [(leaf["bought_wh"], leaf["sold_wh"]) for leaf in leaves] == book.energy[open_period]
            assert ledger.nets_n(open_period) == [leaf["credit_n"] - leaf["debit_n"] for leaf in leaves]
        assert ledger.undistributed_n >= 0
