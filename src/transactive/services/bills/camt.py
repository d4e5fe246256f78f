"""A bank's statement (camt.053): entries of the account, and the papers that each one names.

An entry is a payment of the papers whose numbers stand in its remittance information or end-to-end id. Where it names
several, it pays them in their order, each up to what is open, and the last takes the rest. An entry in another currency
than a paper's pays none. Source: ISO 20022, camt.053.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from xml.etree import ElementTree as ET

from transactive.core.errors import DataError
from transactive.services.bills.open_items import OpenPaper
from transactive.store.bills import Payment

AMOUNT = re.compile(r"([0-9]{1,13})(?:\.([0-9]{1,2})0*)?")
"""As long as the standard has amounts: 18 digits in all."""


@dataclass(frozen=True, slots=True)
class BankEntry:
    """One booking [hundredths], above zero received. reference: the bank's own; text: all in it that names papers.

    booked: the day, ISO 8601; currency: three letters.
    """

    reference: str
    booked: str
    cents: int
    text: str
    currency: str


def read_statement(path: Path) -> list[BankEntry]:
    """Booked entries of a statement, each transaction of a batch its own. Raises DataError for what is no camt.053."""
    try:
        root = ET.fromstring(path.read_bytes())  # noqa: S314 - expat refuses entity bombs since 2.4.1
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); give a bank's statement") from None
    except (ET.ParseError, ValueError, LookupError) as error:  # the last two for an encoding that there is not
        raise DataError(f"{path}: is not XML: {error}; give a statement in camt.053") from None
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    if root.find("BkToCstmrStmt") is None:
        raise DataError(f"{path}: is no camt.053: BkToCstmrStmt is missing; ask the bank for such a statement")
    return [entry for number, found in enumerate(root.iter("Ntry"), start=1) for entry in _entries(found, number, path)]


def payments_of(entries: Sequence[BankEntry], papers: Sequence[OpenPaper]) -> tuple[list[Payment], list[BankEntry]]:
    """Payments that entries are, and the entries that name no paper."""
    left = {each.sequence: each.owed_cents for each in papers}
    payments, unknown = list[Payment](), list[BankEntry]()
    for entry in entries:
        same = (each for each in papers if each.paper.currency == entry.currency)
        named = [each for each in same if re.search(rf"(?<!\w){re.escape(each.paper.number)}(?!\w)", entry.text)]
        if not named:
            unknown.append(entry)
            continue
        rest = entry.cents
        for each in named:
            part = rest if each is named[-1] else _up_to(rest, left[each.sequence])
            left[each.sequence] -= part
            rest -= part
            payments.append(Payment(entry.reference, each.sequence, entry.booked, part))
    return payments, unknown


def _up_to(cents: int, open_cents: int) -> int:
    """What of an amount pays what is open in the same direction."""
    if cents > 0:
        return max(0, min(cents, open_cents))
    return min(0, max(cents, open_cents))


def _entries(entry: ET.Element, number: int, path: Path) -> Iterator[BankEntry]:
    """An entry, or the transactions that it is made of."""
    place = f"{path}: entry {number}"
    if (entry.findtext("Sts/Cd") or entry.findtext("Sts") or "BOOK").strip() != "BOOK":
        return
    sign = {"CRDT": 1, "DBIT": -1}.get(entry.findtext("CdtDbtInd", ""))
    booked = (entry.findtext("BookgDt/Dt") or entry.findtext("BookgDt/DtTm") or "")[:10]
    reference = entry.findtext("AcctSvcrRef") or entry.findtext("NtryRef")
    if sign is None or not _is_day(booked) or not reference:
        raise DataError(
            f"{place}: needs CdtDbtInd, BookgDt (a day, like 2026-03-01) and AcctSvcrRef; ask the bank for a whole"
            " statement"
        )
    parts = entry.findall("NtryDtls/TxDtls")
    if len(parts) < 2:
        yield _booking(reference, booked, sign, entry.find("Amt"), entry, place)
        return
    for place_in, part in enumerate(parts, start=1):
        amount = part.find("Amt") if part.find("Amt") is not None else part.find("AmtDtls/TxAmt/Amt")
        yield _booking(f"{reference}/{place_in}", booked, sign, amount, part, place)


def _booking(
    reference: str, booked: str, sign: int, amount: ET.Element | None, named_in: ET.Element, place: str
) -> BankEntry:
    """A booking of an amount, with what names papers in an element."""
    text, currency = ("", "") if amount is None else (amount.text, amount.get("Ccy", ""))
    if not currency:
        raise DataError(f"{place}: Amt has no Ccy; ask the bank for a whole statement")
    return BankEntry(reference, booked, sign * _cents(text, place), _text(named_in), currency)


def _is_day(text: str) -> bool:
    """Whether a text is a day that there is."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _text(element: ET.Element) -> str:
    """What names the papers: remittance information, end-to-end ids, the bank's own words."""
    tags = ("Ustrd", "Ref", "EndToEndId", "AddtlNtryInf", "AddtlTxInf", "Nb")
    return " ".join(found.text or "" for tag in tags for found in element.iter(tag))


def _cents(text: str | None, place: str) -> int:
    said = (text or "").strip()
    found = AMOUNT.fullmatch(said)
    if found is None:
        raise DataError(f"{place}: Amt is {said[:40]!r}; it takes a decimal with two places, like 12.30")
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))
