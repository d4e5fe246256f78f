"""Bills: every unit of the ledger is on a paper, in the rounding account, or held back, whatever the postings."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.accounts import Accounts
from transactive.core.community.charges.vat import ITEM_OF
from transactive.core.postings import PostingKind, Postings
from transactive.core.proofs.corrections import NUMBERS, Corrections
from transactive.core.units import PPM
from transactive.settlement.bills.amounts import CENT_N, cents_of, half_away, vat_of, whole_cents
from transactive.settlement.bills.items import (
    BUYS,
    OF_EARLIER_SLOTS,
    RULES,
    SELLS,
    WITHOUT_MEMBERS,
    LineItem,
    balance_n,
    tally,
    tally_corrections,
)
from transactive.settlement.bills.paper import CORRECTED, Amount, Frame, Paper, issued_amounts, make_paper
from transactive.settlement.corrections import correct

MEMBERS = 3
CHART = Accounts(MEMBERS)
FRAME = Frame("purchase", "anna", "2026-05", "2026-05-01", "2026-05-31", "2026-06-01", "2026-06-15", "EUR", "bank")
MONEY = st.integers(-(10**15), 10**15)


@st.composite
def postings(draw):
    """Postings of a slot of every kind between members and accounts that the kind allows, at any price."""
    rows = []
    for _ in range(draw(st.integers(0, 30))):
        kind = draw(st.sampled_from([kind for kind in PostingKind if kind not in OF_EARLIER_SLOTS]))
        buyer = draw(st.integers(0, MEMBERS - 1)) if kind in BUYS else CHART.escrow
        seller = draw(st.integers(0, MEMBERS - 1)) if kind in SELLS and draw(st.booleans()) else CHART.pool
        if kind in BUYS and kind in SELLS and draw(st.booleans()):
            buyer = CHART.escrow
        if kind in WITHOUT_MEMBERS:
            buyer, seller = CHART.network, CHART.community
        energy, price = draw(st.integers(0, 10**6)), draw(st.integers(-(10**6), 10**6))
        payer, payee = (seller, buyer) if price < 0 else (buyer, seller)
        amount = energy * abs(price) if energy else (draw(st.integers(0, 10**12)))
        rows.append((kind, payer, payee, energy, price, amount))
    columns = np.array(rows, np.int64).reshape(-1, 6).T
    return Postings(0, *columns)


def test_every_kind_of_posting_has_its_item_for_whoever_can_stand_in_it():
    for kind in PostingKind:
        assert (kind in BUYS or kind in SELLS) != (kind in (*WITHOUT_MEMBERS, *OF_EARLIER_SLOTS)), kind
    assert RULES.keys() == set(LineItem)


@given(postings())
def test_items_of_all_members_make_the_ledger_to_the_last_unit(slot):
    _, money = tally(slot, MEMBERS)
    assert balance_n(money).tolist() == slot.net_n(CHART.total)[:MEMBERS].tolist()


def test_items_bear_the_tax_that_their_postings_have():
    for sides in (BUYS, SELLS):
        for kind, (item, _) in sides.items():
            assert RULES[item].tax == ITEM_OF.get(kind), kind


@given(st.lists(st.tuples(*[st.integers(0, 10**6)] * 4, st.integers(-(10**6), 10**6)), max_size=6), st.data())
def test_corrected_readings_make_what_was_posted_for_them(lines, data):
    rows = np.zeros((len(lines), len(NUMBERS)), np.int64)
    for row, (was_in, was_out, now_in, now_out, price) in zip(rows, lines, strict=True):
        values = {"member": data.draw(st.integers(0, MEMBERS - 1)), "origin": data.draw(st.sampled_from([0, 900]))}
        values |= {"was_import_wh": was_in, "was_export_wh": was_out, "now_import_wh": now_in, "now_export_wh": now_out}
        values |= {"supply": price, "feed_in": price // 3}
        for name, value in values.items():
            row[NUMBERS.index(name)] = value
    corrections = Corrections.of(1_800, rows, np.zeros((len(lines), 65), np.int64))
    money = sum(tally_corrections(corrections, origin, MEMBERS)[1] for origin in (0, 900))
    posted = correct(corrections, CHART)
    assert balance_n(np.asarray(money)).tolist() == posted.net_n(CHART.total)[:MEMBERS].tolist()
    assert not tally(posted, MEMBERS)[1].any(), "they stand on the bill of the slot that was metered"


def test_what_was_bought_and_not_used_lowers_the_invoice_and_is_no_sale():
    rows = [
        (PostingKind.BOUGHT, 0, CHART.escrow, 1_000, 120_000, 120_000_000),
        (PostingKind.GIVE_INSIDE, CHART.pool, 0, 100, 122_500, 12_250_000),
        (PostingKind.GIVE_INSIDE, CHART.pool, 1, 100, 122_500, 12_250_000),
    ]
    quantity, money = tally(Postings(0, *np.array(rows, np.int64).T), MEMBERS)
    assert (quantity[0, LineItem.NOT_USED], money[0, LineItem.NOT_USED]) == (-100, -12_250_000)
    assert money[0, LineItem.SOLD] == 0
    assert (quantity[1, LineItem.SOLD], money[1, LineItem.SOLD]) == (100, 12_250_000)


def test_a_purchase_at_a_negative_price_stays_a_purchase():
    slot = Postings(0, *np.array([[PostingKind.BOUGHT, CHART.escrow, 0, 500, -20_000, 10_000_000]], np.int64).T)
    quantity, money = tally(slot, MEMBERS)
    assert (quantity[0, LineItem.NEIGHBOURS], money[0, LineItem.NEIGHBOURS]) == (500, -10_000_000)


def test_halves_go_away_from_zero():
    assert [half_away(n, 2) for n in (-3, -1, 1, 3)] == [-2, -1, 1, 2]
    assert [cents_of(n) for n in (5_000_000, 4_999_999, -5_000_000, -4_999_999)] == [1, 0, -1, 0]
    assert vat_of(250, 190_000) == 48  # 47.5
    assert [whole_cents(n) for n in (19_999_999, -19_999_999)] == [1, -1]


@given(st.integers(-(10**20), 10**20), st.integers(1, 10**10))
def test_rounding_is_never_off_by_more_than_half(numerator, denominator):
    assert 2 * abs(half_away(numerator, denominator) * denominator - numerator) <= denominator


amounts = st.lists(
    st.builds(
        Amount,
        st.sampled_from([item for item in LineItem if RULES[item].stream == "purchase"]),
        st.integers(-(10**7), 10**7),
        MONEY,
        st.just("S"),
        st.sampled_from([70_000, 190_000, 200_000]),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda amount: (amount.item, amount.rate_ppm),
)


@given(st.lists(amounts, min_size=1, max_size=6))
def test_papers_and_the_rounding_account_make_the_exact_amount_for_any_data(months):
    carried, papers = 0, list[Paper]()
    for month in months:
        papers.append(make_paper(FRAME, f"{len(papers) + 1}", month, carried_n=carried))
        carried = papers[-1].carried_n
    exact = sum(amount.exact_n for month in months for amount in month)
    billed = sum(paper.sign * (paper.net_cents + paper.rounding_cents) for paper in papers)
    assert billed * CENT_N + carried == exact
    assert abs(carried) < CENT_N + CENT_N * max(map(len, months))  # one paper's lines, and less than a hundredth
    assert sum(money for _, money in issued_amounts(papers).values()) == exact


@given(amounts, MONEY)
def test_totals_are_sums_of_what_was_rounded_once(month, carried):
    paper = make_paper(FRAME, "1", month, carried_n=carried)
    by_rate = {line.rate_ppm: 0 for line in paper.vat}
    for line in paper.lines:
        by_rate[line.rate_ppm] += line.net_cents
        assert line.net_cents == cents_of(line.exact_n)
    assert {line.rate_ppm: line.base_cents for line in paper.vat} == by_rate
    assert all(abs(line.vat_cents * PPM - line.base_cents * line.rate_ppm) * 2 <= PPM for line in paper.vat)
    assert paper.payable_cents == paper.net_cents + paper.vat_cents + paper.rounding_cents
    assert paper.net_cents >= 0 or paper.code == 381


def test_what_earlier_papers_rounded_is_paid_with_the_next_once_it_is_a_whole_hundredth():
    third = [Amount(LineItem.SUPPLIER, 1, 3_334_000_000, "S", 200_000)]
    carried, paid = 0, list[int]()
    for number in range(5):
        paper = make_paper(FRAME, str(number), third, carried_n=carried)
        carried, paid = paper.carried_n, [*paid, paper.rounding_cents]
    assert paid == [0, 0, 0, 1, 0]
    assert carried == CENT_N


def test_money_on_chain_leaves_vat_to_pay():
    month = [
        Amount(LineItem.SUPPLIER, 1_000, 280_000_000, "S", 200_000),
        Amount(LineItem.STANDING, 0, 10**9, "S", 200_000),
    ]
    frame = Frame(**{name: getattr(FRAME, name) for name in Frame.__slots__} | {"settlement": "chain"})
    paper = make_paper(frame, "1", month, carried_n=0)
    assert (paper.gross_cents, paper.prepaid_cents, paper.payable_cents) == (154, 128, 26)


def test_a_correction_names_what_it_corrects_and_is_a_credit_note_where_it_lowers():
    frame = Frame(**{name: getattr(FRAME, name) for name in Frame.__slots__} | {"corrects": "1"})
    more = make_paper(frame, "2", [Amount(LineItem.SUPPLIER, 1, 10**9, "S", 200_000)], carried_n=0)
    less = make_paper(frame, "3", [Amount(LineItem.SUPPLIER, -1, -(10**9), "S", 200_000)], carried_n=0)
    assert (more.code, less.code) == (CORRECTED, 381)
    assert (less.net_cents, less.member_owes_cents) == (100, -120)
