"""What members decide on while a market is live: in its journal before the next gate, in force from a slot on.

A session that hears of a decision ends after a slot and goes on at once under the new rules, as it does after an
interruption. So does the replay of its journal, at the same slot, and it asks no chain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from transactive.core.governance.decided import Decided
from transactive.core.slot_book import SlotBook
from transactive.core.slots import time_text
from transactive.engine.governance.recorded_rules import note
from transactive.store import Store, holds_state
from transactive.store.live.journal import JOURNAL_FILE, ArrivalKind, Journal, JournalReader
from transactive.store.read.stages import last_delivered, last_traded

Result = TypeVar("Result")
AfterSlot = Callable[[SlotBook], None]
Session = Callable[[Sequence[Decided], AfterSlot], Result]
"""Runs slots under decisions, and tells each slot that is settled; what that raises ends it between two slots."""
Ask = Callable[[int, int], list[Decided]]
"""Decisions of final blocks after a block number, for which slots from a time on [Unix s] are open."""
BEFORE = 0
"""When something was recorded before the clock of a session began [Unix s]."""


class _NewRules(Exception):
    """Members decided on something."""


@dataclass(frozen=True, slots=True)
class _Phase:
    """A part of a session: decisions that it knows, and the slot after which it heard of more, None for the last."""

    decided: tuple[Decided, ...]
    until: int | None


def live_by_decisions(
    folder: Path,
    length: int,
    ask: Ask | None,
    session: Session[Result],
    after_slot: AfterSlot,
    store_url: str | None = None,
) -> Result:
    """Run a session under what members decided on, and ask after each slot for more.

    length: of a slot [s]. ask: None where no chain is asked; what was recorded holds all the same. store_url: of the
    database for the state, None for a file in its folder.
    """
    if ask and not _begun(folder):
        _record(folder, ask(-1, 0))
    while True:
        decided = journaled(folder)
        note(folder, decided, store_url)

        def settled(book: SlotBook, known: Sequence[Decided] = decided) -> None:
            after_slot(book)
            if ask and _record(folder, ask(known[-1].block if known else -1, _open_from(folder, length))):
                raise _NewRules

        try:
            return session(decided, settled)
        except _NewRules:
            continue


def replay_by_decisions(
    journal: Path, folder: Path, session: Session[Result], after_slot: AfterSlot, store_url: str | None = None
) -> Result:
    """Run what a journal settles under what it says that members decided on, changing rules where the session did."""
    done = _delivered(folder)
    phases = [each for each in _phases(journal) if each.until is None or done is None or done < each.until]
    for phase in phases[:-1]:
        note(folder, phase.decided, store_url)

        def changing(book: SlotBook, until: int | None = phase.until) -> None:
            after_slot(book)
            if book.slot == until:
                raise _NewRules

        try:
            return session(phase.decided, changing)
        except _NewRules:
            continue
    note(folder, phases[-1].decided, store_url)
    return session(phases[-1].decided, after_slot)


def journaled(folder: Path) -> list[Decided]:
    """What the journal of a session has recorded, oldest first."""
    return list(_phases(folder / JOURNAL_FILE)[-1].decided)


def _record(folder: Path, fresh: Sequence[Decided]) -> bool:
    """Put decisions into the journal of a session; whether there were any."""
    if fresh:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with closing(Journal(folder / JOURNAL_FILE)) as journal:
            journal.append(
                max(journal.received, BEFORE), ArrivalKind.DECIDED, [msgspec.json.encode(one) for one in fresh]
            )
    return bool(fresh)


def _begun(folder: Path) -> bool:
    """Whether a session has closed a gate, or recorded decisions before its first."""
    if not (folder / JOURNAL_FILE).exists():
        return False
    with closing(JournalReader(folder / JOURNAL_FILE)) as journal:
        return bool(journal.of_kinds((ArrivalKind.GATE, ArrivalKind.VOID, ArrivalKind.DECIDED), 0))


def _phases(journal_file: Path) -> list[_Phase]:
    """Parts of a session, in order; one without decisions where it has none."""
    if not journal_file.exists():
        return [_Phase((), None)]
    found, known, settled = list[_Phase](), list[Decided](), None
    with closing(JournalReader(journal_file)) as journal:
        entries = journal.of_kinds((ArrivalKind.SETTLED, ArrivalKind.DECIDED), 0)
    for entry in entries:
        if entry.kind is ArrivalKind.SETTLED:
            settled = int(entry.body)
            continue
        if settled is not None and (not found or found[-1].until != settled):
            found.append(_Phase(tuple(known), settled))
        known.append(msgspec.json.decode(entry.body, type=Decided))
    return [*found, _Phase(tuple(known), None)]


def _open_from(folder: Path, length: int) -> int:
    """First slot of which nothing is traded yet [Unix s]."""
    with closing(Store(folder)) as store:
        return last_traded(store) + length


def _delivered(folder: Path) -> int | None:
    """Last settled slot of a state [Unix s]; None before the first."""
    if not holds_state(folder):
        return None
    with closing(Store(folder)) as store:
        return last_delivered(store)


def told(one: Decided) -> str:
    """A decision in a sentence."""
    return (
        f"members decided on {one.number} = {one.value} from {time_text(one.holds_from)} on (block {one.block},"
        f" {one.block_hash})"
    )
