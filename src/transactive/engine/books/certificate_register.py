"""The register of certificates of one slot, made again from what the database keeps.

It begins with the run's own tables; then come the steps that people took and those of corrected readings, in the order
of their log, whose last one must give the register that was then hashed.
"""

from __future__ import annotations

from transactive.carbon.certificates.issued import empty_register, take_up
from transactive.carbon.certificates.register import Register
from transactive.carbon.certificates.replay import replay
from transactive.core.community.community import Community
from transactive.core.errors import StateError
from transactive.core.slots import time_text
from transactive.store import Store
from transactive.store.corrections import used_wh
from transactive.store.read.certificates import read_steps


def register_of(store: Store, community: Community, slot: int) -> Register:
    """Register of a delivered slot [Unix s]. Raises StateError for an altered log."""
    register, ids = empty_register(community), community.ids
    take_up(register, store.readings(slot, len(ids)), store.certificates(slot), community)
    used = used_wh(store, slot)
    for member, wh in used.items():
        register.correct_use(ids[member], slot, max(wh))
    steps = read_steps(store, slot)
    replay(register, (step.entry for step in steps))
    if steps and register.digest().hex() != steps[-1].digest:
        raise StateError(f"{store.path}: certificates of {time_text(slot)} are not those of their log")
    for member, wh in used.items():
        register.correct_use(ids[member], slot, wh[-1])
    return register
