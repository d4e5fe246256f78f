"""What a community file says of sharing: who gets what of the energy that neighbours give, where no market decides."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from transactive.core.community.records import CommunityRecord, NotNegative
from transactive.core.units import PPM

SHARING = "sharing"
"""In place of a mechanism: the meters decide after delivery, by keys."""
Key: TypeAlias = Literal["static", "rounds", "dynamic", "equal", "order", "coefficients", "report"]
BY_SHARES = ("static", "rounds")
"""Keys that need shares of members."""
Part: TypeAlias = Annotated[int, Meta(ge=0, le=PPM)]


class SharingCircle(CommunityRecord, frozen=True, kw_only=True):
    """Some of the members, who share among themselves before the next circle does: a building, a street, a community.

    parts_ppm: part of a member's meter that counts here, the whole where nothing is said; so a member can be in several
    circles by priority, by parts, or both. shares_ppm: for a static key, in place of the members' own. price: if not
    that of all. fee_ppm: part of the network fee that energy shared here bears, nothing behind one connection.
    """

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    members: Annotated[tuple[str, ...], Meta(min_length=1)]
    parts_ppm: dict[str, Part] = msgspec.field(default_factory=dict)
    shares_ppm: dict[str, Part] = msgspec.field(default_factory=dict)
    keys: Annotated[tuple[Key, ...], Meta(min_length=1)] = ("dynamic",)
    price_micro_per_kwh: int | None = None
    fee_ppm: Part | None = None


class Incentive(CommunityRecord, frozen=True, kw_only=True):
    """What a public body pays for each shared Wh, beside the tariff, which then applies to every meter as if alone.

    price: its fixed part. column: of data.environment, with a market's price; below `reference` the incentive rises by
    what that is lower, by `most` at most [µ¤/kWh]. producers_ppm, users_ppm: who gets it; the community has the rest.
    """

    price_micro_per_kwh: NotNegative
    column: str | None = None
    reference_micro_per_kwh: NotNegative = 0
    most_micro_per_kwh: NotNegative = 0
    producers_ppm: Part = 0
    users_ppm: Part = 0


class SharingRules(CommunityRecord, frozen=True, kw_only=True):
    """Keys by which what neighbours give in a slot is allotted, and its price [µ¤/kWh], the network fee apart.

    preset: name of the law's model that the rules follow. keys: one after the other; each allots what those before
    left. static: by the members' share_ppm; what a member can not use is left. rounds: by them too; what one can not
    use goes to the others by theirs. dynamic: by what each takes. equal: to all alike, up to what each takes. order: to
    the members in their order. coefficients: as static, by the shares that a file has for each hour. report: as the
    distributor's report says. circles: who share before all do; with no keys, who share instead. fee_ppm: part of the
    network fee that shared energy bears. surplus: who sells what a fixed share allots and its holder can not use.
    """

    preset: str | None = None
    keys: tuple[Key, ...] = ("dynamic",)
    price_micro_per_kwh: int
    fee_ppm: Part = PPM
    surplus: Literal["producer", "holder"] = "producer"
    circles: tuple[SharingCircle, ...] = ()
    coefficients: str | None = None
    report: str | None = None
    report_profile: str | None = None
    incentive: Incentive | None = None

    @property
    def all_keys(self) -> frozenset[str]:
        """Keys of the community and of its circles."""
        return frozenset((*self.keys, *(key for circle in self.circles for key in circle.keys)))
