"""`transactive privacy …`: the record of processing, a person's copy, erasure. Imports come when they run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

privacy = App(
    name="privacy", help="What is known of a person: the record, a copy, consents, complaints, retention, erasure."
)
Flag = Annotated[bool, Parameter(negative="")]


@privacy.command
def record(*, json: Flag = False) -> None:
    """Say which personal data a community keeps: what for, where, who sees it, until when.

    Parameters
    ----------
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.privacy.actions import show_record

    show_record(json=json)


@privacy.command
def export(member: str, *, state: Path, output: Annotated[Path, Parameter(alias="-o")]) -> None:
    """Write everything that a state holds about a member: a zip, readable and as JSON.

    Parameters
    ----------
    member
        Whose data.
    state
        Folder of the run.
    output
        The zip; a file that is there is not replaced.
    """
    from transactive.cli.privacy.actions import write_copy

    write_copy(state, member, output)


@privacy.command
def looks(member: str, *, state: Path, json: Flag = False) -> None:
    """Show which staff looked at a member's figures, newest first.

    Parameters
    ----------
    member
        Whose figures.
    state
        Folder of the run.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.privacy.actions import show_looks

    show_looks(state, member, json=json)


@privacy.command
def erase(member: str, *, state: Path, keep_years: int = 10, yes: Flag = False, json: Flag = False) -> None:
    """Erase who a member is: name, address, bank, accounts, tokens, notes. It cannot be undone.

    What was metered, signed and settled stays, without a name, and papers as long as tax law wants. A member that
    still trades leaves first. At the end it says which files still hold the name, such as the community file.

    Parameters
    ----------
    member
        Whose data, by id.
    state
        Folder of the run; nobody may be on it meanwhile.
    keep_years
        How long the law wants papers to be kept, counted from the end of the year of issue.
    yes
        Do it; without it only say what would go.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.privacy.actions import erase_person

    erase_person(state, member, keep_years, yes=yes, json=json)


@privacy.command
def consent(
    member: str,
    purpose: str,
    *,
    state: Path,
    withdraw: Flag = False,
) -> None:
    """Note what a member agreed to on paper, or took back.

    Parameters
    ----------
    member
        Who agreed, by id.
    purpose
        What to: forecasts or detection; `privacy.ask` in the community file says what is asked.
    state
        Folder of the run.
    withdraw
        It took back what it had agreed to.
    """
    from transactive.cli.privacy.saying import note_consent

    note_consent(state, member, purpose, given=not withdraw)


@privacy.command
def complaints(*, state: Path, member: str | None = None, json: Flag = False) -> None:
    """List complaints with their state and the day by which they are to be answered; overdue ones first.

    Parameters
    ----------
    state
        Folder of the run.
    member
        Only of this member.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.privacy.saying import show_complaints

    show_complaints(state, member, json=json)


@privacy.command
def retain(*, state: Path, yes: Flag = False, json: Flag = False) -> None:
    """Delete what is older than `privacy.keep` in the community file says; a run does so daily with its database.

    Parameters
    ----------
    state
        Folder of the run.
    yes
        Do it; without it only say what would go.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.privacy.saying import apply_retention

    apply_retention(state, yes=yes, json=json)
