"""Events of a utility's VTN as prices, carbon intensity and limits of a community, slot by slot.

Where events say different things of a slot, the one with the lower priority number counts, then the one that was
changed last. What cannot be exact is left out with its reason: another currency or unit, a price that changes within a
slot or has no end. Nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

import msgspec

from transactive.core.errors import DataError
from transactive.core.slots import time_text
from transactive.core.units import PPM
from transactive.environment.feeds.decode import TIMES, FeedSeries
from transactive.environment.feeds.numbers import nearest_whole
from transactive.environment.feeds.profile import POSSIBLE
from transactive.protocols.openadr.objects import DECODERS, EventRequest, ObjectKind, ValuesMap
from transactive.protocols.openadr.spans import FOREVER, Span, spans_of

COLUMNS: dict[str, tuple[str, ...]] = {
    "PRICE": ("import_price_micro_per_kwh", "spot_price_micro_per_kwh"),
    "EXPORT_PRICE": ("feed_in_micro_per_kwh",),
    "GHG": ("grid_carbon_g_per_kwh",),
}
"""Columns of data.environment that a payload may fill: the first that the file has."""
FACTORS = {"PRICE": PPM, "EXPORT_PRICE": PPM, "GHG": 1}
UNITS = {"PRICE": ("KWH",), "EXPORT_PRICE": ("KWH",), "GHG": ("GHG", "G/KWH"), "IMPORT_CAPACITY_LIMIT": ("KW",)}
LIMIT = "IMPORT_CAPACITY_LIMIT"
MOST_SLOTS = 40_000
"""Most slots that an event may tell of: more than a year of quarter hours."""
MOST_VALUE = 10**9
LAST = 2**31
"""Priority of an event that names none."""


class UtilityEvent(msgspec.Struct, frozen=True):
    """What a VTN adds to an event."""

    id: str
    modified: datetime = msgspec.field(name="modificationDateTime")


class Described(msgspec.Struct, frozen=True):
    """Name, and units and currency by payload type, as a program says them."""

    class Descriptor(msgspec.Struct, frozen=True, rename="camel"):
        """One payload type."""

        payload_type: str
        units: str | None = None
        currency: str | None = None

    id: str
    program_name: str = msgspec.field(default="", name="programName")
    payload_descriptors: tuple[Descriptor, ...] | None = msgspec.field(default=None, name="payloadDescriptors")


@dataclass(frozen=True, slots=True)
class UtilityLimit:
    """What may be taken from the grid [W] from `start` to before `end` [Unix s]. targets: for whom, empty for all.

    modified: when the utility changed it last [Unix s].
    """

    start: int
    end: int
    most_w: int
    targets: tuple[str, ...]
    modified: float = 0


@dataclass(slots=True)
class UtilitySays:
    """What a utility says: values by payload type and slot [Unix s], limits, and what is left out, with why."""

    values: dict[str, dict[int, int]] = field(default_factory=dict)
    limits: list[UtilityLimit] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def series(self, kind: str, columns: Sequence[str], length: int) -> FeedSeries | None:
        """Values of a payload type for the first of its columns that a file has; None without values or column."""
        told = sorted(self.values.get(kind, {}).items())
        column = next((name for name in COLUMNS[kind] if name in columns), None)
        if not told or column is None:
            return None
        return FeedSeries(column, tuple(slot for slot, _ in told), tuple(value for _, value in told), length)


def program_of(raw: bytes) -> Described:
    """A program that a VTN tells. Raises DataError."""
    try:
        return msgspec.json.decode(raw, type=Described)
    except msgspec.MsgspecError as error:
        raise _foreign(error) from None


def _foreign(error: Exception) -> DataError:
    return DataError(f"the VTN tells an object that is none of OpenADR 3.1: {error}")


def read_events(programs: Iterable[bytes], events: Iterable[bytes], currency: str, length: int) -> UtilitySays:
    """What programs and events say for a community. length: of a slot [s]. Raises DataError for no program or event."""
    said = UtilitySays()
    known = {one.id: one for one in map(program_of, programs)}
    try:
        found = [
            (msgspec.json.decode(raw, type=UtilityEvent), DECODERS[ObjectKind.EVENT].decode(raw)) for raw in events
        ]
    except msgspec.MsgspecError as error:
        raise _foreign(error) from None
    whole = [(facts, event) for facts, event in found if isinstance(event, EventRequest)]
    whole.sort(key=lambda one: (-(LAST if one[1].priority is None else one[1].priority), one[0].modified))
    for facts, event in whole:
        described = _described(event, known.get(event.program_id))
        try:
            _read_event(said, event, facts.modified.timestamp(), described, currency, length)
        except DataError as error:
            said.left_out.append(f"event {facts.id}: {error}")
    return said


def _described(event: EventRequest, program: Described | None) -> dict[str, tuple[str | None, str | None]]:
    """Unit and currency by payload type; what an event says goes before its program."""
    told = {} if program is None else {d.payload_type: (d.units, d.currency) for d in program.payload_descriptors or ()}
    return told | {d.payload_type: (d.units, d.currency) for d in event.payload_descriptors or ()}


def _read_event(
    said: UtilitySays,
    event: EventRequest,
    modified: float,
    described: Mapping[str, tuple[str | None, str | None]],
    currency: str,
    length: int,
) -> None:
    """Read an event whole, or nothing of it. modified: when it was changed last [Unix s]. Raises DataError."""
    values: dict[str, dict[int, int]] = {}
    limits: list[UtilityLimit] = []
    for span in spans_of(event.intervals or (), event.interval_period):
        for payload in span.payloads:
            if payload.type not in UNITS:
                raise DataError(f"{payload.type}: is none of {', '.join(UNITS)}")
            _require_unit(payload.type, *described.get(payload.type, (None, None)), currency)
            if payload.type == LIMIT:
                if span.end == FOREVER:
                    raise DataError(f"a limit from {time_text(span.start)} has no end; a box needs one")
                watts = _whole(payload, 1_000)
                limits.append(UtilityLimit(span.start, span.end, max(watts, 0), event.targets or (), modified))
            else:
                value = _whole(payload, FACTORS[payload.type])
                _require_possible(payload.type, value, span.start)
                values.setdefault(payload.type, {}).update(dict.fromkeys(_slots(span, length), value))
    for kind, told in values.items():
        said.values.setdefault(kind, {}).update(told)
    said.limits += limits


def _require_unit(kind: str, unit: str | None, money: str | None, currency: str) -> None:
    """Require the unit of a payload type, and the community's currency. Raises DataError."""
    if unit is not None and unit.upper() not in UNITS[kind]:
        raise DataError(f"{kind} in {unit}: only {' or '.join(UNITS[kind])} is understood")
    if kind in ("PRICE", "EXPORT_PRICE") and (money or "").upper() != currency:
        raise DataError(f"{kind} in {money or 'no currency'}: the community pays in {currency}")


