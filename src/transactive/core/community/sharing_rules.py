"""What a community file says of sharing: who gets what of the energy that neighbours give, where no market decides."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from transactive.core.community.records import CommunityRecord

SHARING = "sharing"
"""In place of a mechanism: the meters decide after delivery, by keys."""
Key = Literal["static", "dynamic", "equal"]


class SharingRules(CommunityRecord, frozen=True, kw_only=True):
    """Keys by which what neighbours give in a slot is allotted, and its price [µ¤/kWh], the network fee apart.

    keys: one after the other; each allots what those before left. static: by the members' share_ppm; what a member can
    not use is left. dynamic: by what each takes. equal: to all alike, up to what each takes.
    """

    keys: Annotated[tuple[Key, ...], Meta(min_length=1)] = ("dynamic",)
    price_micro_per_kwh: int
