"""What `transactive bill …` does and says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from transactive.cli.report import report
from transactive.core.community.community import Community
from transactive.core.errors import InputError, MissingExtra, StateError
from transactive.core.installed import named_extras
from transactive.engine.books.rebuilt import community_of
from transactive.services.bills import sepa
from transactive.services.bills.camt import payments_of, read_statement
from transactive.services.bills.erasure import erase_bills
from transactive.services.bills.issue import bill_month
from transactive.services.bills.journal import journal_csv
from transactive.services.bills.open_items import OpenPaper, of_month, open_papers, remind
from transactive.services.bills.parties import OperatorRecord, enter_parties, read_parties
from transactive.services.bills.pdf import as_pdf
from transactive.settlement.bills.amounts import decimal
from transactive.settlement.bills.paper import Paper
from transactive.store import Store, holds_state
from transactive.store.bills import BillBooks
from transactive.store.folder import write_private
from transactive.store.read.items import held_n


def issue_month(folder: Path, month: str, output: Path | None, today: str | None, *, part: bool, json: bool) -> None:
    """Issue what a month lacks, say what waits, and write all its papers where they are wanted."""
    billed = bill_month(folder, month, _day(today, "--date"), part=part)
    facts: dict[str, Any] = {
        "issued": {paper.number: _words(paper) for paper in billed.papers},
        "waiting": {f"{each.member} {each.stream}": f"needs {each.missing}" for each in billed.waiting},
    }
    if billed.corrected:
        facts["corrected"] = f"{', '.join(billed.corrected)}: readings were corrected; bill these months again"
    if output is not None:
        facts["written"] = _write_papers(folder, month, output)
    report({name: found for name, found in facts.items() if json or found} or {"issued": "nothing new"}, json=json)


def enter(folder: Path, file: Path) -> None:
    """Enter parties and say whose."""
    names = enter_parties(folder, file, _community(folder).ids)
    print(f"entered: {', '.join(names) or 'nobody'}")


def erase_member(folder: Path, member: str, keep_years: int, today: str | None) -> None:
    """Erase a member's data, and those of its papers that nobody has to keep. Raises InputError if there are none."""
    with _books(folder):
        erased = erase_bills(folder, member, keep_years, _day(today, "--date").year)
    if not erased.anything:
        raise InputError(f"{member}: nothing is on file of this member that could be erased")
    print(f"{member}: erased, with {erased.papers} papers; {erased.kept} papers have to be kept for {keep_years} years")


def show_papers(folder: Path, month: str | None, *, unpaid: bool, json: bool) -> None:
    """List papers with what is open."""
    with _books(folder) as books:
        found = [each for each in of_month(open_papers(books), month) if each.owed_cents or not unpaid]
    facts = {each.paper.number: facts_of(each) for each in found}
    if json:
        report(facts, json=True)
        return
    for number, fact in facts.items():
        reminded = f", reminded {fact['reminded']}" if fact["reminded"] else ""
        print(f"{number}  {fact['title']}  {fact['member']}  {fact['payable']}, open {fact['open']}{reminded}")


def facts_of(each: OpenPaper) -> dict[str, Any]:
    """What a list says of a paper. open: what the member still owes; below zero it still gets that."""
    paper = each.paper
    return {
        "title": paper.title,
        "member": paper.member,
        "month": paper.month,
        "issued": paper.issued,
        "due": paper.due,
        "payable": f"{decimal(paper.payable_cents)} {paper.currency}",
        "open": f"{decimal(each.owed_cents)} {paper.currency}",
        "reminded": each.reminded,
    }


def write_journal(folder: Path, month: str, output: Path) -> None:
    """Write the journal of the papers that were issued in a month."""
    with _books(folder) as books:
        papers = [each.paper for each in open_papers(books) if each.paper.issued.startswith(month)]
    if not papers:
        raise InputError(f"--month {month}: no paper was issued in it")
    write_private(output, journal_csv(papers).encode())
    print(f"{output}: {len(papers)} papers")


def write_payouts(folder: Path, output: Path, day: str, *, again: bool) -> None:
    """Write credit transfers of what is open to members."""
    with closing(Store(folder)) as store:
        ids = community_of(store).ids
        held = dict(zip(ids, held_n(store, len(ids)).tolist(), strict=True))

    def chosen(papers: list[OpenPaper]) -> list[sepa.Instruction]:
        return sepa.payouts(papers, read_parties(folder), held)

    _write_payments(sepa.credit_transfer, chosen, folder, output, day, again=again)


