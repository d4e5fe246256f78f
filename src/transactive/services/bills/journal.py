"""The booking journal: a row for each debit and credit of each paper, as accounting programs import it.

Columns follow the batch of postings of DATEV (amount, side, account, contra account, date, document, text), with names
instead of its numbers, which differ by chart of accounts. What a paper rounds is a row of its own, so that each paper's
rows are worth its amount to pay; the exact rest in n¤ stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from transactive.settlement.bills.amounts import decimal
from transactive.settlement.bills.items import RULES, LineItem
from transactive.settlement.bills.paper import Paper
from transactive.tabular.spreadsheet import csv_text

COLUMNS = (
    *("amount", "debit_or_credit", "account", "contra_account", "document_date", "document", "text"),
    *("tax_category", "tax_rate_percent", "currency", "exact_n"),
)


def journal_csv(papers: Iterable[Paper]) -> str:
    """Papers as a journal. Amounts are positive decimals; debit and credit are those of `account`."""
    return csv_text(COLUMNS, (row for paper in papers for row in _rows(paper)))


def _rows(paper: Paper) -> Iterator[tuple[object, ...]]:
    member = f"{'receivable' if paper.stream == 'purchase' else 'payable'}:{paper.member}"
    side = paper.sign if paper.stream == "purchase" else -paper.sign
    kind = "revenue" if paper.stream == "purchase" else "expense"
    rates = {(line.category, line.rate_ppm): line.rate_ppm for line in paper.vat}
    for line in paper.lines:
        account = f"{kind}:{RULES[LineItem[line.item]].tax or 'passed_on'}"
        tax = (line.category, _percent(rates[line.category, line.rate_ppm]))
        text = RULES[LineItem[line.item]].text
        yield _row(paper, side * line.net_cents, member, account, text, tax, line.exact_n)
    for vat in paper.vat:
        tax = (vat.category, _percent(vat.rate_ppm))
        account = "vat:output" if paper.stream == "purchase" else "vat:input"
        yield _row(paper, side * vat.vat_cents, member, account, "VAT", tax, "")
    if paper.prepaid_cents:
        yield _row(paper, -side * paper.prepaid_cents, member, "chain", "Settled on chain", ("", ""), "")
    if paper.rounding_cents:
        text = "Rounding of earlier papers"
        yield _row(paper, side * paper.rounding_cents, member, "rounding", text, ("", ""), "")


def _row(
    paper: Paper, cents: int, account: str, contra: str, text: str, tax: tuple[str, str], exact_n: int | str
) -> tuple[object, ...]:
    """One posting; cents above zero debit the account."""
    side = "D" if cents >= 0 else "C"
    start = (decimal(abs(cents)), side, account, contra, paper.issued, paper.number)
    return (*start, f"{paper.title}: {text}", *tax, paper.currency, exact_n)


def _percent(rate_ppm: int) -> str:
    whole, part = divmod(rate_ppm, 10_000)
    return f"{whole}.{part:04d}".rstrip("0").rstrip(".")
