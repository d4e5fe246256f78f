"""What is open of each paper, and the one reminder of those that are overdue."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from transactive.services.bills.issue import papers_of
from transactive.services.bills.parties import Parties
from transactive.settlement.bills.amounts import decimal
from transactive.settlement.bills.paper import Paper
from transactive.store.bills import FILE, BillBooks


@dataclass(frozen=True, slots=True)
class OpenPaper:
    """A paper with what was paid of it. told_cents: what the bank was told to pay or collect, either way."""

    sequence: int
    paper: Paper
    paid_cents: int
    reminded: str | None
    told_cents: int = 0

    @property
    def owed_cents(self) -> int:
        """What the member still has to pay; below zero it still gets that."""
        return self.paper.member_owes_cents - self.paid_cents

    @property
    def done_cents(self) -> int:
        """What was paid or will be, as the bank was told, in the direction in which the paper is paid."""
        direction = 1 if self.paper.member_owes_cents > 0 else -1
        return max(self.told_cents, direction * self.paid_cents)

    @property
    def untold_cents(self) -> int:
        """What the bank is still to be told."""
        return max(0, abs(self.paper.member_owes_cents) - self.done_cents)

    def overdue(self, today: date) -> bool:
        """Whether the member should have paid by now."""
        return self.owed_cents > 0 and self.paper.due < today.isoformat()


def open_papers(books: BillBooks) -> list[OpenPaper]:
    """All papers with what is open of each, in the order of their numbers."""
    paid: dict[int, int] = defaultdict(int)
    for payment in books.payments():
        paid[payment.sequence] += payment.paid_cents
    reminded, told = books.reminders(), books.instructed()
    return [
        OpenPaper(sequence, paper, paid[sequence], reminded.get(sequence), told.get(sequence, 0))
        for sequence, paper in enumerate(papers_of(books), start=1)
    ]


def listed(folder: Path) -> list[OpenPaper]:
    """Papers of a state folder, for those who only look; none where nothing was billed."""
    if not (folder / FILE).is_file():
        return []
    with closing(BillBooks(folder)) as books:
        return open_papers(books)


def remind(books: BillBooks, parties: Parties, today: date, write: Callable[[str, str], None]) -> int:
    """Write letters to members whose invoices are overdue; nobody gets a second one for it. Returns how many.

    write: takes the number of a paper and its letter. They are noted as written when all are: where one cannot be
    written, or a kill comes in between, all are written again.
    """
    with books.issuing() as session:
        known = books.reminders()
        due = [each for each in open_papers(books) if each.overdue(today) and each.sequence not in known]
        session.remind([each.sequence for each in due], today.isoformat())
        for each in due:
            write(each.paper.number, _letter(each, parties, today))
    return len(due)


def _letter(each: OpenPaper, parties: Parties, today: date) -> str:
    paper, party, operator = each.paper, parties.members.get(each.paper.member), parties.operator
    to = [party.name, party.street, f"{party.postcode} {party.city}"] if party else [paper.member]
    account = f"to {operator.iban} " if operator and operator.iban else ""
    return "\n".join(
        (
            *to,
            "",
            f"Reminder, {today.isoformat()}",
            "",
            f"{paper.title} {paper.number} of {paper.issued} was due on {paper.due}.",
            f"{decimal(each.owed_cents)} {paper.currency} are still open. Please pay {account}naming {paper.number}.",
            "If you have paid by now, nothing is left to do.",
            *(["", operator.name] if operator else []),
            "",
        )
    )


def of_month(papers: Sequence[OpenPaper], month: str | None) -> list[OpenPaper]:
    """Papers of a month, or all."""
    return [each for each in papers if month is None or each.paper.month == month]
