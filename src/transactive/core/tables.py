"""What rooms hand to each other: columns.

Every table is a frozen dataclass of numpy arrays with one row a member, order, posting or bundle. Energy is
int64 Wh, price int64 µ¤/kWh, money int64 n¤, carbon int64 mg, times int Unix seconds. A member is its index
in the community; accounts continue after the members (see `core.accounts`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields, replace
from enum import IntEnum
from typing import Any, ClassVar, TypeVar

import numpy as np

from transactive.core.units import BoolArray, IntArray

Rows = TypeVar("Rows", bound="Table")


def _nothing() -> IntArray:
    return np.empty(0, np.int64)


class Table:
    """Base of all tables, with canonical bytes; `if_there`: columns that the digest leaves out where there are none."""

    __slots__ = ()
    if_there: ClassVar[tuple[str, ...]] = ()

    def digest(self) -> bytes:
        """SHA-256 over the columns in their order: name, shape, little-endian int64."""
        state = hashlib.sha256(type(self).__name__.encode())
        for part in fields(self):  # type: ignore[arg-type]
            value = getattr(self, part.name)
            if part.name in self.if_there and (value is None or not np.size(value)):
                continue
            column = np.asarray(value)
            state.update(f"|{part.name}{column.shape}|".encode())
            state.update(np.ascontiguousarray(column.astype("<i8")).tobytes())
        return state.digest()

    def columns(self) -> dict[str, Any]:
        """Columns by name."""
        return {part.name: getattr(self, part.name) for part in fields(self)}  # type: ignore[arg-type]


def stacked(first: Rows, second: Rows) -> Rows:
    """Two tables of one kind and slot, the second below the first."""
    below = second.columns()
    rows = {name: np.concatenate((rows, below[name])) for name, rows in first.columns().items() if name != "slot"}
    return replace(first, **rows)  # type: ignore[type-var]


@dataclass(frozen=True, slots=True, eq=False)
class Measured(Table):
    """Recorded consumption and generation of consecutive slots from `first_slot` on, shape (slots, members), Wh.

    both_ways_wh: what a meter counted as taken and as given in the same slot, which no one nets. quality: a
    `ReadingQuality` each. Both are of shape (0,) where there is nothing to say.
    """

    if_there: ClassVar[tuple[str, ...]] = ("both_ways_wh", "quality")

    first_slot: int
    consumption_wh: IntArray
    generation_wh: IntArray
    both_ways_wh: IntArray = field(default_factory=_nothing)
    quality: IntArray = field(default_factory=_nothing)

    def since(self, first_slot: int, rows_before: int) -> Measured:
        """The readings without so many slots at their beginning; `first_slot` is what is left's first [Unix s]."""
        columns = {name: column[rows_before:] for name, column in self.columns().items() if name != "first_slot"}
        return Measured(first_slot, **columns)


@dataclass(frozen=True, slots=True, eq=False)
class Environment(Table):
    """What the surroundings say of consecutive slots from `first_slot` on, shape (slots,).

    supply_price: µ¤/kWh. grid_g_per_kwh: average carbon intensity of grid energy. carbon_price: quoted price of carbon
    [µ¤/t], for a levy that follows it. temperature: outdoors [0.1 °C], shape (0,) where nobody measured it.

    marginal_g_per_kwh: what one more kWh of the grid emits, which is no average and serves no footprint; free_ppm: the
    carbon-free part of the residual mix; each of shape (0,) where it is not known. generated_wh, claimed_wh: what each
    source of the grid gave and what of it was claimed, (slots, sources).
    """

    first_slot: int
    supply_price: IntArray
    grid_g_per_kwh: IntArray
    carbon_price: IntArray
    temperature: IntArray
    marginal_g_per_kwh: IntArray = field(default_factory=_nothing)
    free_ppm: IntArray = field(default_factory=_nothing)
    generated_wh: IntArray = field(default_factory=_nothing)
    claimed_wh: IntArray = field(default_factory=_nothing)

    def since(self, first_slot: int, rows_before: int) -> Environment:
        """The series without so many rows at its beginning; `first_slot` is what is left's first [Unix s]."""
        columns = {name: column[rows_before:] for name, column in self.columns().items() if name != "first_slot"}
        return Environment(first_slot, **columns)


class ReadingQuality(IntEnum):
    """Where a reading comes from. Databases keep these numbers."""

    METERED = 0
    LATE = 1  # metered, and arrived after its slot was settled
    SUBSTITUTED = 2  # nobody metered it: taken from like slots, or its part of a gap between two registers
    ESTIMATED = 3  # who reads the meter estimated it
    HELD = 4  # a substitute for a reading that nobody would believe, until somebody answers
    AS_TRADED = 5  # the meter was silent: settled as traded, and what that brings held, until a reading comes


@dataclass(frozen=True, slots=True, eq=False)
class Readings(Table):
    """Registers of one slot, shape (members,), all unsigned Wh.

    They satisfy: import + generation + discharge = export + charge + consumption.

    quality: a `ReadingQuality` each, metered where none is given.
    """

    slot: int
    import_wh: IntArray
    export_wh: IntArray
    generation_wh: IntArray
    charge_wh: IntArray
    discharge_wh: IntArray
    quality: IntArray = field(default_factory=_nothing)

    def __post_init__(self) -> None:
        if not len(self.quality):
            object.__setattr__(self, "quality", np.full(len(self.import_wh), ReadingQuality.METERED, np.int64))

    def of(self, members: range) -> Readings:
        """Readings of some members that follow each other."""
        part = slice(members.start, members.stop)
        columns = {name: column[part] for name, column in self.columns().items() if name != "slot"}
        return Readings(self.slot, **columns)

    @property
    def estimated(self) -> BoolArray:
        """Which readings nobody metered, (members,)."""
        estimated: BoolArray = self.quality >= ReadingQuality.SUBSTITUTED
        return estimated

    @property
    def consumption_wh(self) -> IntArray:
        """What the home itself used [Wh]."""
        return self.import_wh + self.generation_wh + self.discharge_wh - self.export_wh - self.charge_wh


