"""The tariff of a slot, the prices of deviations that follow from it, and the market's price grid."""

from __future__ import annotations

from dataclasses import dataclass, field

from transactive.core.errors import InputError
from transactive.core.tables import Table
from transactive.core.units import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class OwnPrices:
    """Supply price, feed-in and fee of each member in a slot [µ¤/kWh], (members,), where some have their own."""

    supply: IntArray
    feed_in: IntArray
    fee: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class NearFee:
    """Fee for energy from one's own neighbourhood [µ¤/kWh]. place: number of each member's, (members,), −1 without."""

    fee: int
    place: IntArray


@dataclass(frozen=True, slots=True)
class Tariff:
    """Prices of one slot [µ¤/kWh]: the supplier sells at `supply` and buys at `feed_in`; local energy bears `fee`.

    levy: most that a Wh of grid energy without a certificate bears besides. shared: what energy costs that is shared by
    keys; None where a market decides. With feed_in above supply − fee no price
    between neighbours suits both sides: there is no market in the slot, and everybody deals with the supplier.
    own: prices of members who have their own for what their meters count; between neighbours the common ones hold.
    near: fee of energy that stays in a neighbourhood, if it has one of its own.
    inside: what a need pays and a give receives inside, of one member who has its own prices.
    """

    supply: int
    feed_in: int
    fee: int
    levy: int = 0
    shared: int | None = None
    own: OwnPrices | None = field(default=None, compare=False)
    near: NearFee | None = field(default=None, compare=False)
    inside: tuple[int, int] | None = None

    def of_member(self, member: int) -> Tariff:
        """The tariff as one member sees it: its own prices, and those inside where they are better."""
        if self.own is None:
            return self
        supply, feed_in, fee = (int(prices[member]) for prices in (self.own.supply, self.own.feed_in, self.own.fee))
        inside = (min(self.needs_pay, supply - fee), max(self.gives_receive, feed_in))
        return Tariff(supply, feed_in, fee, self.levy, self.shared, inside=inside)

    @property
    def supply_of(self) -> IntArray | int:
        """What grid energy costs each member, (members,), or all [µ¤/kWh]."""
        return self.supply if self.own is None else self.own.supply

    @property
    def feed_in_of(self) -> IntArray | int:
        """What the supplier pays each member for exports, (members,), or all [µ¤/kWh]."""
        return self.feed_in if self.own is None else self.own.feed_in

    @property
    def fee_of(self) -> IntArray | int:
        """What local energy bears when each member uses it, (members,), or all [µ¤/kWh]."""
        return self.fee if self.own is None else self.own.fee

    @property
    def grid_cost(self) -> int:
        """What grid energy costs a member beside the fee: c = supply − fee."""
        return self.supply - self.fee

    @property
    def room(self) -> int:
        """What there is to share between neighbours: c − feed_in."""
        return self.grid_cost - self.feed_in

    @property
    def meets(self) -> bool:
        """Whether there is a market: some price between neighbours suits both sides, and no key decides instead."""
        return self.room >= 0 and self.shared is None

    @property
    def needs_pay(self) -> int:
        """N = c − (c − feed_in) / 4: what a need pays for the part met inside the community, beside the fee."""
        if self.inside is not None:
            return self.inside[0]
        return self.grid_cost - max(self.room, 0) // 4 if self.shared is None else self.shared

    @property
    def gives_receive(self) -> int:
        """G = feed_in + (c − feed_in) / 4: what a give receives for the part met inside the community."""
        if self.inside is not None:
            return self.inside[1]
        return self.feed_in + max(self.room, 0) // 4 if self.shared is None else self.shared


@dataclass(frozen=True, slots=True, eq=False)
class PriceSeries(Table):
    """Feed-in and network fee of consecutive slots [µ¤/kWh], (slots,), where they are more than two numbers."""

    feed_in: IntArray
    fee: IntArray

    def first(self, slots: int) -> PriceSeries:
        """Prices of the first slots."""
        return PriceSeries(self.feed_in[:slots], self.fee[:slots])


@dataclass(frozen=True, slots=True)
class PriceGrid:
    """Allowed prices of a market [µ¤/kWh]: floor, floor + tick, … , cap."""

    floor: int
    cap: int
    tick: int

    def __post_init__(self) -> None:
        if self.tick <= 0 or self.cap < self.floor or (self.cap - self.floor) % self.tick:
            raise InputError(f"price grid {self.floor} … {self.cap} by {self.tick}: the tick must divide cap − floor")

    @classmethod
    def of(cls, tariff: Tariff, tick: int) -> PriceGrid:
        """Grid of a slot, from feed-in to supply − fee: above that, not delivering could pay."""
        return cls(tariff.feed_in, tariff.feed_in + max(tariff.room, 0) // tick * tick, tick)

    @property
    def size(self) -> int:
        """Number of allowed prices."""
        return (self.cap - self.floor) // self.tick + 1

    def price(self, index: int) -> int:
        """Price of a tick index [µ¤/kWh]."""
        return self.floor + index * self.tick
