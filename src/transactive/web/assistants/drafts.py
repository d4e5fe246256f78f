"""Drafts of a state folder: what an assistant proposed for a home, and what the member said to it.

A draft does nothing. It is kept until the member, signed in at a browser, accepts it, which signs it as its own act, or
declines it; after three days it lapses. One file of its owner's, changed under a lock.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import filelock
import msgspec
from msgspec import Meta

from transactive.core.errors import InputError, StateError
from transactive.core.slots import DAY
from transactive.services.acts.asked import AskCancel, AskLimits, AskOrder, AskPause, AskResume
from transactive.store.folder import write_private

FILE, LOCK, ANSWER_LOCK = "drafts.json", "drafts.lock", "drafts-answer.lock"
LAPSE_DAYS, KEPT_DAYS = 3, 90
MOST_WAITING, MOST_A_DAY = 5, 50
"""Drafts of a home that may wait at once, and that may be made in a day."""
Draftable: TypeAlias = AskLimits | AskPause | AskResume | AskOrder | AskCancel
"""What may be proposed: never more rights, nor taking back what somebody did."""
State = Literal["waits", "accepted", "declined", "lapsed"]


class AssistantDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A proposal. token, by: id and name of the assistant's token. reason: in its words. act: what came of it.

    made, answered: [Unix s], answered 0 while it waits.
    """

    number: int
    member: str
    token: str
    by: str
    made: int
    asked: Draftable
    reason: str
    answer: Literal["", "accepted", "declined"] = ""
    answered: int = 0
    act: int = 0

    def state(self, now: int) -> State:
        """How far it is at a time [Unix s]."""
        return self.answer or ("waits" if now < self.made + LAPSE_DAYS * DAY else "lapsed")


class DraftBook(msgspec.Struct, forbid_unknown_fields=True):
    """All of them, oldest first. last: the highest number ever given."""

    drafts: list[AssistantDraft] = []
    last: int = 0


Reason = Annotated[str, Meta(max_length=500, description="Why, for the member to read")]


def drafts_of(folder: Path, member: str) -> list[AssistantDraft]:
    """Drafts for a home, newest first."""
    return [each for each in reversed(_read(folder).drafts) if each.member == member]


def propose(folder: Path, draft: AssistantDraft) -> AssistantDraft:
    """Keep a proposal under the next number; one that waits already is given back. Raises InputError for too many."""
    with _changed(folder, draft.made) as book:
        own = [each for each in book.drafts if each.member == draft.member]
        waiting = [each for each in own if each.state(draft.made) == "waits"]
        same = [each for each in waiting if each.asked == draft.asked]
        if same:
            return same[0]
        if len(waiting) >= MOST_WAITING:
            raise InputError(f"{MOST_WAITING} drafts wait for the member's word already; let it answer them first")
        if sum(each.made > draft.made - DAY for each in own) >= MOST_A_DAY:
            raise InputError(f"{MOST_A_DAY} drafts were made for this home in a day; propose again tomorrow")
        book.last += 1
        kept = msgspec.structs.replace(draft, number=book.last)
        book.drafts.append(kept)
        return kept


@contextmanager
def answering(folder: Path) -> Iterator[None]:
    """Let one answer after the other be given, so that nothing is done that somebody declined meanwhile."""
    with filelock.FileLock(folder / ANSWER_LOCK, mode=0o600):
        yield


def waiting_draft(folder: Path, member: str, number: int, now: int) -> AssistantDraft:
    """A draft that waits for a home's word. Raises InputError for another one."""
    found = next((each for each in drafts_of(folder, member) if each.number == number), None)
    if found is None:
        raise InputError(f"draft {number}: there is none for this home; open the page anew")
    if found.state(now) != "waits":
        raise InputError(f"draft {number}: was {found.state(now)} already; open the page anew")
    return found


def settle_draft(
    folder: Path, draft: AssistantDraft, answer: Literal["accepted", "declined"], now: int, act: int = 0
) -> None:
    """Note what the member said. act: number of what was done; 0 for nothing."""
    with _changed(folder, now) as book:
        book.drafts = [
            msgspec.structs.replace(each, answer=answer, answered=now, act=act)
            if each.number == draft.number and not each.answer
            else each
            for each in book.drafts
        ]


def forget_drafts(folder: Path, member: str, now: int) -> None:
    """Forget what was proposed for a home."""
    if drafts_of(folder, member):
        with _changed(folder, now) as book:
            book.drafts = [each for each in book.drafts if each.member != member]


def _read(folder: Path) -> DraftBook:
    path = folder / FILE
    if not path.exists():
        return DraftBook()
    try:
        return msgspec.json.decode(path.read_bytes(), type=DraftBook)
    except (OSError, msgspec.MsgspecError) as error:
        raise StateError(f"{path}: cannot be read ({error}); remove it, drafts that wait are lost then") from None


@contextmanager
def _changed(folder: Path, now: int) -> Iterator[DraftBook]:
    """The drafts, to be changed; kept when the block ends without an error. Old ones are left out."""
    with filelock.FileLock(folder / LOCK, mode=0o600):
        book = _read(folder)
        book.drafts = [each for each in book.drafts if now < each.made + KEPT_DAYS * DAY]
        yield book
        write_private(folder / FILE, msgspec.json.format(msgspec.json.encode(book)) + b"\n")
