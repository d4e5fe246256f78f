"""Tables as CSV that a spreadsheet opens without running anything that stands in them.

A cell of text that begins like a formula gets an apostrophe in front, which spreadsheets show as text; reading the file
here takes it away again. Numbers are left alone, also negative ones. After OWASP's page on CSV injection.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

FORMULA = "=+-@\t\r\n|%＝＋－＠"
"""What a formula can begin with, as programs read it, also behind spaces."""
CLASS = f"[{re.escape(FORMULA)}']"
RISKY = re.compile(f"^ *{CLASS}")
QUOTED = f"^'( *{CLASS})"
"""A cell that `neutral` changed, for any regular expressions; its group is what the text began with."""


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV with a head, which stands there without a row, too."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([neutral(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return text.getvalue()


def neutral(text: str) -> str:
    """Text as a cell that no spreadsheet runs; `original` undoes it."""
    return f"'{text}" if RISKY.match(text) else text


def original(cell: str) -> str:
    """Text of a cell that `neutral` may have changed."""
    return re.sub(QUOTED, r"\1", cell)
