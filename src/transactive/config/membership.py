"""Whether memberships, meters and owners of a community file are possible together."""

from __future__ import annotations

from transactive.core.community.community import Community
from transactive.core.community.members import Member
from transactive.core.community.membership import COMMUNITY
from transactive.core.errors import ConfigError, InputError
from transactive.core.slots import parse_time
from transactive.core.units import PPM


def check_membership(community: Community) -> None:
    """Raise ConfigError for a membership, a meter or an owner that cannot be."""
    for member in community.members:
        _check_times(member, community.clock.length)
        _check_owners(member, community)
    spans, seen = community.membership, dict[str, list[int]]()
    for number, member in enumerate(community.members):
        for meter in member.meters or (member.id,):
            for other in seen.setdefault(meter, []):
                begin, end = max(spans.since[[number, other]]), min(spans.until[[number, other]])
                if begin < end:
                    raise ConfigError(
                        f"{member.id}: meter {meter!r} is also that of {community.ids[other]} at the same time; a meter"
                        " has one owner, or end one membership (until) where the other begins (since)"
                    )
            seen[meter].append(number)


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


def _check_owners(member: Member, community: Community) -> None:
    """Owners are others, and their shares make a whole."""
    for owner in member.owners_ppm:
        if owner != COMMUNITY and (owner == member.id or owner not in community.ids):
            raise ConfigError(f"{member.id}: owners: {owner!r} is no other member; name one, or {COMMUNITY!r}")
    if member.owners_ppm and sum(member.owners_ppm.values()) != PPM:
        said = sum(member.owners_ppm.values())
        raise ConfigError(f"{member.id}: owners have {said} ppm together; their shares make {PPM} ppm, which is 100 %")
