"""What a community file says of prices: of the supplier and the network, by time, by series or as one number."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, field

from transactive.core.community.records import CommunityRecord, Money
from transactive.core.errors import ConfigError
from transactive.core.units import PPM

TimeOfDay = Annotated[
    str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$", description='a time of day, such as "17:30"')
]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday", "workday", "weekend"]
Month = Annotated[int, Meta(ge=1, le=12)]
Hour = Annotated[int, Meta(ge=0, le=23)]
Date = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d$", description='a date, such as "2026-05-01"')]

VatRate = Annotated[int, Meta(ge=0, le=PPM)]
BillItem = Literal[
    "supply", "feed_in", "local_energy", "network_fee", "standing_charge", "levy", "certificates", "credits"
]  # fmt: skip
"""What a bill tells apart: supply and feed_in are the supplier's, local_energy is what neighbours trade or share."""


class PricePeriod(CommunityRecord, frozen=True, kw_only=True):
    """A price at some times of a week or year, in local time; the first that fits a slot counts.

    from, to: times of day; a period that ends before it begins goes over midnight and belongs to the day it begins on.
    days: `workday` is Monday to Friday but no holiday, `weekend` the rest. months: 1 to 12, those of a season.
    """

    price_micro_per_kwh: int
    start: TimeOfDay = field(default="00:00", name="from")
    end: TimeOfDay = field(default="24:00", name="to")
    days: tuple[Day, ...] = ()
    months: tuple[Month, ...] = ()


class PriceRule(CommunityRecord, frozen=True, kw_only=True):
    """A price that is more than a number: a series or a number, and what holds at some times in its place.

    column: of data.environment, or of `file` where one is named, whose numbers are in `unit` and whose local times in
    `time_column` are those of `zone`, or of tariff.time_zone; gaps: what holds between its rows. A series becomes
    column × factor + plus, rounded half away from zero to a µ¤/kWh.
    """

    price_micro_per_kwh: int | None = None
    column: str | None = None
    file: str | None = None
    unit: str = "µ¤/kWh"
    time_column: str | None = None
    zone: str | None = None
    gaps: Literal["refuse", "repeat"] = "refuse"
    factor_ppm: Annotated[int, Meta(gt=0, le=100 * PPM)] = PPM
    plus_micro_per_kwh: int = 0
    times: tuple[PricePeriod, ...] = ()


HourPrices: TypeAlias = tuple[tuple[Hour, int], ...]
"""Pairs of a local hour and the price [µ¤/kWh] from then on."""
Price: TypeAlias = int | HourPrices | PriceRule
"""A number [µ¤/kWh], prices by local hour, or a rule."""


class GroupPrices(CommunityRecord, frozen=True, kw_only=True):
    """Prices of a group of members in place of the common ones; each is a number, or prices by time."""

    supply_micro_per_kwh: Price | None = None
    feed_in_micro_per_kwh: Price | None = None
    network_fee_micro_per_kwh: Price | None = None


class TariffRules(CommunityRecord, frozen=True, kw_only=True):
    """The supplier's and the network's prices; one that is left out is a column of data.environment.

    feed_in_at_negative_prices: whether feed-in is paid in slots whose exchange price is below zero: spot_price_… of
    data.environment, or without that column the supply price. time_zone, holidays: of times in prices. vat_ppm: tax
    that bills add, for all prices here are net of it; vat_items_ppm: of items with a rate of their own. groups: prices
    of members that name a group. standing_charge: what each member pays the supplier for each local day, and for each
    local month, that begins while it is a member [n¤]. near_fee: network fee of energy used in the neighbourhood, of
    those that members name, in which it was given.
    """

    supply_micro_per_kwh: Price | None = None
    feed_in_micro_per_kwh: Price | None = None
    network_fee_micro_per_kwh: Price | None = None
    feed_in_at_negative_prices: Literal["paid", "nothing"] = "paid"
    time_zone: str = "UTC"
    holidays: tuple[Date, ...] = ()
    vat_ppm: VatRate = 0
    vat_items_ppm: dict[BillItem, VatRate] = field(default_factory=dict)
    groups: dict[str, GroupPrices] = field(default_factory=dict)
    near_fee_micro_per_kwh: Annotated[int, Meta(ge=0)] | None = None
    standing_charge_n_per_day: Money = 0
    standing_charge_n_per_month: Money = 0

    @property
    def plain(self) -> bool:
        """Whether feed-in and network fee are one number each, in all slots."""
        numbers = isinstance(self.feed_in_micro_per_kwh, int) and isinstance(self.network_fee_micro_per_kwh, int)
        return numbers and self.feed_in_at_negative_prices == "paid"

    @property
    def numbers(self) -> tuple[int, int]:
        """Feed-in and network fee [µ¤/kWh]. Raises ConfigError where they are series, which a setting holds."""
        feed_in, fee = self.feed_in_micro_per_kwh, self.network_fee_micro_per_kwh
        if not isinstance(feed_in, int) or not isinstance(fee, int):
            raise ConfigError("tariff: feed-in and network fee are series here; read the community with its data")
        return feed_in, fee