def write_debits(folder: Path, output: Path, day: str, *, again: bool) -> None:
    """Write direct debits of what is open of members with a mandate."""

    def chosen(papers: list[OpenPaper]) -> list[sepa.Instruction]:
        return sepa.debits(papers, read_parties(folder))

    _write_payments(sepa.direct_debit, chosen, folder, output, day, again=again)


def match_statement(folder: Path, file: Path, *, json: bool) -> None:
    """Match a bank's statement with papers and say what was found."""
    entries = read_statement(file)
    with _books(folder) as books, books.issuing() as session:
        payments, unknown = payments_of(entries, open_papers(books))
        fresh = session.pay(payments)
    strange = [f"{entry.booked} {decimal(entry.cents)}" for entry in unknown]
    facts = {"entries": len(entries), "new_payments": fresh}
    report({**facts, "without_a_paper": strange if json else ", ".join(strange) or "none"}, json=json)


def write_reminders(folder: Path, output: Path, today: str | None) -> None:
    """Write the letters of invoices that are overdue."""

    def write(number: str, text: str) -> None:
        """Write a letter."""
        write_private(output / f"reminder-{_file_name(number)}.txt", text.encode())

    day = _day(today, "--date")
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--output {output}: {error.strerror}; give a folder for the letters") from None
    with _books(folder) as books:
        written = remind(books, read_parties(folder), day, write)
    print(f"{written} reminders")


def _write_papers(folder: Path, month: str, output: Path) -> int:
    """Write all papers of a month as XML, and as PDF where that can be; returns how many."""
    output.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _books(folder) as books:
        found = of_month(open_papers(books), month)
        for each in found:
            document = books.document(each.sequence)
            if document is None:
                continue
            name = _file_name(each.paper.number)
            write_private(output / f"{name}.xml", document)
            if (pdf := _pdf(document)) is not None:
                write_private(output / f"{name}.pdf", pdf)
    return len(found)


def _pdf(document: bytes) -> bytes | None:
    """PDF of an e-invoice; None where the library is not installed."""
    try:
        with named_extras():
            return as_pdf(document)
    except MissingExtra:
        return None


Maker = Callable[[Sequence[sepa.Instruction], OperatorRecord, str, str], bytes]
Choice = Callable[[list[OpenPaper]], list[sepa.Instruction]]


def _write_payments(make: Maker, choose: Choice, folder: Path, output: Path, day: str, *, again: bool) -> None:
    """Write payments of papers that the bank was not told of yet, or again; what is written is noted with it."""
    operator, when = read_parties(folder).operator, _day(day, "--date").isoformat()
    if operator is None:
        raise InputError("the operator is not on file; enter it with `transactive bill parties`")
    with _books(folder) as books, books.issuing() as session:
        papers = [replace(each, told_cents=0) if again else each for each in open_papers(books)]
        instructions = choose(papers)
        if not instructions:
            more = "; --again tells the bank again what it was told" if books.instructed() else ""
            raise InputError(f"nothing is open that could be paid this way{more}")
        session.instruct({each.of.sequence: each.of.done_cents + each.cents for each in instructions})
        write_private(output, make(instructions, operator, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"), when))
    total = decimal(sum(each.cents for each in instructions))
    print(f"{output}: {len(instructions)} payments, {total} {sepa.CURRENCY}")


@contextmanager
def _books(folder: Path) -> Iterator[BillBooks]:
    """The papers of a state folder. Raises StateError for a folder without a run."""
    if not holds_state(folder):
        raise StateError(f"{folder}: holds no run; give the --state folder of `run` or `demo`")
    with closing(BillBooks(folder)) as books:
        yield books


def _community(folder: Path) -> Community:
    if not holds_state(folder):
        raise StateError(f"{folder}: holds no run; give the --state folder of `run` or `demo`")
    with closing(Store(folder)) as store:
        return community_of(store)


def _day(text: str | None, option: str) -> date:
    """A day that an option names, or today."""
    if text is None:
        return datetime.now(UTC).astimezone().date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{option} {text}: is no date; write it like 2026-06-02") from None


def _words(paper: Paper) -> str:
    return f"{paper.title}, {paper.member}, {decimal(paper.payable_cents)} {paper.currency}"


def _file_name(number: str) -> str:
    return number.replace("/", "_")
