"""Who joins a community while it runs, and whether the accounts can move to contracts with room for all.

The accounts of a settlement contract are numbered, members first; whoever joins moves the others on. So a run that goes
on with more members moves to new contracts (`moving`).
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from transactive.config.setting import Setting
from transactive.core.community.membership import ALWAYS, Roster
from transactive.core.errors import StateError
from transactive.core.slots import time_text
from transactive.store import Store


def before_joining(setting: Setting, theirs: dict[str, Any]) -> Setting:
    """The setting without members that stand behind those whom the folder knows."""
    known = theirs["community"].get("members", []) if isinstance(theirs["community"], dict) else []
    ids = [member["id"] for member in known]
    if not ids or len(ids) >= len(setting.community.members) or setting.community.ids[: len(ids)] != ids:
        return setting
    return setting.of_first(len(ids))


def joined_rosters(store: Store, setting: Setting, before: Setting, slots: range, earlier: range) -> str:
    """Rosters of a folder with the members that join it, as JSON. Raises StateError saying why they cannot."""
    folder, since = store.path.parent, earlier.stop
    known, members = len(before.community.members), setting.community.members
    names = ", ".join(member.id for member in members[known:])
    for number in range(known, len(members)):
        if setting.community.membership.since[number] < since:
            raise StateError(
                f"{folder}: {members[number].id}: its membership reaches into what is settled, which goes to"
                f' {time_text(since)}; let it begin there or later (since = "{time_text(since)}")'
            )
    if store.setting("outcome") is None:
        raise StateError(f"{folder}: its run was interrupted; run it to its end without {names}, then with them")
    if len(slots) == len(earlier):
        raise StateError(f"{folder}: {names} joins with the first new slot; append readings, then run the same again")
    rosters = store.rosters or (Roster(ALWAYS, known, store.setting("settlement") or ""),)
    return msgspec.json.encode([*rosters, Roster(since, len(members))]).decode()


def require_movable(store: Store, setting: Setting, before: Setting, *, keys_here: bool) -> None:
    """Require that accounts can move to contracts with room for all. Raises StateError saying what keeps them."""
    folder, community = store.path.parent, setting.community
    names = ", ".join(community.ids[len(before.community.members) :])
    if json.loads(store.setting("run") or "{}").get("node") is not None or not keys_here:
        raise StateError(
            f"{folder}: {names} cannot join: accounts move with keys that are not all here; deploy contracts for all,"
            " and use another --state folder"
        )
    for what, there in _fixed(setting):
        if there:
            raise StateError(
                f"{folder}: {names} cannot join: {what} is for the members of before; use another --state folder"
            )


def _fixed(setting: Setting) -> list[tuple[str, bool]]:
    """What a run keeps by the number of its members, and whether it is there."""
    community = setting.community
    return [
        ("[network]", community.network is not None),
        ("the register of carbon credits", bool(setting.credits) or community.carbon.avoided is not None),
        ("the plan of loads that can wait", any(member.devices for member in community.members)),
    ]
