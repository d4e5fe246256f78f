"""What `transactive state …` does and says."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import msgspec

from transactive.cli.progress import tell
from transactive.core.errors import InputError, StateError
from transactive.services.privacy.erasures import FILE, Erased
from transactive.services.states.backup import back_up, put_back
from transactive.services.states.check import check_state
from transactive.services.states.move import move
from transactive.web.privacy.kept import forget_again


def show_check(folder: Path, *, json: bool) -> None:
    """Print what is damaged in a state, a line each. Raises StateError if anything is."""
    found = check_state(folder, tell)
    tell("")
    if json:
        report = {"sound": not found, "damage": [asdict(each) for each in found]}
        print(msgspec.json.encode(report).decode(), flush=True)
    else:
        for each in found:
            print(each)
    if found:
        tables = len({(each.file, each.table) for each in found})
        raise StateError(f"{folder}: {tables} damaged tables; `transactive state restore` puts a backup in its place")
    if not json:
        print(f"{folder}: as it was written")
    sys.stdout.flush()


def make_backup(folder: Path, target: Path) -> None:
    """Make a backup and say what it holds."""
    manifest = back_up(folder, target)
    until = f"up to {manifest.last_slot}" if manifest.last_slot else "no slot yet"
    print(f"{target}: {len(manifest.files)} files, {until}")


def put_backup(backup: Path, folder: Path, record: Path | None) -> None:
    """Put a backup back; say what is where, and how many were erased in it. Raises InputError, StateError."""
    if record is not None and not record.is_file():
        raise InputError(f"--erased {record}: is no file; give the {FILE} of the folder that was lost")
    again = set[Erased]()

    def erase(staged: Path, since: Sequence[Erased]) -> None:
        """Erase in the copy who was erased since."""
        again.update(since)
        forget_again(staged, since, int(time.time()))

    manifest, kept = put_back(backup, folder, erase, record)
    print(f"{folder}: as in {backup}, up to {manifest.last_slot or 'no slot yet'}")
    if again:
        print(f"erased again, as they were erased since: {len(again)} members", file=sys.stderr)
    if kept:
        print(f"what was there is kept in {kept}", file=sys.stderr)


def move_state(folder: Path, url: str | None, *, here: bool) -> None:
    """Move a state to a server or into its folder, and say where what was there is kept. Raises InputError."""
    if here == (url is not None):
        raise InputError("give the URL of a database, or --here for a file in the folder")
    kept = move(folder, url)
    wanted = f'url = "{url}" below [store]' if url else "no [store]"
    print(f"{folder}: moved; its community file shall have {wanted}. What was there is kept: {kept.name}")
