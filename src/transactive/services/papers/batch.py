"""Statements of all members in one archive: for each its PDF, its table, and the JSON that can be verified."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from transactive.insight.statements.statement import Statement, encode
from transactive.insight.statements.table import as_csv
from transactive.services.bills.months import Month
from transactive.services.papers.pdf import statement_pdf
from transactive.services.statements.issue import Issuer
from transactive.texts.formatting import Words

Told = Callable[[int, int], None]
"""Hears how much of the work is done, of how much."""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""Time of every file in the archive, so that the same statements are the same file; the papers say when they are of."""
FAST = 1
"""Level of compression: proofs are random, more effort saves little."""


def month_of(issue: Issuer, name: str) -> tuple[int, int]:
    """First slot and end of what is settled of a local month [Unix s]. Raises InputError for another name."""
    month, length = Month.of(name, issue.community.tariff.time_zone), issue.community.clock.length
    first = max(-(-month.start // length) * length, issue.first_slot)
    return first, min(month.end // length * length, issue.settled_until())


def write_all(
    issue: Issuer, output: Path, told: Told, first: int | None = None, end: int | None = None
) -> tuple[int, int]:
    """Write an archive with the papers of all members of a span [Unix s]; returns members and slots.

    It stands there whole or not at all. Raises InputError for a span that is not settled.
    """
    words, ids = Words(issue.community.currency, issue.community.zone), issue.community.ids
    partial, written, slots = output.with_name(f".{output.name}.part"), 0, 0

    def reading(read: int, of: int) -> None:
        told(read, of + of // 2)

    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=FAST) as archive:
            for statement in issue.issue_all(ids, first, end, reading):
                for name, data in papers(statement, words):
                    archive.writestr(_entry(name), data)
                written, slots = written + 1, len(statement.slots)
                told(slots + slots // 2 * written // len(ids), slots + slots // 2)
        with partial.open("rb") as whole:
            os.fsync(whole.fileno())
        partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)
    return written, slots


def papers(statement: Statement, words: Words) -> Iterator[tuple[str, bytes]]:
    """Names and contents of a member's papers."""
    name = statement.member.id
    yield f"{name}/{name}.pdf", statement_pdf(statement, f"{name}.json", words)
    yield f"{name}/{name}.csv", as_csv(statement, words.zone).encode()
    yield f"{name}/{name}.json", encode(statement)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
    return entry