@dataclass(frozen=True, slots=True, eq=False)
class Baseline(Table):
    """What the meters of the same homes would have counted in a slot without a market [Wh], (members,)."""

    slot: int
    import_wh: IntArray
    export_wh: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Forecast(Table):
    """Equally likely samples of net load (consumption − generation, before the battery) for coming slots.

    slots: starts, (horizon,). net_load_wh: (horizon, samples, members). known_until: end of the newest slot
    whose reading was used [Unix s].
    """

    slots: IntArray
    known_until: int
    net_load_wh: IntArray

    def of(self, members: IntArray) -> Forecast:
        """Forecast of some members, by index."""
        return Forecast(self.slots, self.known_until, self.net_load_wh[:, :, members])

    def quantile_wh(self, parts: int, of: int) -> IntArray:
        """Quantile parts/of per slot and member [Wh], (horizon, members): the smallest sample that covers it."""
        ordered = np.sort(self.net_load_wh, axis=1)
        rank = max(-(-parts * ordered.shape[1] // of) - 1, 0)
        return ordered[:, rank]


@dataclass(frozen=True, slots=True, eq=False)
class DeviceRules(Table):
    """What each battery does in real time in one slot, as four charge levels, shape (members,), charged Wh.

    A battery below `grid_charge_to_wh` charges whatever the home does, one below `surplus_charge_to_wh` takes the
    home's surplus; one above `serve_down_to_wh` serves the home's deficit, one above `export_down_to_wh` gives
    whatever the home does. The levels rise in this order: grid charge <= serve, surplus charge <= export.
    promised_wh: bought − sold ahead [Wh], (members,); where it is given, what is beyond it is the home's deficit, and
    what is missing to it its surplus.
    """

    if_there: ClassVar[tuple[str, ...]] = ("promised_wh",)

    slot: int
    grid_charge_to_wh: IntArray
    surplus_charge_to_wh: IntArray
    serve_down_to_wh: IntArray
    export_down_to_wh: IntArray
    promised_wh: IntArray | None = None

    def rows(self, members: IntArray) -> DeviceRules:
        """Rules of some members, by index."""
        promised = None if self.promised_wh is None else self.promised_wh[members]
        return replace(DeviceRules(self.slot, *(level[members] for level in self._levels)), promised_wh=promised)

    def among(self, members: IntArray, of: int) -> DeviceRules:
        """The same rules as those of `members` among `of` members, the others without a battery."""
        everybody = np.zeros((4, of), np.int64)
        everybody[:, members] = self._levels
        return DeviceRules(self.slot, *everybody)

    @property
    def levels_wh(self) -> IntArray:
        """The four levels in their order, (4, members)."""
        return np.stack(self._levels)

    @property
    def _levels(self) -> tuple[IntArray, ...]:
        return self.grid_charge_to_wh, self.surplus_charge_to_wh, self.serve_down_to_wh, self.export_down_to_wh

    def and_others(self, other: DeviceRules) -> DeviceRules:
        """These rules with those of other members; a member without a rule has zeros."""
        names = ("grid_charge_to_wh", "surplus_charge_to_wh", "serve_down_to_wh", "export_down_to_wh")
        return DeviceRules(self.slot, *(getattr(self, name) + getattr(other, name) for name in names))


@dataclass(frozen=True, slots=True, eq=False)
class Orders(Table):
    """Orders for one slot, shape (orders,). lock_n: what the order holds back of its member's free balance [n¤]."""

    slot: int
    member: IntArray
    is_buy: BoolArray
    price: IntArray
    energy_wh: IntArray
    lock_n: IntArray

    def __len__(self) -> int:
        return len(self.member)

    def only(self, rows: BoolArray | IntArray) -> Orders:
        """The orders of the chosen rows: which of them, (orders,), or their numbers in a new order."""
        return Orders(self.slot, *(getattr(self, part.name)[rows] for part in fields(self) if part.name != "slot"))


@dataclass(frozen=True, slots=True, eq=False)
class Refusals(Table):
    """Orders that the free balance could not lock, shape (refusals,); missing_n [n¤] would have been needed more."""

    slot: int
    member: IntArray
    is_buy: BoolArray
    price: IntArray
    energy_wh: IntArray
    missing_n: IntArray

    def __len__(self) -> int:
        return len(self.member)


@dataclass(frozen=True, slots=True, eq=False)
class Clearing(Table):
    """Result of the market for one slot.

    price: µ¤/kWh; without a trade `traded_wh` is 0 and the price means nothing. Where orders trade at prices of their
    own it is what buyers pay on average, and `Positions` has the prices. allocated_wh: (orders,), in the order of
    `Orders`. bought_wh, sold_wh: (members,).
    """

    slot: int
    price: int
    traded_wh: int
    allocated_wh: IntArray
    bought_wh: IntArray
    sold_wh: IntArray
