"""Numbers that members decided on, as a run recorded them: with the block that said so, and from which slot they hold.

They become blocks of changes like those of the community file, so that there is one kind of versions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from transactive.core.community.changes.records import RulesChange
from transactive.core.community.community import Community
from transactive.core.errors import ConfigError
from transactive.core.governance.numbers import BY_NAME, change_of
from transactive.core.slots import parse_time


class Decided(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One decision that is in force or will be. since: when it holds by the contract; holds_from: by the run [Unix s].

    number: name; block, block_hash, at: the block that holds it and its time [Unix s].
    """

    number: str
    value: int
    since: int
    holds_from: int
    block: int
    block_hash: str
    at: int


def standing(decided: Sequence[Decided]) -> list[Decided]:
    """Decisions in the order of their blocks, without those that a later one replaced before they held."""
    found: list[Decided] = []
    for later in decided:
        found = [one for one in found if one.number != later.number or one.since <= later.at]
        found.append(later)
    return found


def holding_from(since: int, length: int, open_from: int) -> int:
    """First slot [Unix s] in which a decision holds: it begins at `since` or later, and its gate is open."""
    return max(-(-since // length) * length, open_from)


def with_decided(community: Community, decided: Sequence[Decided]) -> Community:
    """A community whose changes are those of its file and those that members decided on, in order.

    Raises ConfigError where the file changes a number that members have decided on, from there on: it is theirs.
    """
    blocks = {parse_time(change.slot): change for change in community.changes}
    first: dict[str, int] = {}
    by_slot: dict[int, dict[str, int]] = {}
    for one in standing(decided):
        first.setdefault(one.number, one.holds_from)
        by_slot.setdefault(one.holds_from, {})[one.number] = one.value
    for slot, block in blocks.items():
        for name, begin in first.items():
            if slot >= begin and _says(block, name):
                raise ConfigError(
                    f"[[from]] slot = {block.slot}: {name} is what members decide on since {change_of({}, begin).slot};"
                    " take it out, and propose it with `govern propose`"
                )
    for slot, values in by_slot.items():
        change = change_of(values, slot)
        blocks[slot] = _joined(blocks[slot], change) if slot in blocks else change
    return msgspec.structs.replace(community, changes=tuple(blocks[slot] for slot in sorted(blocks)))


def _says(change: RulesChange, name: str) -> bool:
    """Whether a block changes a number."""
    number = BY_NAME[name]
    part: Any = change.carbon.levy if number.part == "levy" and change.carbon else getattr(change, number.part, None)
    return part is not None and getattr(part, number.key) is not None


def _joined(written: Any, decided: Any) -> Any:  # noqa: ANN401 - records of changes
    """A block of the file with what was decided for the same slot."""
    keys = {}
    for name, value in msgspec.structs.asdict(decided).items():
        before = getattr(written, name)
        if value is None or value == ():
            keys[name] = before
        else:
            nested = isinstance(value, msgspec.Struct) and before is not None
            keys[name] = _joined(before, value) if nested else value
    return msgspec.structs.replace(written, **keys)
