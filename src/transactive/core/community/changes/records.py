"""What a `[[from]]` block of a community file may change; a key that it leaves out stays as it was.

The keys have the names and types of what they change (`tests/unit/test_changes.py` holds that). What is not here holds
for the life of a community: accounts, meters, devices, slots and the network are what its ledger and chain are made of.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from transactive.core.community.records import CommunityRecord, Money, NotNegative
from transactive.core.community.sharing_rules import Key, Part, SharingCircle
from transactive.core.community.tariff_rules import BillItem, Date, GroupPrices, Price, VatRate
from transactive.core.units import PPM


class TariffChange(CommunityRecord, frozen=True, kw_only=True):
    """Other prices and rates of tax."""

    supply_micro_per_kwh: Price | None = None
    feed_in_micro_per_kwh: Price | None = None
    network_fee_micro_per_kwh: Price | None = None
    feed_in_at_negative_prices: Literal["paid", "nothing"] | None = None
    time_zone: str | None = None
    holidays: tuple[Date, ...] | None = None
    vat_ppm: VatRate | None = None
    vat_items_ppm: dict[BillItem, VatRate] | None = None
    groups: dict[str, GroupPrices] | None = None
    near_fee_micro_per_kwh: Annotated[int, Meta(ge=0)] | None = None
    standing_charge_n_per_day: Money | None = None
    standing_charge_n_per_month: Money | None = None


class SharingChange(CommunityRecord, frozen=True, kw_only=True):
    """Other keys of sharing, circles or shares by the hour, or another price."""

    keys: tuple[Key, ...] | None = None
    price_micro_per_kwh: int | None = None
    fee_ppm: Part | None = None
    circles: tuple[SharingCircle, ...] | None = None
    coefficients: str | None = None


class AccountChange(CommunityRecord, frozen=True, kw_only=True):
    """Other bounds of top-ups."""

    top_up_below_n: Money | None = None
    top_up_to_n: Money | None = None


class LevyChange(CommunityRecord, frozen=True, kw_only=True):
    """Another rate of the levy; what it is used for stays."""

    mode: Literal["off", "shadow", "floor", "fixed", "oracle"] | None = None
    price_micro_per_t: Annotated[int, Meta(ge=0, le=10**10)] | None = None
    paid_micro_per_t: NotNegative | None = None
    step_ppm_per_period: Annotated[int, Meta(gt=0, le=PPM)] | None = None


class CarbonChange(CommunityRecord, frozen=True, kw_only=True):
    """What changes of carbon."""

    levy: LevyChange | None = None


class MemberChange(CommunityRecord, frozen=True, kw_only=True):
    """What changes for a member, by its id. since and until: for a time from the block's slot on."""

    id: str
    name: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    since: str | None = None
    until: str | None = None
    tariff_group: str | None = None
    supply_micro_per_kwh: Price | None = None
    feed_in_micro_per_kwh: Price | None = None
    network_fee_micro_per_kwh: Price | None = None
    share_ppm: Annotated[int, Meta(ge=0, le=PPM)] | None = None
    owners_ppm: dict[str, Annotated[int, Meta(gt=0, le=PPM)]] | None = None
    never_pay_above_micro_per_kwh: int | None = None
    sell_only_above_micro_per_kwh: int | None = None
    pause_from: str | None = None
    pause_to: str | None = None


class RulesChange(CommunityRecord, frozen=True, kw_only=True):
    """What holds from the start of a slot on (RFC 3339), up to the next block that says otherwise."""

    slot: str
    tariff: TariffChange | None = None
    sharing: SharingChange | None = None
    accounts: AccountChange | None = None
    carbon: CarbonChange | None = None
    members: tuple[MemberChange, ...] = ()
