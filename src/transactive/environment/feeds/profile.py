"""A feed profile: where a publisher tells prices, carbon intensity or weather, and how, as a TOML file.

Ours lie in `data/feeds`; people keep their own beside the community. A new feed is a file, not a class.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec

from transactive.core.errors import ConfigError

FOLDER = Path(__file__).parents[2] / "data" / "feeds"
Grade: TypeAlias = Literal["documented sample", "specification", "shape only"]
"""What a profile was proved with: the publisher's own example, or its text alone.

shape only: an answer made after the publisher's text; it wants a key, and nobody with one has run it yet.
"""
FeedColumn: TypeAlias = Literal[
    "import_price_micro_per_kwh",
    "spot_price_micro_per_kwh",
    "feed_in_micro_per_kwh",
    "network_fee_micro_per_kwh",
    "carbon_price_micro_per_t",
    "grid_carbon_g_per_kwh",
    "grid_marginal_g_per_kwh",
    "temperature_c",
]
"""Columns of `data.environment` that a feed may fill."""
UNITS: dict[str, dict[str, int]] = {
    "_micro_per_kwh": {"EUR/MWh": 1_000, "ct/kWh": 10_000, "EUR/kWh": 1_000_000, "GBP/MWh": 1_000, "p/kWh": 10_000},
    "_micro_per_t": {"EUR/t": 1_000_000},
    "_g_per_kwh": {"g/kWh": 1, "kg/MWh": 1, "kg/kWh": 1_000},
    "_c": {"°C": 10},
}
"""Units by the end of a column's name: how many of its whole units each is; a temperature counts tenths of a degree."""
POSSIBLE: dict[str, range] = {
    "_micro_per_kwh": range(-(10**9), 10**9 + 1),
    "_micro_per_t": range(10**12),
    "_g_per_kwh": range(100_000),
    "_c": range(-900, 601),
}
"""What a value can be, in whole units of the column: others would stand for ever in a file that nobody can read."""


class AnyFeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of the kinds of feeds.

    url: where it is told, an address of HTTP or of a broker with its topic; `{NAME}` in it is a word that the user
    gives. needs: these words, each with what it is. fresh_hours: how old what was told may be before it is stale.
    question: JSON that is posted there; without it nothing is. token_header: what a token is sent in, `Authorization`
    as a bearer without it; wants_token: whether it answers nobody without one. licence: under which its publisher
    gives the data, as far as that says so.
    """

    title: str
    source: str
    grade: Grade
    column: FeedColumn
    unit: str
    url: str = ""
    needs: dict[str, str] = {}
    note: str = ""
    licence: str = ""
    question: str = ""
    token_header: str = ""
    wants_token: bool = False
    fresh_hours: Annotated[int, msgspec.Meta(ge=1, le=240)] = 24

    @property
    def factor(self) -> int:
        """Whole units of the column in one of the feed's. Raises KeyError for a unit that is none of its."""
        return next(units for end, units in UNITS.items() if self.column.endswith(end))[self.unit]

    @property
    def possible(self) -> range:
        """What its values can be, in whole units of the column."""
        return next(values for end, values in POSSIBLE.items() if self.column.endswith(end))


class RowsProfile(AnyFeed, frozen=True, kw_only=True, tag="rows", tag_field="format"):
    """JSON with an object for each step: rows, the way to their list; time and value, the ways inside one of them.

    says: what has to stand beside the prices, by its way, such as their unit or zone; row_says: inside each of them.
    """

    rows: str
    time: str
    value: str
    says: dict[str, str] = {}
    row_says: dict[str, str] = {}
    clock: Literal["unix", "unix_ms", "iso"] = "iso"
    step_minutes: Annotated[int, msgspec.Meta(ge=5, le=60)] = 60


class ColumnsProfile(AnyFeed, frozen=True, kw_only=True, tag="columns", tag_field="format"):
    """JSON with a list of times and one of values: the ways to both. says: as of rows."""

    time: str
    value: str
    says: dict[str, str] = {}
    clock: Literal["unix", "unix_ms", "iso"] = "unix"


class EntsoeProfile(AnyFeed, frozen=True, kw_only=True, tag="entsoe", tag_field="format"):
    """Price document A44 of the ENTSO-E Transparency Platform."""


FeedProfile: TypeAlias = RowsProfile | ColumnsProfile | EntsoeProfile


def load_feed_profile(named: str, folder: Path = Path()) -> FeedProfile:
    """A profile by the path of its file, relative to `folder`, or by the name of one that ships.

    Raises ConfigError naming the key that is wrong.
    """
    path = folder.joinpath(named) if named.endswith(".toml") else FOLDER.joinpath(f"{named}.toml")
    try:
        profile: FeedProfile = msgspec.toml.decode(path.read_bytes(), type=FeedProfile)
    except OSError:
        raise ConfigError(f"feed {named}: there is no such profile; ours are {', '.join(shipped_feeds())}") from None
    except msgspec.DecodeError as error:
        raise ConfigError(f"feed {path.name}: {error}") from None
    units = next(units for end, units in UNITS.items() if profile.column.endswith(end))
    if profile.unit not in units:
        raise ConfigError(f"feed {path.name}: unit = {profile.unit!r}; of {profile.column} it is {', '.join(units)}")
    return profile


def shipped_feeds() -> tuple[str, ...]:
    """Names of the profiles of the package."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))
