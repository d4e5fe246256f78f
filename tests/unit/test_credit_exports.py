"""The export of receipts of carbon credits: what somebody wrote of its reason is never run by a spreadsheet."""

from __future__ import annotations

import csv
from typing import Any

from transactive.cli.credits.actions import RECEIPT, _csv
from transactive.tabular.spreadsheet import original


def test_words_of_a_receipt_are_no_formulas():
    said = '=HYPERLINK("http://example.org","see")'
    row: dict[str, Any] = dict.fromkeys(RECEIPT, 1) | {"reason": said, "beneficiary": "@ada", "price_micro_per_t": -5}
    (read,) = csv.DictReader(_csv([row]).splitlines())
    assert (read["reason"], read["beneficiary"]) == (f"'{said}", "'@ada")
    assert (original(read["reason"]), read["price_micro_per_t"]) == (said, "-5")
