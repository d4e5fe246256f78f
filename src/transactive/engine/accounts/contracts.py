"""Which contracts a slot of a run was settled in: `deployment.json` has those of now, others have a number each.

`deployment-1.json` has the contracts that the run began with, `deployment-2.json` those after the first move.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from transactive.core.community.membership import Roster
from transactive.core.slots import time_text
from transactive.store import Store
from transactive.store.database import ROSTERS

if TYPE_CHECKING:
    from transactive.chain.deployments.deployment import Deployment


def deployment_at(store: Store, slot: int) -> Deployment:
    """Deployment that a slot [Unix s] was settled in. Raises InputError where its file is not there."""
    from transactive.chain.deployments.deployment import FILE, load

    folder, rosters = store.path.parent, store.rosters
    place = max((number for number, roster in enumerate(rosters) if roster.since <= slot), default=0)
    is_now = not rosters or rosters[place].settlement == store.setting("settlement")
    return load(folder / FILE if is_now else _file_of(folder, place))


def where_said(store: Store, slot: int) -> dict[str, str]:
    """What to say of a slot [Unix s] that was settled in contracts of before; nothing where they are those of now."""
    following = [roster for roster in store.rosters if roster.since > slot and roster.settlement]
    if not following:
        return {}
    known = deployment_at(store, slot)
    until = f"until {time_text(following[0].since)}; then accounts moved to {following[0].settlement}"
    return {"contracts": f"{known.address('settlement')} {until}"}


def keep_current(folder: Path, new: Deployment, rosters: Sequence[Roster]) -> None:
    """Put new contracts in the place of those of now, whose file is kept. rosters: the last is of the new ones."""
    from transactive.chain.deployments.deployment import FILE, load

    if (folder / FILE).exists():
        known, before = load(folder / FILE), rosters[-2].settlement
        if known.address("settlement") == before:  # else this was done before, and interrupted then
            known.save(_file_of(folder, len(rosters) - 2))
    new.save(folder / FILE)


def note_certificates(store: Store) -> None:
    """Note with the contracts of before where their certificates are."""
    from transactive.chain.deployments.deployment import FILE, load

    *earlier, before, pending = store.rosters
    file = store.path.parent / FILE
    if before.certificates or not file.exists():
        return
    known = load(file)
    found = [part.contracts["certificates"].address for part in known.parts if "certificates" in part.contracts]
    if found and known.address("settlement") == before.settlement:
        told = msgspec.structs.replace(before, certificates=" ".join(found))
        store.set(**{ROSTERS: msgspec.json.encode([*earlier, told, pending]).decode()})


def _file_of(folder: Path, place: int) -> Path:
    """File of contracts of before, the first ones having place 0."""
    return folder / f"deployment-{place + 1}.json"
