"""What `transactive privacy …` does."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from transactive.cli.report import report
from transactive.core.errors import InputError
from transactive.core.slots import time_text
from transactive.services.privacy.copy_of_data import copy_of_data
from transactive.services.privacy.erasure import erase, require_gone, still_named
from transactive.services.privacy.processing import PROCESSING
from transactive.store.bills import FILE
from transactive.store.folder import hold, write_new
from transactive.web.accounts.looks import EVERYBODY, looks_at
from transactive.web.privacy.kept import forget_kept, kept_of, people_of


def show_record(*, json: bool) -> None:
    """Print the record of processing."""
    if json:
        print(msgspec.json.encode({"processing": PROCESSING}).decode())
        return
    for kind in PROCESSING:
        print(f"{kind.name}\n  what for  {kind.purpose}\n  where     {kind.place}")
        print(f"  seen by   {kind.seen_by}\n  until     {kind.ends}\n")


def write_copy(folder: Path, member: str, output: Path) -> None:
    """Write a person's copy. Raises InputError, StateError; then nothing is written."""
    if output.suffix != ".zip" or output.exists():
        raise InputError(f"{output}: give a new file that ends in .zip")
    archive = copy_of_data(folder, member, kept_of(folder, member))
    try:
        if not write_new(output, archive):
            raise InputError(f"{output}: give a new file that ends in .zip")
    except OSError as error:
        raise InputError(f"{output}: {error.strerror}; give a file that can be written") from None
    print(f"{output}: written, {len(archive):,} bytes; hand it to the person alone", file=sys.stderr)


def show_looks(folder: Path, member: str, *, json: bool) -> None:
    """Print who looked."""
    found = looks_at(folder, member)
    if json:
        print(msgspec.json.encode({"looks": [msgspec.to_builtins(each) for each in found]}).decode())
        return
    for each in found:
        what = "all homes" if each.member == EVERYBODY else member
        print(f"{time_text(each.at)}  {each.who} as {each.scope}  {what}  {each.place}")
    if not found:
        print("nobody looked", file=sys.stderr)


def erase_person(folder: Path, member: str, keep_years: int, *, yes: bool, json: bool) -> None:
    """Erase, or say what would go. Raises InputError, StateError."""
    people, now = people_of(folder, member), int(time.time())
    if not yes:
        name = require_gone(folder, member)
        facts: dict[str, Any] = {
            "would erase": f"{member}{f' ({name})' if name else ''}",
            "accounts": ", ".join(people) or "none",
            "to do it": "the same with --yes; it cannot be undone",
        }
        report(facts, json=json)
        return
    with hold(folder):
        done = erase(folder, member, people, keep_years=keep_years, now=now)
        accounts = forget_kept(folder, member, now)
    facts = {
        "erased": member,
        "accounts": accounts,
        "notes": done.notes,
        "papers erased": done.bills.papers,
        "papers kept": f"{done.bills.kept}, until the end of {done.bills.kept_until}" if done.bills.kept else "none",
    }
    by_law = {str(folder / FILE)} if done.bills.kept else set()
    if left := [path for path in still_named(folder, done.named) if path not in by_law] if done.named else []:
        facts["still named in"] = ", ".join(left) + "; change these by hand"
    report(facts, json=json)
