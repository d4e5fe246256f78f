"""A community with the data that its file names."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from transactive.carbon.credits.assets import check_avoided
from transactive.carbon.credits.file import load_credits
from transactive.carbon.credits.offsets import check_offsets
from transactive.carbon.credits.steps import AnyStep
from transactive.config.community_file import load
from transactive.config.forecasters import SubmittedFiles, read_submitted
from transactive.config.reading_options import meter_limits, options_of, policy_of, source_of
from transactive.config.sharing import SharingSeries, sharing_series
from transactive.config.storage import storage_of
from transactive.config.tariffs import price_columns, priced
from transactive.core.community.community import Community
from transactive.core.errors import ConfigError, DataError, InputError
from transactive.core.slots import time_text
from transactive.core.tables import Environment, Measured, Table
from transactive.core.tariff import PriceSeries, Tariff
from transactive.core.units import PPM, IntArray
from transactive.environment.files import read_environment
from transactive.environment.own_prices import own_prices
from transactive.metering.accepted import accepted_files
from transactive.metering.feeder import read_feeder
from transactive.metering.files import read_measured
from transactive.metering.plausibility.verdicts import Verdicts
from transactive.metering.substitution import continued
from transactive.tabular.source import Source


@dataclass(frozen=True, slots=True)
class Setting:
    """A community with its measured data; both series cover the same slots. credits: on offer, as steps.

    prices: feed-in and network fee of each slot of the environment, where they are more than two numbers.
    feeder_wh: net energy that the transformer gave to all, without their batteries, in the slots of the readings [Wh].
    source: name and SHA-256 of the file of readings.
    sharing: what files say of it, where keys decide in place of a market.
    verdicts: on all that was read, also before the environment begins; None where nobody judged.
    submitted: forecasts of others, from files.
    store_url: of the database for a run's state; None: a file in its folder.
    """

    community: Community
    measured: Measured
    environment: Environment
    credits: tuple[AnyStep, ...] = ()
    feeder_wh: IntArray | None = None
    prices: PriceSeries | None = None
    source: tuple[str, str] = ("", "")
    sharing: SharingSeries | None = None
    verdicts: Verdicts | None = None
    submitted: SubmittedFiles = field(default_factory=SubmittedFiles)
    store_url: str | None = None

    @property
    def first_slot(self) -> int:
        """First slot [Unix s] of both series."""
        return self.measured.first_slot

    @property
    def readings_digest(self) -> bytes:
        """SHA-256 of the readings: which ones they are."""
        return self.measured.digest()

    @property
    def feeder_digest(self) -> bytes | None:
        """SHA-256 of what the feeder's meter read, if there is one."""
        return None if self.feeder_wh is None else hashlib.sha256(self.feeder_wh.tobytes()).digest()

    @property
    def measured_end(self) -> int:
        """Time [Unix s] at which the readings end."""
        return self.measured.first_slot + len(self.measured.consumption_wh) * self.community.clock.length

    @property
    def end(self) -> int:
        """Time [Unix s] at which the environment series ends."""
        return self.environment.first_slot + len(self.environment.supply_price) * self.community.clock.length

    def until(self, end: int) -> Setting:
        """The setting as it was when no series went beyond `end` [Unix s], and no rule changed from there on."""
        community = self.community.until(end)
        length = self.community.clock.length
        rows = (end - self.measured.first_slot) // length
        ahead = (end - self.environment.first_slot) // length
        return replace(
            self,
            community=community,
            measured=Measured(**_first(self.measured, rows)),
            environment=Environment(**_first(self.environment, ahead)),
            feeder_wh=None if self.feeder_wh is None else self.feeder_wh[:rows],
            prices=None if self.prices is None or community.plain_prices else self.prices.first(ahead),
            sharing=self.sharing and self.sharing.first(rows),
            submitted=self.submitted.until(end),
        )

    def of_first(self, members: int) -> Setting:
        """The setting as it was before others than the first so many members stood in the file."""
        sharing = self.sharing and SharingSeries(**_of_first(self.sharing, members))
        measured = Measured(**_of_first(self.measured, members))
        return replace(self, community=self.community.of_first(members), measured=measured, sharing=sharing)

    def read_by(self, time: int) -> Setting:
        """The setting with the readings of slots that ended by `time` [Unix s], and all that is told ahead."""
        rows = (time - self.measured.first_slot) // self.community.clock.length
        feeder_wh = None if self.feeder_wh is None else self.feeder_wh[:rows]
        return replace(self, measured=Measured(**_first(self.measured, rows)), feeder_wh=feeder_wh)

    @property
    def feed_in(self) -> IntArray:
        """Feed-in of each slot of the environment [µ¤/kWh], (slots,)."""
        if self.prices is not None:
            return self.prices.feed_in
        return np.full(len(self.environment.supply_price), self.community.tariff.numbers[0], np.int64)

    def tariff(self, slot: int) -> Tariff:
        """Tariff of a slot [Unix s]."""
        row = (slot - self.environment.first_slot) // self.community.clock.length
        supply, series = int(self.environment.supply_price[row]), self.prices
        numbers = self.community.tariff.numbers if series is None else (int(series.feed_in[row]), int(series.fee[row]))
        rules = self.community.at(slot)
        common = Tariff(supply, *numbers, shared=rules.shared_price, near=rules.near_fee)
        own = own_prices(self.community, slot, common)
        return common if own is None else replace(common, own=own)

    def coefficients(self, slot: int) -> IntArray | None:
        """Shares of a slot [Unix s] from a file [ppm], (members,); None where the members' own count."""
        rules = self.community.at(slot).sharing_in_force
        if self.sharing is None or rules is None or rules.coefficients is None:
            return None
        shares: IntArray = self.sharing.coefficients_ppm[self._row(slot)]
        return shares

    def reported(self, slot: int) -> tuple[IntArray, IntArray] | None:
        """What a distributor's report allots in a slot [Wh]: used and given, each (members,); None without one."""
        series, rules = self.sharing, self.community.at(slot).sharing_in_force
        if series is None or rules is None or rules.report is None:
            return None
        return series.used_wh[self._row(slot)], series.given_wh[self._row(slot)]

    def incentive(self, slot: int) -> tuple[int, int, int] | None:
        """What a shared Wh brings its producer, its user and the community in a slot [µ¤/kWh]; None without any."""
        rules, series = self.community.at(slot).sharing_in_force, self.sharing
        if series is None or rules is None or rules.incentive is None:
            return None
        whole = int(series.incentive[self._row(slot)])
        parts = [whole * ppm // PPM for ppm in (rules.incentive.producers_ppm, rules.incentive.users_ppm)]
        return parts[0], parts[1], whole - sum(parts)

    def _row(self, slot: int) -> int:
        """Row of a slot [Unix s] in the readings."""
        return (slot - self.measured.first_slot) // self.community.clock.length


def _first(series: Table, rows: int) -> dict[str, Any]:
    """Columns of the first `rows` slots of a series; one that may be missing is, where all of it is zero."""
    columns = {name: column if name == "first_slot" else column[:rows] for name, column in series.columns().items()}
    empty = [name for name in series.if_there if not np.any(columns[name])]
    return columns | {name: columns[name][:0] for name in empty}


def _of_first(series: Table, members: int) -> dict[str, Any]:
    """Columns of the first so many members; what has none by member stays, and what is zero and may be missing is."""
    columns = {
        name: column[:, :members] if isinstance(column, np.ndarray) and column.ndim > 1 else column
        for name, column in series.columns().items()
    }
    empty = [name for name in series.if_there if not np.any(columns[name])]
    return columns | {name: columns[name].reshape(-1)[:0] for name in empty}


def load_setting(
    path: Path,
    readings: Source | None = None,
    until: int | None = None,
    profile: str | None = None,
    candidate: Path | None = None,
    revised: Callable[[Community], Community] = lambda as_written: as_written,
) -> Setting:
    """Read a community file and the data that it names, and check that they fit each other.

    readings, profile: in place of those that the file names; a profile by name or path. until: readings that end
    earlier are continued to there [Unix s] by days like those before, so that a market which is live has something to
    begin with, and its prices go as far. candidate: readings that would be accepted, after those that were.
    revised: makes other rules of those that are written.
    """
    community = load(path, revised)
    length, sources = community.clock.length, community.data
    recorded = path.parent / sources.readings if readings is None else readings
    policy = policy_of(sources, community.tariff.time_zone, path)
    accepted = [*(accepted_files(path) if readings is None else ()), *([candidate] if candidate else ())]
    options = options_of(sources, path, profile)
    measured, verdicts = read_measured(
        recorded, meter_limits(community), length, sources.ignore, options, policy, accepted
    )
    if until is not None:
        measured = continued(measured, until, length)
    if sources.environment is None:
        environment = _constant(community, measured)
    else:
        follows = any(rules.carbon.levy.mode == "oracle" for rules in community.versions.rules)
        factors = {source.name: source.g_per_kwh for source in community.carbon.grid_sources}
        file = path.parent / sources.environment
        used = price_columns(community, file)
        environment = read_environment(file, length, carbon_price=follows, sources=factors, prices=used)
    setting = _priced(_aligned(Setting(community, measured, environment), path), environment.first_slot, path)
    source, shared = source_of(recorded, accepted, setting.measured), _sharing(setting, environment.first_slot, path)
    feeder_wh, offered = _feeder(setting, path), _credits(setting, path)
    url, submitted = storage_of(path.read_bytes()).url, read_submitted(community, path.parent)
    known = replace(setting, credits=offered, feeder_wh=feeder_wh, source=source, sharing=shared, verdicts=verdicts)
    return replace(known, store_url=url, submitted=submitted)


def _sharing(setting: Setting, first_of_environment: int, path: Path) -> SharingSeries | None:
    """What files say of sharing, if there are any."""
    try:
        return sharing_series(setting.community, setting.measured, path, first_of_environment)
    except DataError:
        raise
    except InputError as error:
        raise ConfigError(f"{path.name}: {error}") from None


def _feeder(setting: Setting, path: Path) -> IntArray | None:
    """What the feeder's meter read, if the community has one."""
    measured, file = setting.measured, setting.community.data.feeder
    if file is None:
        return None
    slots, length = len(measured.consumption_wh), setting.community.clock.length
    return read_feeder(path.parent / file, measured.first_slot, slots, length)


def _credits(setting: Setting, path: Path) -> tuple[AnyStep, ...]:
    """Carbon credits that the community file offers, once what it wants of credits is found possible."""
    community, environment = setting.community, setting.environment
    try:
        check_offsets(community)
        check_avoided(community, environment.first_slot, marginal_series=len(environment.marginal_g_per_kwh) > 0)
        return load_credits(path.parent, community.carbon.offsets.file, community.currency)
    except DataError as error:
        raise ConfigError(f"{path.name}: {error}") from None


def _constant(community: Community, measured: Measured) -> Environment:
    """Environment of a community with one supply price and one carbon intensity."""
    slots = len(measured.consumption_wh)
    prices, grid_g, carbon = (np.full(slots, value, np.int64) for value in (0, community.carbon.grid_g_per_kwh, 0))
    return Environment(measured.first_slot, prices, grid_g, carbon, np.empty(0, np.int64))


def _aligned(setting: Setting, path: Path) -> Setting:
    """Cut both series to the slots that both have; the environment must reach to the end of the readings."""
    length = setting.community.clock.length
    measured, environment = setting.measured, setting.environment
    first = max(measured.first_slot, environment.first_slot)
    end, environment_end = setting.measured_end, setting.end
    if environment_end < end:
        raise ConfigError(
            f"{path.name}: data.environment ends at {time_text(environment_end)}, the readings at {time_text(end)};"
            " add prices and carbon intensity for the rest"
        )
    if first >= end:
        raise ConfigError(f"{path.name}: data.environment begins after the readings end; give prices for their slots")
    start, ahead = ((first - series.first_slot) // length for series in (measured, environment))
    return Setting(
        setting.community,
        measured.since(first, start),
        environment.since(first, ahead),
    )


def _priced(setting: Setting, first_of_file: int, path: Path) -> Setting:
    """The setting with the prices of each slot; first_of_file: first slot of data.environment [Unix s]."""
    community, environment = setting.community, setting.environment
    before = (environment.first_slot - first_of_file) // community.clock.length
    try:
        environment, prices = priced(community, environment, path.parent, before)
    except DataError:
        raise
    except InputError as error:
        raise ConfigError(f"{path.name}: {error}") from None
    return replace(setting, environment=environment, prices=prices)
