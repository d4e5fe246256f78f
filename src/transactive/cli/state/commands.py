"""`transactive state …`: check a state folder, back it up, restore it. Commands import what they need when they run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

state = App(name="state", help="The folder of a run: whether it is as it was written, and copies of it.")


@state.command
def check(*, state: Path, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Read every byte of a state and compare database and chain; name what is damaged.

    Exits with 4 if anything is.

    Parameters
    ----------
    state
        Folder of the run, on which no other process runs.
    json
        Print the findings as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.state.actions import show_check

    show_check(state, json=json)


@state.command
def backup(to: Path, *, state: Path) -> None:
    """Copy database, chain, models and what belongs to them at one moment, also while a run goes on.

    Parameters
    ----------
    to
        New folder for the copy.
    state
        Folder of the run.
    """
    from transactive.cli.state.actions import make_backup

    make_backup(state, to)


@state.command
def restore(backup: Path, *, state: Path, erased: Path | None = None) -> None:
    """Put a backup in the place of a state folder; what was there is kept beside it.

    Who was erased since the backup is erased in it before it opens.

    Parameters
    ----------
    backup
        Folder that `state backup` made.
    state
        Folder of the run, on which no other process runs.
    erased
        Record of erasures (erased.jsonl) that was kept elsewhere, where the folder is lost.
    """
    from transactive.cli.state.actions import put_backup

    put_backup(backup, state, erased)


@state.command
def move(url: str | None = None, *, state: Path, here: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Move a state onto a PostgreSQL server, or with --here into its folder; what was there is kept.

    Parameters
    ----------
    url
        Database of a server: postgresql://user@host:5432/database. The community file says the same under [store].
    state
        Folder of the run, on which no other process runs.
    here
        Into a file in the folder.
    """
    from transactive.cli.state.actions import move_state

    move_state(state, url, here=here)
