"""Whether memberships, meters and owners of a community file are possible together."""

from __future__ import annotations

from transactive.core.community.community import Community
from transactive.core.community.members import Member
from transactive.core.community.membership import COMMUNITY
from transactive.core.errors import ConfigError, InputError
from transactive.core.slots import parse_time
from transactive.core.units import PPM


def check_membership(community: Community) -> None:
    """Raise ConfigError for a membership or an owner that cannot be."""
    for member in community.members:
        _check_role(member)
        _check_times(member, community.clock.length)
        _check_owners(member, community)


def check_meters(community: Community) -> None:
    """Raise ConfigError for a meter that two have at the same time, but for parts of it that make a whole.

    Memberships count as all changes leave them.
    """
    spans, seen = community.membership, dict[str, list[tuple[int, bool]]]()
    for number, member in enumerate(community.members):
        for meter, part in _meters(member):
            for other, other_part in seen.setdefault(meter, []):
                begin, end = max(spans.since[[number, other]]), min(spans.until[[number, other]])
                if begin < end and not (part and other_part):
                    raise ConfigError(
                        f"{member.id}: meter {meter!r} is also that of {community.ids[other]} at the same time; give"
                        " each its part (meter_parts), or end one membership (until) where the other begins (since)"
                    )
            seen[meter].append((number, part))
    for meter, holders in seen.items():
        _check_parts(community, meter, [number for number, part in holders if part])


def _meters(member: Member) -> list[tuple[str, bool]]:
    """Names of a member's meters, and whether it has a part of each only."""
    whole, parts = member.meters, member.meter_parts_ppm
    return [
        *((meter, False) for meter in whole or (() if parts else (member.id,))),
        *((meter, True) for meter in parts),
    ]


def _check_parts(community: Community, meter: str, numbers: list[int]) -> None:
    """Parts of a meter make a whole whenever somebody has one."""
    spans = community.membership
    for time in sorted({int(edge[number]) for number in numbers for edge in (spans.since, spans.until)}):
        there = [number for number in numbers if spans.since[number] <= time < spans.until[number]]
        said = sum(community.members[number].meter_parts_ppm[meter] for number in there)
        if there and said != PPM:
            names = ", ".join(community.ids[number] for number in there)
            raise ConfigError(
                f"{community.ids[there[0]]}: meter_parts: {names} have {said} ppm of {meter!r} together; parts make"
                f" {PPM} ppm, which is 100 %, at any time"
            )


def _check_times(member: Member, length: int) -> None:
    """A membership begins and ends with a slot, in this order."""
    found: list[int] = []
    for key in ("since", "until"):
        text = getattr(member, key)
        if text is None:
            continue
        try:
            found.append(parse_time(text))
        except InputError as error:
            raise ConfigError(f"{member.id}: {key}: {error}") from None
        if found[-1] % length:
            raise ConfigError(
                f"{member.id}: {key} = {text} does not start a slot of {length // 60} minutes; correct it"
            )
    if len(found) > 1 and found[1] <= found[0]:
        raise ConfigError(f"{member.id}: until is not after since; correct one of them")
    if found and member.devices:
        raise ConfigError(f"{member.id}: devices that wait need a member that neither joins nor leaves; take them out")


def _check_role(member: Member) -> None:
    """Who only forecasts has nothing that a home has, and neither begins nor ends."""
    if member.role == "member":
        return
    kept = ("id", "name", "role")
    for key in member.__struct_fields__:
        if key not in kept and getattr(member, key) != getattr(Member(id=member.id), key):
            raise ConfigError(f'{member.id}: {key} is of a home, and role = "forecaster" of none; take one of them out')


def _check_owners(member: Member, community: Community) -> None:
    """Owners are others, and their shares make a whole."""
    for owner in member.owners_ppm:
        if owner != COMMUNITY and (owner == member.id or owner not in community.ids):
            raise ConfigError(f"{member.id}: owners: {owner!r} is no other member; name one, or {COMMUNITY!r}")
    if member.owners_ppm and sum(member.owners_ppm.values()) != PPM:
        said = sum(member.owners_ppm.values())
        raise ConfigError(f"{member.id}: owners have {said} ppm together; their shares make {PPM} ppm, which is 100 %")
