"""Erases who a member is from a state: name, address, bank, notes. What was signed and settled stays, without a name.

An account that has a number, an id and figures no longer points to a person once its name, its address and the accounts
of its people are gone; so an id is never a name (`name` in the community file is). Somebody who still trades leaves
first: until then the community needs to know whom it pays.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from transactive.core.community.community import Community
from transactive.core.errors import InputError, StateError
from transactive.core.slots import parse_time
from transactive.services.bills.erasure import BillErasure, erase_bills
from transactive.services.bills.parties import read_parties
from transactive.services.complaints import blank_complaints
from transactive.services.finding_notes import blank_notes
from transactive.services.governing.log import blank_deciders
from transactive.services.privacy.erasures import Erased, note_erased
from transactive.store import Store, holds_state
from transactive.store.live.acts import blank_askers
from transactive.store.live.consents import blank_consents
from transactive.store.read.items import read_items
from transactive.store.read.runs import Reader

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased: papers, notes and acts. named: by what the person was known, as no file may name it now."""

    named: list[str]
    bills: BillErasure
    notes: int
    acts: int


def require_gone(folder: Path, member: str) -> str | None:
    """Require that a member trades no more; returns its name. Raises InputError, StateError."""
    if not holds_state(folder):
        raise StateError(f"{folder}: holds no run; give the --state folder of one")
    with closing(Store(folder)) as store:
        reader = Reader(store)
        run = reader.run()
        if run is None or member not in run.community.ids:
            known = ", ".join(run.community.ids[:20]) if run else "none yet"
            raise InputError(f"{member}: not in this community; its members are {known}")
        of = run.community.members[run.community.ids.index(member)]
        delivered, over = reader.position().delivered, store.setting("outcome") is not None
        left = of.until is not None and delivered is not None and parse_time(of.until) <= delivered
        if not over and not left:
            raise StateError(
                f"{member}: still trades, and is owed or owes for what it trades; let it leave first (`until` in the"
                " community file), and erase it once the run has passed that day"
            )
        return of.name


def erase(folder: Path, member: str, accounts: Sequence[str], *, keep_years: int, now: int) -> Erasure:
    """Erase who a member is. accounts: names with which its people signed in, whose other traces go as well.

    now: [Unix s]; papers stay `keep_years` after their year. That it was erased is noted first, without a name, so that
    no restore forgets it. Raises what `require_gone` raises.
    """
    require_gone(folder, member)
    with closing(Store(folder)) as store:
        account = _community(store).ids.index(member)
    erased = Erased(now, account, keep_years)
    note_erased(folder, erased)
    return erase_again(folder, erased, accounts, now)


def members_there(folder: Path, erased: Sequence[Erased]) -> list[tuple[str, Erased]]:
    """Erasures with the ids of their members in a copy of a state, where they were members already."""
    with closing(Store(folder)) as store:
        run = Reader(store).run()
    ids = run.community.ids if run else []
    return [(ids[each.member], each) for each in erased if each.member < len(ids)]


def erase_again(folder: Path, erased: Erased, accounts: Sequence[str], now: int) -> Erasure:
    """Erase in a copy of a state who was erased, whether it still trades there or not.

    What bills had on file, such as the legal name, the street and the IBAN, is looked for in all files as well.
    """
    with closing(Store(folder)) as store:
        community, account = _community(store), erased.member
        name, member = community.members[account].name, community.ids[account]
    party = read_parties(folder).members.get(member)
    on_file = [] if party is None else [party.name, party.street, party.iban, party.email, party.vat_id]
    bills = erase_bills(folder, member, erased.keep_years, datetime.fromtimestamp(now, UTC).year)
    with closing(Store(folder)) as store:
        own = {item.number for item in read_items(store, account)}
        notes = blank_notes(folder, own, {form for each in accounts for form in (each, f"{each} ({member})")})
        acts = blank_askers(store, account, accounts) + blank_deciders(folder, account, accounts)
        _forget_name(store, member)
    blank_consents(folder, account, accounts)
    blank_complaints(folder, account, accounts)
    return Erasure([each for each in (name, *accounts, *on_file) if each], bills, notes, acts)


def _community(store: Store) -> Community:
    """The community of a run. Raises StateError where none has begun."""
    run = Reader(store).run()
    if run is None:
        raise StateError(f"{store.path.parent}: holds no run; give the --state folder of one")
    return run.community


def still_named(folder: Path, words: Sequence[str]) -> Iterator[str]:
    """Files of a state folder, and the community file beside it, in which a word stands, in any usual encoding."""
    wanted = [form for word in words for form in _forms(word)]
    note = folder / "community.path"
    beside = [Path(note.read_text().strip())] if note.is_file() else []
    for path in [*sorted(each for each in folder.rglob("*") if each.is_file()), *beside]:
        if path.is_file() and _holds(path, wanted):
            yield str(path)


def _forms(word: str) -> set[bytes]:
    """A word as files may hold it: UTF-8, UTF-16, JSON with escapes."""
    return {word.encode(), word.encode("utf-16-le"), json.dumps(word)[1:-1].encode()}


def _holds(path: Path, wanted: Sequence[bytes]) -> bool:
    """Whether one of the texts stands in a file, also across the ends of pieces."""
    longest, tail = max(map(len, wanted)), b""
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            if any(text in tail + piece for text in wanted):
                return True
            tail = piece[-longest:]
    return False


def _forget_name(store: Store, member: str) -> None:
    """Take a name out of the community as the state keeps it, and out of free pages of its database."""
    changed: dict[str, str] = {}
    for key in ("run", "community"):
        text = store.setting(key)
        if text is None:
            continue
        kept = json.loads(text)
        for each in _members(kept):
            if each.get("id") == member:
                each["name"] = None
        changed[key] = json.dumps(kept, sort_keys=True) if key == "run" else _compact(kept)
    store.set(**changed)
    store.wipe_free_pages()


def _members(kept: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Members of a community as a setting keeps it, by itself or in the description of the run."""
    members: list[dict[str, Any]] = kept.get("community", kept)["members"]
    return members


def _compact(kept: object) -> str:
    return json.dumps(kept, separators=(",", ":"), ensure_ascii=False)
