"""A month's bills of many members: postings of all slots, lines, e-invoices and PDFs."""

from __future__ import annotations

from collections.abc import Iterator
from time import process_time
from typing import Any

import numpy as np

from transactive.bench.measure import BenchTimer
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.core.accounts import Accounts
from transactive.core.community.rules import BillingRules
from transactive.core.postings import PostingKind, Postings
from transactive.core.units import IntArray

MEMBERS, SLOTS, REPEATS, VAT = 100, 744, 5, 200_000


@bench("bills", summary="bills of a month with their e-invoices and PDFs")
def bills(_: BenchTimer) -> Iterator[Row]:
    """Measure a bill out of those of 100 members over a month of hours, in processor time."""
    slots = [_postings(slot) for slot in range(SLOTS)]
    row = BenchTimer(process_time).time("a bill of a month", lambda: _bill(slots), unit="ms", repeats=REPEATS)
    yield Row(name=row.name, value=(row.value or 0) / MEMBERS, unit=row.unit)


def _postings(slot: int) -> Postings:
    """A slot in which everybody buys from neighbours and the supplier, pays the fee and gives."""
    draw, chart = np.random.default_rng(slot), Accounts(MEMBERS)
    members, energy = np.arange(MEMBERS), draw.integers(1, 2_000, MEMBERS)
    rows: list[IntArray] = []
    for kind, other, price in (
        (PostingKind.EXTRA_INSIDE, chart.pool, 207_500),
        (PostingKind.EXTRA_SUPPLIER, chart.supplier, 280_000),
        (PostingKind.NETWORK_FEE, chart.network, 30_000),
    ):
        columns = np.broadcast_arrays(kind, members, other, energy, price, energy * price)
        rows.append(np.array(columns, np.int64))
    columns = np.broadcast_arrays(PostingKind.GIVE_SUPPLIER, chart.supplier, members, energy, 80_000, energy * 80_000)
    rows.append(np.array(columns, np.int64))
    return Postings(slot, *np.concatenate(rows, axis=1))


def _bill(slots: list[Postings]) -> list[bytes]:
    """PDFs of the invoices of a month."""
    from transactive.services.bills.cii import Sides, e_invoice
    from transactive.services.bills.issue import tax_of
    from transactive.services.bills.parties import CustomerRecord, OperatorRecord
    from transactive.services.bills.pdf import as_pdf
    from transactive.settlement.bills.items import RULES, LineItem, tally
    from transactive.settlement.bills.paper import Amount, Frame, make_paper

    quantity, money = (np.zeros((MEMBERS, len(LineItem)), np.int64) for _ in range(2))
    for slot in slots:
        more = tally(slot, MEMBERS)
        quantity, money = quantity + more[0], money + more[1]
    where: dict[str, Any] = {"street": "Street 1", "postcode": "1010", "city": "Wien", "country": "AT"}
    operator = OperatorRecord(name="Operator", **where, vat_id="ATU12345675", taxation="standard")
    sides = Sides(operator, CustomerRecord(name="Member", **where), BillingRules(), "Community")
    dates = ("2024-05", "2024-05-01", "2024-05-31", "2024-06-01", "2024-06-15")
    made = []
    for member in range(MEMBERS):
        amounts = [
            Amount(
                item, int(quantity[member, item]), int(money[member, item]), *tax_of(item, sides, "purchase", 200_000)
            )
            for item in LineItem
            if RULES[item].stream == "purchase" and money[member, item]
        ]
        paper = make_paper(Frame("purchase", "m", *dates, "EUR", "bank"), f"{member + 1:06d}", amounts, carried_n=0)
        made.append(as_pdf(e_invoice(paper, sides)))
    return made
