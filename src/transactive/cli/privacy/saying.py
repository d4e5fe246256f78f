"""What `transactive privacy consent`, `complaints` and `retain` do."""

from __future__ import annotations

import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any, cast, get_args

import msgspec

from transactive.cli.report import report
from transactive.core.errors import InputError, StateError
from transactive.core.slots import time_text
from transactive.services.complaints import complaints
from transactive.services.privacy.consents import say_consent
from transactive.services.privacy.retention import retain
from transactive.store import Store, holds_state
from transactive.store.live.consents import Consent, Purpose
from transactive.store.read.runs import Reader, Run
from transactive.web.run_context import index_of


def note_consent(folder: Path, member: str, purpose: str, *, given: bool) -> None:
    """Note a consent. Raises InputError, StateError."""
    if purpose not in get_args(Purpose):
        raise InputError(f"{purpose}: takes forecasts or detection")
    run = _run(folder)
    consent = Consent(index_of(run, member), cast("Purpose", purpose), given, int(time.time()))
    say_consent(folder, run.community, consent)
    print(f"{member}: {purpose} {'agreed' if given else 'withdrawn'}, noted", file=sys.stderr)


def show_complaints(folder: Path, member: str | None, *, json: bool) -> None:
    """Print complaints. Raises InputError, StateError."""
    run, now = _run(folder), int(time.time())
    of = None if member is None else index_of(run, member)
    found = [each for each in complaints(folder) if of in (None, each.opened.member)]
    found.sort(key=lambda each: each.state(now) != "overdue")
    if json:
        rows = [
            {
                **msgspec.to_builtins(each.opened),
                "member": run.community.ids[each.opened.member],
                "state": each.state(now),
                "answer": None if each.ended is None else each.ended.text,
            }
            for each in found
        ]
        print(msgspec.json.encode({"complaints": rows}).decode())
        return
    for each in found:
        opened = each.opened
        print(
            f"no. {opened.number}  {run.community.ids[opened.member]}  {each.state(now)}, due {time_text(opened.due)}"
        )
        print(f"  {opened.text}")
        if each.ended is not None:
            print(f"  {time_text(each.ended.at)}: {each.ended.text}")
    if not found:
        print("there is none", file=sys.stderr)


def apply_retention(folder: Path, *, yes: bool, json: bool) -> None:
    """Delete what is older than it may be, or say what would go. Raises StateError."""
    facts: dict[str, Any] = {}
    for each in retain(folder, int(time.time()), do=yes):
        if each.days is None:
            facts[each.kind] = "kept as long as the run"
        else:
            facts[each.kind] = f"{each.older} {'deleted' if yes else 'would go'}, older than {each.days} days"
    if not yes:
        facts["to do it"] = "the same with --yes; it cannot be undone"
    report(facts, json=json)


def _run(folder: Path) -> Run:
    """The run of a folder. Raises StateError."""
    if not holds_state(folder):
        raise StateError(f"{folder}: holds no run; give the --state folder of one")
    with closing(Store(folder)) as store:
        run = Reader(store).run()
    if run is None:
        raise StateError(f"{folder}: its run has not begun; nothing is known of anybody yet")
    return run
