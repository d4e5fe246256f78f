"""Who looked at a home's figures: staff, by account or token, with the address. The home sees it.

A file in the state folder, a JSON object a line. The same look at the same home and address stands once an hour.
"""

from __future__ import annotations

from pathlib import Path
from threading import Lock

import filelock
import msgspec

from transactive.core.slots import DAY, HOUR
from transactive.store.folder import add_line, whole_lines, write_private
from transactive.web.viewers import Viewer

FILE, LOCK = "looks.jsonl", "looks.lock"
KEPT_DAYS = 366
EVERYBODY = "*"
"""In place of a member: a list of all homes."""
MOST_PLACE = 200
AT_THE_MACHINE = "who sits at the server"
_GUARD = Lock()
_NOTED: dict[tuple[str, str, str, str], int] = {}
MOST_NOTED = 10_000
_CLEARED: dict[str, int] = {}
"""When this process dropped old looks of a folder last [Unix s]."""


class StaffLook(msgspec.Struct, frozen=True, omit_defaults=True):
    """A look. at: [Unix s]; who: account, or name and id of a token; scope: as what; member: whose figures."""

    at: int
    who: str
    scope: str
    member: str
    place: str


def note_look(folder: Path, viewer: Viewer, member: str | None, place: str, now: int) -> None:
    """Note that staff looks at a home, or with None at a list of all; a home's own looks are its own affair."""
    if not viewer.sees_all:
        return
    look = StaffLook(now, who(viewer), viewer.scope, member or EVERYBODY, place[:MOST_PLACE])
    key = (str(folder), look.who, look.member, look.place)
    with _GUARD:
        if 0 <= now - _NOTED.get(key, 0) < HOUR:
            return
    with filelock.FileLock(folder / LOCK, mode=0o600):
        add_line(folder / FILE, msgspec.json.encode(look))
    with _GUARD:
        _NOTED[key] = now  # after it stands there: who could not be noted is not let through by a second try
        while len(_NOTED) > MOST_NOTED:
            del _NOTED[next(iter(_NOTED))]
        is_due = not 0 <= now - _CLEARED.get(str(folder), 0) < DAY
        _CLEARED[str(folder)] = now
    if is_due:
        forget_looks(folder, now)


def who(viewer: Viewer) -> str:
    """What a home is told of who looked."""
    if viewer.account:
        return viewer.account
    return f"{viewer.name or 'token'} ({viewer.token})" if viewer.token else AT_THE_MACHINE


def looks_at(folder: Path, member: str) -> list[StaffLook]:
    """Looks at a home, and at lists of all homes, newest first."""
    return [each for each in reversed(_read(folder)) if each.member in (member, EVERYBODY)]


def forget_looks(folder: Path, now: int, *, member: str = "", people: frozenset[str] = frozenset()) -> None:
    """Drop looks that are over a year old, and those at a member; blank who some people were."""
    with filelock.FileLock(folder / LOCK, mode=0o600):
        found = _read(folder)
        kept = [each for each in found if now - each.at < KEPT_DAYS * DAY and each.member != member]
        kept = [msgspec.structs.replace(each, who="(erased)") if each.who in people else each for each in kept]
        if kept != found:
            write_private(folder / FILE, b"".join(msgspec.json.encode(each) + b"\n" for each in kept))


def _read(folder: Path) -> list[StaffLook]:
    found = []
    for line in whole_lines(folder / FILE):
        try:
            found.append(msgspec.json.decode(line, type=StaffLook))
        except msgspec.MsgspecError:  # of an earlier version, or damaged
            continue
    return found
