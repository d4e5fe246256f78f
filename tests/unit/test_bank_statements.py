"""A bank's statement: what is wrong in it is told in words, and another currency pays nothing."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from transactive.core.errors import DataError
from transactive.services.bills.camt import payments_of, read_statement

PAPERS: Any = [SimpleNamespace(sequence=1, owed_cents=5_000, paper=SimpleNamespace(number="B-1", currency="EUR"))]


def statement(amount: str = "50.00", currency: str | None = "EUR", day: str = "2026-03-01") -> bytes:
    """One entry that pays a paper."""
    unit = "" if currency is None else f' Ccy="{currency}"'
    return (
        f"<Document><BkToCstmrStmt><Stmt><Ntry><Amt{unit}>{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>"
        f"<BookgDt><Dt>{day}</Dt></BookgDt><AcctSvcrRef>r</AcctSvcrRef><NtryDtls><TxDtls><RmtInf><Ustrd>for B-1</Ustrd>"
        "</RmtInf></TxDtls></NtryDtls></Ntry></Stmt></BkToCstmrStmt></Document>"
    ).encode()


def paid(path: Path, data: bytes) -> list[int]:
    """What a statement pays of the paper [hundredths]."""
    path.write_bytes(data)
    return [payment.paid_cents for payment in payments_of(read_statement(path), PAPERS)[0]]


def test_an_entry_pays_the_paper_that_it_names_in_its_currency_alone(tmp_path):
    assert paid(tmp_path / "s.xml", statement()) == [5_000]
    assert paid(tmp_path / "s.xml", statement(currency="JPY")) == []


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'<?xml version="1.0" encoding="shift_jis"?><Document/>', "is not XML"),
        (b'<?xml version="1.0" encoding="none"?><Document/>', "is not XML"),
        (b'<?xml version="1.0" encoding="rot13"?><Document/>', "is not XML"),
        (statement(amount="9" * 5_000), "takes a decimal"),
        (statement(amount="9" * 17), "takes a decimal"),
        (statement(amount="١٢"), "takes a decimal"),
        (statement(amount="-5.00"), "takes a decimal"),
        (statement(currency=None), "has no Ccy"),
        (statement(day="2026-02-30"), "a day, like"),
        (statement(day="20260301"), "a day, like"),
    ],
)
def test_what_is_wrong_is_told_in_words(tmp_path, data, why):
    with pytest.raises(DataError, match=why):
        paid(tmp_path / "s.xml", data)
