"""`transactive bill …`: papers of a month, payments, a reminder. Commands import what they need when they run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

bill = App(name="bill", help="Bills: papers of a local month, e-invoices, journal, payments.")
Flag = Annotated[bool, Parameter(negative="")]
Output = Annotated[Path, Parameter(alias="-o")]


@bill.default
def month(
    *,
    month: str,
    state: Path,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    date: str | None = None,
    part: Flag = False,
    json: Flag = False,
) -> None:
    """Issue the papers of a month: an invoice of what a member bought, a self-billed one of what it sold.

    The same command again issues what waited, and corrects papers whose month changed; what is issued never changes.

    Parameters
    ----------
    month
        Local calendar month, in tariff.time_zone: 2026-05.
    state
        State folder of a run whose community file has [billing].
    output
        Folder for all papers of the month as XML by EN 16931, and as PDF where the extra `bills` is installed.
    date
        Day of issue, YYYY-MM-DD; without it today.
    part
        Also of a month that is not over, as far as it was settled.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.bill.actions import issue_month

    issue_month(state, month, output, date, part=part, json=json)


@bill.command
def parties(file: Path, *, state: Path) -> None:
    """Enter names, addresses, accounts and tax numbers, from TOML with [operator] and [members.ID].

    They are kept in a file that only its owner reads, parties.json in the state folder.

    Parameters
    ----------
    file
        TOML file; who is in it already is replaced, others stay.
    state
        State folder of the run.
    """
    from transactive.cli.bill.actions import enter

    enter(state, file)


@bill.command
def erase(member: str, *, state: Path, keep_years: int = 10, date: str | None = None) -> None:
    """Erase what is on file of a member, and its papers once nobody has to keep them any more.

    What papers say without a person's data stays, with their digests.

    Parameters
    ----------
    member
        Whose data.
    state
        State folder of the run.
    keep_years
        How long the law wants papers to be kept, counted from the end of the year of issue.
    date
        Day that counts as today, YYYY-MM-DD.
    """
    from transactive.cli.bill.actions import erase_member

    erase_member(state, member, keep_years, date)


@bill.command(name="list")
def list_papers(*, state: Path, month: str | None = None, unpaid: Flag = False, json: Flag = False) -> None:
    """List papers, with what is open of each.

    Parameters
    ----------
    state
        State folder of the run.
    month
        Only papers of this month.
    unpaid
        Only papers of which something is open.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.bill.actions import show_papers

    show_papers(state, month, unpaid=unpaid, json=json)


@bill.command
def journal(*, state: Path, month: str, output: Output) -> None:
    """Write a month's papers as a booking journal: CSV, a row for each debit and credit.

    Parameters
    ----------
    state
        State folder of the run.
    month
        Local month of issue of the papers.
    output
        CSV file to write.
    """
    from transactive.cli.bill.actions import write_journal

    write_journal(state, month, output)


@bill.command
def payouts(*, state: Path, output: Output, date: str, again: Flag = False) -> None:
    """Write a SEPA credit transfer (pain.001) of what is open to members; what a finding holds back stays.

    Parameters
    ----------
    state
        State folder of the run.
    output
        XML file to write.
    date
        Day of execution, YYYY-MM-DD.
    again
        Also of papers of which the bank was told before, as where it refused a file.
    """
    from transactive.cli.bill.actions import write_payouts

    write_payouts(state, output, date, again=again)


@bill.command
def debits(*, state: Path, output: Output, date: str, again: Flag = False) -> None:
    """Write a SEPA direct debit (pain.008) of what is open of members with a mandate.

    Parameters
    ----------
    state
        State folder of the run.
    output
        XML file to write.
    date
        Day of collection, YYYY-MM-DD.
    again
        Also of papers of which the bank was told before, as after a return.
    """
    from transactive.cli.bill.actions import write_debits

    write_debits(state, output, date, again=again)


@bill.command
def match(file: Path, *, state: Path, json: Flag = False) -> None:
    """Match a bank's statement (camt.053) with papers, by the numbers that its entries name; each entry counts once.

    Parameters
    ----------
    file
        Statement of the operator's account.
    state
        State folder of the run.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.bill.actions import match_statement

    match_statement(state, file, json=json)


@bill.command
def remind(*, state: Path, output: Output, date: str | None = None) -> None:
    """Write a reminder for each invoice that is overdue, one for each and never a second.

    Parameters
    ----------
    state
        State folder of the run.
    output
        Folder for the letters.
    date
        Day that counts as today, YYYY-MM-DD.
    """
    from transactive.cli.bill.actions import write_reminders

    write_reminders(state, output, date)
