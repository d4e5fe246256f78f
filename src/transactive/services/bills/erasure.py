"""Erases what bills need of a person: what is on file at once, papers once nobody has to keep them any more."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from transactive.services.bills.open_items import open_papers
from transactive.services.bills.parties import erase_party
from transactive.store.bills import FILE, BillBooks

KEEP_YEARS = 10
"""How long papers are kept where nothing else is said, counted from the end of the year of issue."""


@dataclass(frozen=True, slots=True)
class BillErasure:
    """What was erased of a member's bills. papers: erased; kept: those that stay until `kept_until`, a year's end."""

    party: bool
    papers: int
    kept: int
    kept_until: int | None

    @property
    def anything(self) -> bool:
        """Whether something was erased."""
        return self.party or self.papers > 0


def erase_bills(folder: Path, member: str, keep_years: int, year: int) -> BillErasure:
    """Erase what is on file of a member, and its papers of years that nobody has to keep. year: the one it is."""
    party = erase_party(folder, member)
    if not (folder / FILE).is_file():
        return BillErasure(party, 0, 0, None)
    with closing(BillBooks(folder)) as books:
        papers = [each for each in open_papers(books) if each.paper.member == member]
        whole = [each for each in papers if books.document(each.sequence) is not None]
        over = [each.sequence for each in whole if int(each.paper.issued[:4]) < year - keep_years]
        with books.issuing() as session:
            session.erase_documents(over)
        books.wipe_free_pages()
    left = [int(each.paper.issued[:4]) for each in whole if each.sequence not in over]
    return BillErasure(party, len(over), len(left), max(left) + keep_years if left else None)
