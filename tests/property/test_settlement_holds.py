"""Money is held back and released to the last unit, and a hold never makes anybody owe."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.accounts import Accounts
from transactive.core.postings import PostingKind, Postings
from transactive.core.trades.positions import Positions
from transactive.settlement.holds import hold
from transactive.settlement.ledger import Ledger

MEMBERS = 4
ACCOUNTS = Accounts(MEMBERS)


def postings_of(slot: int, moves: list[tuple[int, int, int]]) -> Postings:
    """Plain transfers: payer, payee, amount."""
    payer, payee, amount = (np.array(column, np.int64) for column in zip(*moves, strict=True))
    kinds, nothing = np.full(len(payer), int(PostingKind.CERTIFIED)), np.zeros(len(payer), np.int64)
    return Postings(slot, kinds, payer, payee, nothing, nothing, amount)


accounts = st.sampled_from([*range(MEMBERS), ACCOUNTS.supplier, ACCOUNTS.community])
moves = st.lists(st.tuples(accounts, accounts, st.integers(0, 10**12)), min_size=1, max_size=8)
slots = st.lists(st.tuples(moves, st.tuples(*[st.booleans()] * MEMBERS)), min_size=1, max_size=6)


@given(slots)
def test_held_is_income_of_suspects_and_comes_back_whole(lived):
    ledger, nobody = Ledger(ACCOUNTS), np.zeros(MEMBERS, bool)
    zeros = np.zeros(MEMBERS, np.int64)
    earned, distributable = zeros.copy(), 0
    for slot, (transfers, flags) in enumerate([*lived, ([(0, 0, 0)], nobody)]):
        suspects, before = np.array(flags, bool), ledger.held_n
        plain = postings_of(slot, transfers)
        added = hold(plain, before, suspects, ACCOUNTS)
        whole = plain.and_then(added)
        income = np.maximum(plain.net_n(ACCOUNTS.total)[:MEMBERS], 0)
        ledger.enter(0, Positions.at_one_price(slot, 0, zeros, zeros), whole)
        assert (ledger.held_n == np.where(suspects, before + income, 0)).all()
        net, moved = whole.net_n(ACCOUNTS.total), plain.net_n(ACCOUNTS.total)
        assert net.sum() == 0
        assert (net[:MEMBERS] >= np.minimum(moved[:MEMBERS], 0)).all()
        assert net[ACCOUNTS.supplier] == moved[ACCOUNTS.supplier]
        earned += net[:MEMBERS] - moved[:MEMBERS]
        distributable += int(moved[ACCOUNTS.community])
        assert ledger.undistributed_n == distributable  # what is held is nobody's dividend
    assert (earned == 0).all()
    assert (ledger.held_n == 0).all()
