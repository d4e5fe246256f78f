"""What a community tells over OpenADR: its prices and the limits of its lines, as programs and events of its own.

Prices are those of cleared slots, an event for each day of UTC: what a kWh more costs at home (PRICE, fee included),
what one more brings (EXPORT_PRICE), and what the grid emits (GHG, g/kWh). A limit is what the grid's operator lets one
home take (IMPORT_CAPACITY_LIMIT, kW), told to that home's VENs alone: its target is the home's id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import msgspec

from transactive.core.slots import DAY
from transactive.core.units import PPM
from transactive.engine.live.boxes.import_limits import SaidLimit
from transactive.protocols.openadr.clients import COMMUNITY
from transactive.protocols.openadr.objects import (
    DECODERS,
    EVENT_WORDS,
    EventRequest,
    IntervalPeriod,
    ObjectKind,
    PayloadDescriptor,
    ProgramRequest,
    ReportDescriptor,
    ValuesMap,
    WireInterval,
)
from transactive.protocols.openadr.vtn import Vtn
from transactive.store.read.advice import ClearedPrice

PRICES, LIMITS = "community-prices", "line-limits"
"""Ids of the programs."""
DAYS = 3
"""So many days of prices are told, the newest among them."""
Made = dict[tuple[ObjectKind, str], ProgramRequest | EventRequest]


def programs_of(currency: str) -> Made:
    """The programs of a community."""
    kinds = (("PRICE", "KWH", currency), ("EXPORT_PRICE", "KWH", currency), ("GHG", "GHG", None))
    priced = tuple(
        PayloadDescriptor(object_type=EVENT_WORDS, payload_type=kind, units=unit, currency=money)
        for kind, unit, money in kinds
    )
    limited = PayloadDescriptor(object_type=EVENT_WORDS, payload_type="IMPORT_CAPACITY_LIMIT", units="KW")
    return {
        (ObjectKind.PROGRAM, PRICES): ProgramRequest(program_name=PRICES, payload_descriptors=priced),
        (ObjectKind.PROGRAM, LIMITS): ProgramRequest(program_name=LIMITS, payload_descriptors=(limited,)),
    }


def price_events(prices: Iterable[ClearedPrice], length: int) -> Made:
    """An event for each day of prices; length: of a slot [s]. It asks its VENs to report what they use."""
    made: Made = {}
    for day, slots in groupby(prices, lambda one: one.slot // DAY):
        name = f"prices-{datetime.fromtimestamp(day * DAY, UTC):%Y-%m-%d}"
        made[ObjectKind.EVENT, name] = EventRequest(
            program_id=PRICES,
            event_name=name,
            report_descriptors=(ReportDescriptor(payload_type="USAGE", reading_type="DIRECT_READ", units="KWH"),),
            intervals=tuple(_priced(number, one, length) for number, one in enumerate(slots)),
        )
    return made


def limit_events(limits: Sequence[SaidLimit], ids: Sequence[str]) -> Made:
    """An event for each limit of a home. ids: of members."""
    return {
        (ObjectKind.EVENT, f"limit-{one.said}"): EventRequest(
            program_id=LIMITS,
            event_name=f"what {ids[one.member]} may take",
            priority=0,
            targets=(ids[one.member],),
            intervals=(
                WireInterval(
                    id=0,
                    interval_period=_period(one.start, one.end - one.start),
                    payloads=(ValuesMap(type="IMPORT_CAPACITY_LIMIT", values=(_shown(one.most_w, 1_000),)),),
                ),
            ),
        )
        for one in limits
    }


def publish(vtn: Vtn, wanted: Made) -> int:
    """Let the VTN tell what a community wants told, and nothing that it told before; returns how much changed.

    Who subscribed hears of what is new, other or gone, and of nothing else.
    """
    told = {
        (kind, one.id): one.body
        for kind in (ObjectKind.PROGRAM, ObjectKind.EVENT)
        for one in vtn.book.all_of(kind)
        if one.client == COMMUNITY.id
    }
    changed = 0
    for (kind, name), sent in wanted.items():
        raw = msgspec.json.encode(sent)
        if (kind, name) not in told:
            vtn.create(COMMUNITY, kind, raw, name)
        elif DECODERS[kind].decode(told[kind, name]) != DECODERS[kind].decode(raw):
            vtn.update(COMMUNITY, kind, name, raw)
        else:
            continue
        changed += 1
    for kind, name in reversed(list(told)):
        if (kind, name) not in wanted:
            vtn.delete(COMMUNITY, kind, name)
            changed += 1
    return changed


def _priced(number: int, one: ClearedPrice, length: int) -> WireInterval:
    """The interval of a slot."""
    values: Iterator[tuple[str, Any]] = iter(
        (
            ("PRICE", _shown(one.paid, PPM)),
            ("EXPORT_PRICE", _shown(one.received, PPM)),
            ("GHG", one.grid_g_per_kwh),
        )
    )
    payloads = tuple(ValuesMap(type=kind, values=(value,)) for kind, value in values)
    return WireInterval(id=number, interval_period=_period(one.slot, length), payloads=payloads)


def _period(start: int, seconds: int) -> IntervalPeriod:
    return IntervalPeriod(start=datetime.fromtimestamp(start, UTC), duration=f"PT{seconds}S")


def _shown(whole: int, parts: int) -> float:
    """A whole number as the number of its unit that OpenADR writes; the nearest float reads back as the same."""
    return whole / parts
