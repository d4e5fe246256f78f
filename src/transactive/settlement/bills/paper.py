"""A paper: an invoice or a credit note with its lines, its VAT by category, and what is to be paid.

Every line's amount is rounded once, and so is the VAT of each category; all else is a sum of these (EN 16931-1,
BR-CO-10 to BR-CO-17). What the lines round is kept in an account of the member's stream, and whole hundredths of it
that earlier papers left are paid with the next one (BT-114).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from transactive.settlement.bills.amounts import CENT_N, cents_of, vat_of, whole_cents
from transactive.settlement.bills.items import RULES, LineItem, Stream

Category = Literal["S", "Z", "E", "AE"]
"""VAT category, UNTDID 5305: standard, zero, exempt, reverse charge."""
Settlement = Literal["bank", "chain"]
CODES = {("purchase", 1): 380, ("purchase", -1): 381, ("sale", 1): 389, ("sale", -1): 261}
"""Kind of a paper by its stream and sign, UNTDID 1001."""
CORRECTED = 384
CREDIT_NOTES = (381, 261)
"""Kinds whose amounts lower what the member's invoices say."""
TITLES = {
    380: "Invoice",
    381: "Credit note",
    384: "Corrected invoice",
    389: "Self-billed invoice",
    261: "Self-billed credit note",
}


class PaperPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of the parts of a paper."""


class PaperLine(PaperPart, frozen=True, kw_only=True):
    """One line: quantity [Wh, kg], the exact amount beneath [n¤] and what is billed of it [hundredths]."""

    item: str
    quantity: int
    exact_n: int
    net_cents: int
    category: Category
    rate_ppm: int


class VatLine(PaperPart, frozen=True, kw_only=True):
    """VAT of one category and rate [hundredths]."""

    category: Category
    rate_ppm: int
    base_cents: int
    vat_cents: int


class Paper(PaperPart, frozen=True, kw_only=True):
    """A paper as it is issued, without anything of a person but the member's id. Dates are local, YYYY-MM-DD.

    prepaid_cents: settled on chain already. rounding_cents: of what earlier papers rounded. carried_n: rounding account
    of the stream after this paper [n¤].
    """

    number: str
    code: int
    stream: Stream
    member: str
    month: str
    first_day: str
    last_day: str
    issued: str
    due: str
    currency: str
    settlement: Settlement
    corrects: str | None
    lines: tuple[PaperLine, ...]
    vat: tuple[VatLine, ...]
    prepaid_cents: int
    rounding_cents: int
    carried_n: int

    @property
    def net_cents(self) -> int:
        """Sum of the lines."""
        return sum(line.net_cents for line in self.lines)

    @property
    def vat_cents(self) -> int:
        """Sum of the categories."""
        return sum(line.vat_cents for line in self.vat)

    @property
    def gross_cents(self) -> int:
        """With VAT."""
        return self.net_cents + self.vat_cents

    @property
    def payable_cents(self) -> int:
        """What is left to pay (BR-CO-16)."""
        return self.gross_cents - self.prepaid_cents + self.rounding_cents

    @property
    def sign(self) -> int:
        """−1 of a credit note, whose amounts count against the stream."""
        return -1 if self.code in CREDIT_NOTES else 1

    @property
    def member_owes_cents(self) -> int:
        """What the member has to pay by this paper; below zero what it gets."""
        owes = self.sign if self.stream == "purchase" else -self.sign
        return owes * self.payable_cents

    @property
    def title(self) -> str:
        """What the paper is, in words."""
        return TITLES[self.code] + (", self-billed" if self.code == CORRECTED and self.stream == "sale" else "")


@dataclass(frozen=True, slots=True)
class Amount:
    """An item's quantity and exact money [n¤] in a month, with the VAT that it has."""

    item: LineItem
    quantity: int
    exact_n: int
    category: Category
    rate_ppm: int


@dataclass(frozen=True, slots=True)
class Frame:
    """What a paper says beside its amounts; its number comes when it is issued."""

    stream: Stream
    member: str
    month: str
    first_day: str
    last_day: str
    issued: str
    due: str
    currency: str
    settlement: Settlement
    corrects: str | None = None


def make_paper(frame: Frame, number: str, amounts: Sequence[Amount], *, carried_n: int) -> Paper:
    """A paper of amounts, with what earlier papers of its stream left in the rounding account [n¤].

    A sum below zero becomes a credit note of its opposite.
    """
    exact_n = sum(amount.exact_n for amount in amounts)
    sign = -1 if sum(cents_of(amount.exact_n) for amount in amounts) < 0 else 1
    lines = tuple(_line(amount, sign) for amount in amounts)
    net = sum(line.net_cents for line in lines)
    on_chain = frame.settlement == "chain"
    prepaid = net if on_chain else 0
    rounding = 0 if on_chain else whole_cents(carried_n)
    code = CODES[frame.stream, sign] if frame.corrects is None or sign < 0 else CORRECTED
    return Paper(
        number=number,
        code=code,
        **{name: getattr(frame, name) for name in Frame.__slots__},
        lines=lines,
        vat=_vat(lines),
        prepaid_cents=prepaid,
        rounding_cents=sign * rounding,
        carried_n=carried_n + exact_n - (sign * net + rounding) * CENT_N,
    )


def issued_amounts(papers: Iterable[Paper]) -> dict[tuple[LineItem, Category, int], tuple[int, int]]:
    """Quantity and exact money [n¤] that papers state together, by item and VAT."""
    found: dict[tuple[LineItem, Category, int], tuple[int, int]] = {}
    for paper in papers:
        for line in paper.lines:
            key = (LineItem[line.item], line.category, line.rate_ppm)
            quantity, exact_n = found.get(key, (0, 0))
            found[key] = quantity + paper.sign * line.quantity, exact_n + paper.sign * line.exact_n
    return found


def _line(amount: Amount, sign: int) -> PaperLine:
    return PaperLine(
        item=amount.item.name,
        quantity=sign * amount.quantity,
        exact_n=sign * amount.exact_n,
        net_cents=cents_of(sign * amount.exact_n),
        category=amount.category,
        rate_ppm=amount.rate_ppm,
    )


def _vat(lines: Sequence[PaperLine]) -> tuple[VatLine, ...]:
    """VAT by category and rate, in the order of the lines."""
    bases: dict[tuple[Category, int], int] = {}
    for line in lines:
        key = (line.category, line.rate_ppm)
        bases[key] = bases.get(key, 0) + line.net_cents
    return tuple(
        VatLine(category=category, rate_ppm=rate, base_cents=base, vat_cents=vat_of(base, rate))
        for (category, rate), base in bases.items()
    )


def text_of(item: str) -> str:
    """What a line is about, in words."""
    return RULES[LineItem[item]].text
