"""`transactive.load`: a community with its data."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from transactive.config.setting import Setting
from transactive.config.shipped import DEMO, FEEDER
from transactive.core.errors import InputError
from transactive.core.slots import time_text
from transactive.engine.governance.recorded_rules import decided_setting
from transactive.face.frames import Frame, Library, giving, table, taken, timed
from transactive.face.spoken import spoken

SHIPPED = {"demo": DEMO, "feeder": FEEDER}
"""Communities that come with the program, by name."""
SHIPPED_ZONE = "America/Los_Angeles"


@dataclass(frozen=True, eq=False, repr=False)
class LoadedCommunity:
    """A community file with its data, checked; printed, it is one line.

    setting: for those who go on with the program's own modules. zone: time zone of the local times in all results.
    frames: library of the results. shipped: whether it came with the program.
    """

    setting: Setting
    zone: str
    frames: Library
    shipped: bool

    @property
    def name(self) -> str:
        """Name of the community."""
        return self.setting.community.name

    @property
    def members(self) -> list[str]:
        """Ids of the members, in the order of the file."""
        return self.setting.community.ids

    @property
    def currency(self) -> str:
        """Three letters."""
        return self.setting.community.currency

    @property
    def readings(self) -> Frame:
        """What was recorded: slot_start, slot_start_local, member, consumption_wh, generation_wh [Wh]."""
        measured, members = self.setting.measured, self.members
        slots = len(measured.consumption_wh)
        columns = {
            "slot_start": np.repeat(self._starts(measured.first_slot, slots), len(members)),
            "member": members * slots,
            "consumption_wh": measured.consumption_wh.ravel(),
            "generation_wh": measured.generation_wh.ravel(),
        }
        return giving(self.frames)(timed(table(columns), "slot_start", self.zone))

    @property
    def environment(self) -> Frame:
        """Surroundings: slot_start, slot_start_local, import_price_micro_per_kwh, grid_carbon_g_per_kwh."""
        around = self.setting.environment
        columns = {
            "slot_start": self._starts(around.first_slot, len(around.supply_price)),
            "import_price_micro_per_kwh": around.supply_price,
            "grid_carbon_g_per_kwh": around.grid_g_per_kwh,
        }
        return giving(self.frames)(timed(table(columns), "slot_start", self.zone))

    def _starts(self, first: int, slots: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return first + self.setting.community.clock.length * np.arange(slots, dtype=np.int64)

    def __repr__(self) -> str:
        setting = self.setting
        return (
            f"{self.name}: {len(self.members)} members, slots of {setting.community.market.slot_minutes} minutes,"
            f" readings from {time_text(setting.measured.first_slot)} to {time_text(setting.measured_end)}"
        )


@spoken
def load(
    community: str | PathLike[str] = "demo",
    *,
    readings: Frame | str | PathLike[str] | None = None,
    zone: str | None = None,
    frames: Library | None = None,
) -> LoadedCommunity:
    """Load a community with its data, and check that they fit each other.

    Examples
    --------
    >>> import transactive as ta
    >>> community = ta.load("demo")
    >>> community
    Demo community: 14 members, slots of 60 minutes, readings from 2016-08-01T07:00Z to 2017-08-01T07:00Z
    >>> community.readings.columns
    ['slot_start', 'slot_start_local', 'member', 'consumption_wh', 'generation_wh']

    Parameters
    ----------
    community
        Community file as `transactive init` writes it, or its folder; or demo, fourteen homes of a year, or feeder,
        the same on tight lines. What its members decided on holds as the run beside it recorded it.
    readings
        Table or file in place of the readings that the community names: slot_start (with a zone), member,
        consumption_wh, generation_wh [Wh], a row for every member and slot.
    zone
        Time zone that people live by, like Europe/Vienna, for the local times in results; without it they are UTC.
    frames
        Library of all results, polars or pandas; without it that of the readings, or Polars.

    Returns
    -------
    LoadedCommunity
        For `simulate` and `compare`, with readings and environment as tables.

    Raises
    ------
    ConfigError
        Naming the key of the community file, or the data that do not reach.
    DataError
        Naming row and column of the first reading that cannot be.
    """
    path = Path(SHIPPED.get(str(community), community))
    shipped = str(community) in SHIPPED
    if path.is_dir():
        path /= "community.toml"
    known = zone_of(zone or (SHIPPED_ZONE if shipped else "UTC"))
    source, came = (None, None) if readings is None else taken(readings, "readings")
    library: Library = frames or came or "polars"
    giving(library)
    return LoadedCommunity(decided_setting(path, source), known, library, shipped)


def zone_of(name: str) -> str:
    """A time zone's name. Raises InputError for none."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(f"--zone {name}: is no time zone; write it like Europe/Vienna") from None
    return name
