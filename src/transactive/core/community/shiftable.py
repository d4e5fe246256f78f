"""Devices of a home whose load can wait: what a community file says of them. All times of day are UTC."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from transactive.core.units import PPM

TimeOfDay = Annotated[
    str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="a time of day in quotes, such as '18:30'")
]
Power = Annotated[int, Meta(gt=0, le=10**6)]
Energy = Annotated[int, Meta(gt=0, le=10**6)]
Hourly = Annotated[tuple[Annotated[int, Meta(ge=0, le=10**6)], ...], Meta(min_length=24, max_length=24)]


class Device(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"):
    """Base of all kinds. power_w: most that it draws at the meter."""

    power_w: Power


class Vehicle(Device, frozen=True, kw_only=True, tag="vehicle"):
    """An electric vehicle that is at home from `arrives` to `leaves` each day and then drives.

    needed_wh: what a day's drive takes out of its battery, and what it has to hold when it leaves. efficiency_ppm: Wh
    held for a million drawn.
    """

    arrives: TimeOfDay
    leaves: TimeOfDay
    needed_wh: Energy
    efficiency_ppm: Annotated[int, Meta(gt=0, le=PPM)] = 900_000


class Heater(Device, frozen=True, kw_only=True, tag="heater"):
    """A heat pump or a boiler, with the heat that it may hold between the two comfortable temperatures.

    performance_ppm: heat for a million Wh drawn, three million for a heat pump of COP 3. band_wh: heat between the
    lowest and the highest of them. drain_wh: heat that use and weather take, hour by hour of the day, from midnight on.
    loses_ppm: part of the held heat that is lost in an hour.
    """

    performance_ppm: Annotated[int, Meta(gt=0, le=8 * PPM)] = PPM
    band_wh: Energy
    drain_wh: Hourly
    loses_ppm: Annotated[int, Meta(ge=0, lt=PPM)] = 0


class Appliance(Device, frozen=True, kw_only=True, tag="appliance"):
    """An appliance that runs once a day, between `earliest` and `latest`, for `runs_minutes` at its power."""

    earliest: TimeOfDay
    latest: TimeOfDay
    runs_minutes: Annotated[int, Meta(gt=0, le=1440)]


Shiftable: TypeAlias = Vehicle | Heater | Appliance


def minutes(time: str) -> int:
    """Minutes since midnight of a time of day."""
    hours, past = time.split(":")
    return int(hours) * 60 + int(past)