def _require_possible(kind: str, value: int, start: int) -> None:
    """Require a value that can be, at a time of ours: a row of the environment never changes. Raises DataError."""
    possible = next(values for end, values in POSSIBLE.items() if COLUMNS[kind][0].endswith(end))
    if value not in possible or start not in TIMES:
        raise DataError(f"{kind} of {value / FACTORS[kind]:g} from {time_text(start)}: nothing is like that")


def _slots(span: Span, length: int) -> Iterator[int]:
    """Slots of a span. Raises DataError where it does not hold whole slots, or does not end."""
    if span.end == FOREVER or span.end - span.start > MOST_SLOTS * length:
        raise DataError(f"an interval from {time_text(span.start)} has no end; a price needs one")
    if span.start % length or span.end % length:
        raise DataError(
            f"an interval of {(span.end - span.start) // 60} minutes from {time_text(span.start)} does not hold whole"
            f" slots of {length // 60} minutes"
        )
    return iter(range(span.start, span.end, length))


def _whole(payload: ValuesMap, factor: int) -> int:
    """The one value of a payload in whole units. Raises DataError."""
    value = payload.values[0] if len(payload.values) == 1 else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MOST_VALUE:
        raise DataError(f"{payload.type}: has {len(payload.values)} values; one number is understood")
    return nearest_whole(Fraction(str(value)) * factor)
