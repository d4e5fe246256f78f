"""Members of a community and their devices, as the community file names them and as columns."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta

from transactive.core.community.certificate_rules import (
    CertificateWishes,
    Generator,
)
from transactive.core.community.records import CommunityRecord, Identifier, NotNegative, Positive
from transactive.core.community.shiftable import Shiftable
from transactive.core.community.tariff_rules import Price
from transactive.core.units import PPM, BoolArray, IntArray, Whole

NO_LIMIT_W = 10**9
"""Power of a connection that limits nothing [W]."""


class OffsetPolicy(CommunityRecord, frozen=True, kw_only=True):
    """What somebody has offset by itself at the end of each period, and by which credits.

    coverage_ppm: part of the residual carbon. most_micro_per_t: highest price [µ¤/t], the same number as n¤/kg. Without
    kinds or methodologies all will do; vintage_from: oldest year.
    """

    coverage_ppm: Annotated[int, Meta(ge=0, le=PPM)] = PPM
    most_micro_per_t: Annotated[int, Meta(ge=0, le=10**13)]
    kinds: tuple[Literal["removal", "avoidance"], ...] = ()
    vintage_from: int = 0
    methodologies: tuple[str, ...] = ()


class Member(CommunityRecord, frozen=True, kw_only=True):
    """One home: its meter and its devices.

    id: in files, addresses and on the chain. name: for people, free text. role: forecaster for an account that is only
    paid for forecasts: it has a leaf, no meter, no trade, no vote and no part in what is shared out. since, until: its
    membership (RFC 3339);
    outside it has no reading, trade or part in what is shared out. meters: names of its meters in the readings, which
    are added up; without them its id. meter_parts_ppm: meters of which a part is its, the rest being others'.
    tariff_group, supply, feed_in, network_fee: prices for what its meter counts, in place of the common ones.
    share_ppm: of what neighbours give, by a static key of sharing. owners_ppm: parts of what this plant earns by
    owner, "community" or a member. battery_initial_wh: charged Wh before the run, of unknown origin;
    battery_reserve_wh: charged Wh that stay for the home, as for a power cut; battery_from_grid, battery_to_grid:
    whether the battery may charge from the grid, and give to it. devices: its loads that can wait.
    connection_w: most that it may take from the grid; no device goes beyond. agent: who trades for it, if not the
    community's. never_pay_above, sell_only_above: limits of every order [µ¤/kWh],
    the network fee apart. pause_from, pause_to: no order for slots in between (RFC 3339); without a start from the
    beginning, without an end for good. node: where it is on the community's network.
    neighbourhood: of those with whom it shares a line, a transformer or a municipality. carbon_price_per_t: what a
    tonne less is worth to it, in whole ¤: the same number as n¤/mg. prefer, partner, premium_micro_per_kwh: whose
    energy it wants first, and the most that it pays for it above the price; zone: what is local to it. The mechanism
    `preferences` hears these. offset: what of its residual carbon is offset by itself; credits: whether its PV earns
    avoided-emission credits, and no certificates. generator: what its certificates say of their device.
    battery_allocation: which stored energy leaves first, fixed for the battery's life. certificates: what it does with
    them.
    """

    id: Identifier
    name: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    role: Literal["member", "forecaster"] = "member"
    since: str | None = None
    until: str | None = None
    meters: tuple[str, ...] = ()
    meter_parts_ppm: dict[str, Annotated[int, Meta(gt=0, le=PPM)]] = msgspec.field(default_factory=dict)
    tariff_group: str | None = None
    supply_micro_per_kwh: Price | None = None
    feed_in_micro_per_kwh: Price | None = None
    network_fee_micro_per_kwh: Price | None = None
    share_ppm: Annotated[int, Meta(ge=0, le=PPM)] = 0
    owners_ppm: dict[str, Annotated[int, Meta(gt=0, le=PPM)]] = msgspec.field(default_factory=dict)
    pv_w: NotNegative = 0
    battery_wh: NotNegative = 0
    battery_w: NotNegative = 0
    battery_efficiency_ppm: Annotated[int, Meta(gt=0, le=PPM)] = 900_000
    battery_initial_wh: NotNegative = 0
    battery_reserve_wh: NotNegative = 0
    battery_from_grid: bool = True
    battery_to_grid: bool = True
    carbon_price_per_t: Annotated[int, Meta(ge=0, le=10_000)] = 0
    devices: tuple[Shiftable, ...] = ()
    connection_w: Positive | None = None
    agent: str | None = None
    never_pay_above_micro_per_kwh: int | None = None
    sell_only_above_micro_per_kwh: int | None = None
    pause_from: str | None = None
    pause_to: str | None = None
    node: str | None = None
    neighbourhood: str | None = None
    zone: str | None = None
    prefer: Literal["green", "local", "partner"] | None = None
    partner: str | None = None
    premium_micro_per_kwh: NotNegative = 0
    offset: OffsetPolicy | None = None
    credits: Literal["avoided"] | None = None
    generator: Generator = Generator()
    battery_allocation: Literal["fifo"] = "fifo"
    certificates: CertificateWishes = CertificateWishes()

    @property
    def label(self) -> str:
        """What people call it: its name, or else its id."""
        return self.name or self.id


class Devices(msgspec.Struct, frozen=True):
    """Devices as columns, shape (members,), with limits per slot.

    pv_wh: most a PV can generate in a slot [Wh]. power_wh: most a battery can draw or give at the meter in a slot [Wh].
    capacity_wh: charged Wh that fit. efficiency_ppm: Wh delivered per million charged Wh. What owners of batteries ask,
    None where none does: reserve_wh: charged Wh that stay; own_only, home_only: never charged from the grid, never
    giving to it; initial_wh: charged Wh before a run.
    """

    pv_wh: IntArray
    capacity_wh: IntArray
    power_wh: IntArray
    efficiency_ppm: IntArray
    reserve_wh: IntArray | None = None
    own_only: BoolArray | None = None
    home_only: BoolArray | None = None
    initial_wh: IntArray | None = None

    @classmethod
    def of(cls, members: tuple[Member, ...], slot_minutes: int) -> Devices:
        """Columns of a tuple of members; power [W] becomes energy per slot [Wh], rounded down."""
        return cls(
            np.array([m.pv_w * slot_minutes // 60 for m in members], np.int64),
            np.array([m.battery_wh for m in members], np.int64),
            np.array([m.battery_w * slot_minutes // 60 if m.battery_wh else 0 for m in members], np.int64),
            np.array([m.battery_efficiency_ppm for m in members], np.int64),
            _asked([m.battery_reserve_wh if m.battery_wh else 0 for m in members]),
            _asked([not m.battery_from_grid for m in members]),
            _asked([not m.battery_to_grid for m in members]),
            _asked([m.battery_initial_wh for m in members]),
        )

    def rows(self, members: IntArray) -> Devices:
        """Devices of some members, by index."""
        columns: dict[str, Any] = {}
        for name in self.__struct_fields__:
            column = getattr(self, name)
            columns[name] = None if column is None else column[members]
        return Devices(**columns)

    @property
    def first_charged_wh(self) -> IntArray:
        """Charged Wh before a run, (members,)."""
        return np.zeros_like(self.capacity_wh) if self.initial_wh is None else np.array(self.initial_wh)

    def spare_wh(self, charged_wh: IntArray) -> IntArray:
        """Charged Wh beyond what owners keep."""
        if self.reserve_wh is None:
            return charged_wh
        spare: IntArray = np.maximum(charged_wh - self.reserve_wh, 0)
        return spare

    def deliverable_wh(self, charged_wh: IntArray) -> IntArray:
        """Most Wh that so many charged Wh can deliver at the meter: rounded down."""
        deliverable: IntArray = deliverable_wh(charged_wh, self.efficiency_ppm)
        return deliverable

    def drawn_wh(self, delivered_wh: IntArray) -> IntArray:
        """Charged Wh that a delivery takes out of a battery: rounded up, so that losses are never forgotten."""
        drawn: IntArray = drawn_wh(delivered_wh, self.efficiency_ppm)
        return drawn


def _asked(column: list[int] | list[bool]) -> Any:  # noqa: ANN401 - whole numbers or truths
    """A column; None if nobody asks for anything."""
    return np.array(column) if any(column) else None


def deliverable_wh(charged_wh: Whole, efficiency_ppm: Whole) -> Whole:
    """Most Wh that so many charged Wh can deliver at the meter: rounded down."""
    return charged_wh * efficiency_ppm // PPM


def drawn_wh(delivered_wh: Whole, efficiency_ppm: Whole) -> Whole:
    """Charged Wh that a delivery takes out of a battery: rounded up, so that losses are never forgotten."""
    return -(-delivered_wh * PPM // efficiency_ppm)
