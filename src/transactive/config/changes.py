"""Whether changes of rules are possible: in order, at the start of a slot, and not into the past."""

from __future__ import annotations

from transactive.core.community.changes.records import RulesChange
from transactive.core.community.community import Community
from transactive.core.errors import ConfigError, InputError
from transactive.core.slots import parse_time


def check_changes(community: Community) -> None:
    """Raise ConfigError for a change that says nothing, begins within a slot, or tells of a time before it."""
    for number, change in enumerate(community.changes):
        place = f"from[{number}]"
        try:
            start = parse_time(change.slot)
        except InputError as error:
            raise ConfigError(f"{place}.slot: {error}") from None
        minutes = community.market.slot_minutes
        if start % (minutes * 60):
            raise ConfigError(f"{place}.slot = {change.slot} does not start a slot of {minutes} minutes; correct it")
        if change == RulesChange(slot=change.slot):
            raise ConfigError(f"{place} changes nothing; say what, or take it out")
        _check_memberships(change, start, place)
    for number, change in enumerate(community.changes):
        _check_again(community.versions.rules[number], change, f"from[{number}]")


def _check_memberships(change: RulesChange, start: int, place: str) -> None:
    """A membership changes for the time that comes."""
    ids = [member.id for member in change.members]
    for number, member in enumerate(change.members):
        if member.id in ids[:number]:
            raise ConfigError(f"{place}.members[{number}].id = {member.id!r} is there twice; say all of it once")
        for key in ("since", "until"):
            text = getattr(member, key)
            if text is not None and parse_time(text) < start:
                raise ConfigError(
                    f"{place}.members[{number}].{key} = {text} is before {change.slot}, from which the block holds;"
                    " rules never change backwards"
                )


def _check_again(before: Community, change: RulesChange, place: str) -> None:
    """Nobody begins whose membership has begun, nor stays who has left: that would reach back before the block."""
    start, spans = parse_time(change.slot), before.membership
    for number, member in enumerate(change.members):
        index = before.ids.index(member.id)
        begun, left = int(spans.since[index]) < start, int(spans.until[index]) < start
        if (member.since is not None and begun) or (member.until is not None and left):
            key = "since" if member.since is not None and begun else "until"
            raise ConfigError(
                f"{place}.members[{number}].{key}: {member.id} was a member before {change.slot}; who comes back has an"
                " entry of its own in [[members]], with its `since` and the same meters"
            )
