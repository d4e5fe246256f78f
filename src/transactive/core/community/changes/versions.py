"""Versions of a community's rules, each from a slot on: the file as it began, then each block of changes in turn."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Generic, Protocol, TypeVar, cast

import msgspec

from transactive.core.community.carbon_rules import CarbonRules
from transactive.core.community.changes.records import RulesChange
from transactive.core.community.members import Member
from transactive.core.community.membership import ALWAYS
from transactive.core.errors import ConfigError
from transactive.core.slots import parse_time


class Ruled(Protocol):
    """What has rules that changes apply to: a community."""

    @property
    def changes(self) -> tuple[RulesChange, ...]:
        """Changes in their order."""

    @property
    def carbon(self) -> CarbonRules:
        """Rules of carbon."""

    @property
    def members(self) -> tuple[Member, ...]:
        """The members."""

    @property
    def ids(self) -> list[str]:
        """Their ids."""

    def to_json(self) -> str:
        """Canonical JSON of all rules."""


R = TypeVar("R", bound=Ruled)


@dataclass(frozen=True, slots=True, eq=False)
class Versions(Generic[R]):
    """Rules by slot. starts: first slot of each version [Unix s], ascending; rules: each whole, without changes."""

    starts: tuple[int, ...]
    rules: tuple[R, ...]

    @classmethod
    def of(cls, community: R) -> Versions[R]:
        """All versions of a community. Raises InputError for a time, ConfigError for an order or a member."""
        starts, rules = [ALWAYS], [_with(community, changes=())]
        for number, change in enumerate(community.changes):
            start = parse_time(change.slot)
            if start <= starts[-1]:
                raise ConfigError(f"from[{number}].slot = {change.slot} is not after the block before; put it in order")
            starts.append(start)
            rules.append(changed(rules[-1], change, f"from[{number}]"))
        return cls(tuple(starts), tuple(rules))

    def number(self, slot: int) -> int:
        """Number of the version that holds in a slot [Unix s]; the first is 0."""
        return bisect_right(self.starts, slot) - 1

    def at(self, slot: int) -> R:
        """Rules that hold in a slot [Unix s]."""
        return self.rules[self.number(slot)]

    def spans(self, slots: range) -> list[tuple[int, range]]:
        """Which versions hold in consecutive slots [Unix s], by number, with the slots of each."""
        found = []
        for number in range(self.number(slots[0]), self.number(slots[-1]) + 1) if slots else ():
            begin = max(self.starts[number], slots.start)
            end = min([*self.starts[number + 1 : number + 2], slots.stop])
            found.append((number, range(begin, end, slots.step)))
        return found


def digest(rules: Ruled) -> str:
    """SHA-256 of a version's canonical JSON, in hexadecimal: what governance, state and statements name it by."""
    return sha256(rules.to_json().encode()).hexdigest()


def changed(rules: R, change: RulesChange, place: str) -> R:
    """Rules with a block of changes applied. Raises ConfigError for a member that is not there."""
    said = {name: _said(getattr(change, name)) for name in ("tariff", "sharing", "accounts")}
    new: dict[str, Any] = {}
    for name, keys in said.items():
        old = getattr(rules, name)
        if keys and old is None:
            raise ConfigError(f"{place}.{name}: the community has no [{name}] to change; take it out")
        new[name] = msgspec.structs.replace(old, **keys) if keys else old
    levy = _said(change.carbon.levy if change.carbon else None)
    carbon = msgspec.structs.replace(rules.carbon, levy=msgspec.structs.replace(rules.carbon.levy, **levy))
    members = list(rules.members)
    for number, member in enumerate(change.members):
        if member.id not in rules.ids:
            raise ConfigError(
                f"{place}.members[{number}].id = {member.id!r} is no member; a block changes members of [[members]],"
                " where one who joins later has its `since`"
            )
        index = rules.ids.index(member.id)
        members[index] = msgspec.structs.replace(members[index], **_said(member))
    return _with(rules, **new, carbon=carbon, members=tuple(members))


def _with(rules: R, **keys: Any) -> R:  # noqa: ANN401 - whatever the keys hold
    """Rules with other values of some keys."""
    return cast("R", msgspec.structs.replace(cast("Any", rules), **keys))


def _said(record: msgspec.Struct | None) -> dict[str, Any]:
    """Keys that a record of changes names."""
    return (
        {}
        if record is None
        else {key: value for key, value in msgspec.structs.asdict(record).items() if value is not None}
    )
