"""Prices of every slot of a run, from what a community file says of them and the series that it names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from transactive.core.community.community import Community
from transactive.core.community.members import Member
from transactive.core.community.tariff_rules import GroupPrices, Price, PriceRule, TariffRules
from transactive.core.errors import ConfigError
from transactive.core.spelling.quantities import units_in
from transactive.core.tables import Environment
from transactive.core.tariff import PriceSeries
from transactive.core.units import IntArray
from transactive.environment.files import FEE, FEED_IN, PRICE, SPOT, has_column, read_prices
from transactive.environment.price_files import read_price_file
from transactive.environment.price_rows import PriceFile
from transactive.environment.prices import LocalTimes, prices_of
from transactive.tabular.moments import check_zone

SUPPLY = "supply_micro_per_kwh"
COLUMNS = {SUPPLY: PRICE, FEED_IN: FEED_IN, FEE: FEE}
"""Column of data.environment that stands for a price that the file leaves out."""


def check_tariff(community: Community) -> None:
    """Raise ConfigError for a price that says two things, or nothing."""
    for key, price in _prices(community.tariff):
        place = f"tariff.{key}"
        if price is None and community.data.environment is None:
            raise ConfigError(f"{place} is missing; give it, or a series in data.environment")
        _check_price(price, place, key, series=community.data.environment is not None)
    _check_own(community)
    _check_near(community)
    LocalTimes.of(np.empty(0, np.int64), community.tariff)


def _check_near(community: Community) -> None:
    """Raise ConfigError for a fee of neighbourhoods without any, and for a neighbourhood that no fee asks for."""
    fee = community.tariff.near_fee_micro_per_kwh
    named = [member for member in community.members if member.neighbourhood is not None]
    if fee is not None and not named:
        raise ConfigError("tariff.near_fee_micro_per_kwh: no member has a neighbourhood; name theirs, or take it out")
    if fee is None and named:
        raise ConfigError(
            f"{named[0].id}.neighbourhood is for tariff.near_fee_micro_per_kwh, which is not there; give it, or take"
            " the neighbourhood out"
        )


def _check_own(community: Community) -> None:
    """Raise ConfigError for prices of groups and members that cannot be, and for a group that nobody has."""
    rules = community.tariff
    placed: list[tuple[str, GroupPrices | Member]] = [*((f"tariff.groups.{k}", v) for k, v in rules.groups.items())]
    placed += [(member.id, member) for member in community.members]
    for place, record in placed:
        for key in COLUMNS:
            price = getattr(record, key)
            if isinstance(price, PriceRule) and (price.column is not None or price.file is not None):
                raise ConfigError(
                    f"{place}.{key} is a series; a price of one's own is a number or has times: make the series the"
                    " common tariff, and give the others theirs"
                )
            _check_price(price, f"{place}.{key}", key, series=False)
            if price is not None and key == FEED_IN and rules.feed_in_at_negative_prices == "nothing":
                raise ConfigError(
                    f'{place}.{key}: tariff.feed_in_at_negative_prices = "nothing" holds for the common feed-in alone;'
                    " take one of them out"
                )
    named = {member.tariff_group for member in community.members if member.tariff_group is not None}
    for member in community.members:
        if member.tariff_group is not None and member.tariff_group not in rules.groups:
            known = ", ".join(rules.groups) or "none"
            raise ConfigError(
                f"{member.id}.tariff_group = {member.tariff_group!r} is no group of tariff.groups; known: {known}"
            )
    if unused := [name for name in rules.groups if name not in named]:
        raise ConfigError(f"tariff.groups.{unused[0]}: no member has this tariff_group; give it to one, or take it out")


def _check_price(price: Price | None, place: str, key: str, *, series: bool) -> None:
    """A price says one thing for each time, and a fee is not negative."""
    if isinstance(price, PriceRule):
        _check_rule(price, place, series=series)
    elif isinstance(price, tuple) and len({hour for hour, _ in price}) < max(len(price), 1):
        raise ConfigError(f"{place}: prices by hour name an hour twice, or none; write [[0, 200_000], [7, 280_000]]")
    if key == FEE and any(value < 0 for value in _numbers(price)):
        raise ConfigError(f"{place} is below 0; a fee is not negative")


def _check_rule(rule: PriceRule, place: str, *, series: bool) -> None:
    """A rule has one source: a number or a series."""
    if rule.file is not None and rule.column is None:
        raise ConfigError(f"{place}.column is missing; name the column of {rule.file} that holds the price")
    if (rule.column is None) == (rule.price_micro_per_kwh is None):
        raise ConfigError(f"{place}: give either a price or a column; the times beside it take its place")
    if rule.file is None and (rule.unit, rule.time_column, rule.zone, rule.gaps) != ("µ¤/kWh", None, None, "refuse"):
        raise ConfigError(f"{place}: unit, time_column, zone and gaps are about a file; name it in file")
    if rule.column is not None and rule.file is None and not series:
        raise ConfigError(f"{place}.column {rule.column!r} needs data.environment, where it stands, or a file; name it")
    if rule.column is None and rule.plus_micro_per_kwh:
        raise ConfigError(f"{place}.plus_micro_per_kwh is added to a column; add it to the price itself")
    for number, period in enumerate(rule.times):
        if period.start == period.end or period.start == "24:00":
            raise ConfigError(f"{place}.times[{number}]: from {period.start} to {period.end} is no time; correct it")


def _prices(rules: TariffRules) -> Iterator[tuple[str, Price | None]]:
    """The prices of a tariff by key."""
    for key in COLUMNS:
        yield key, getattr(rules, key)


def _numbers(price: Price | None) -> list[int]:
    """Numbers that a price names [µ¤/kWh]."""
    if isinstance(price, int):
        return [price]
    if isinstance(price, PriceRule):
        periods = [period.price_micro_per_kwh for period in price.times]
        return periods if price.price_micro_per_kwh is None else [price.price_micro_per_kwh, *periods]
    return [value for _, value in price or ()]


def price_columns(community: Community, path: Path) -> list[str]:
    """Columns of data.environment that the tariff, of all versions of the rules, and an incentive use."""
    named = [column for rules in community.versions.rules for column in _columns_of(rules.tariff, path)]
    incentive = community.sharing_in_force.incentive if community.sharing_in_force is not None else None
    if incentive is not None and incentive.column is not None:
        named.append(incentive.column)
    return list(dict.fromkeys(named))


def _columns_of(rules: TariffRules, path: Path) -> Iterator[str]:
    """Columns of data.environment that one tariff uses."""
    for (_, price), column in zip(_prices(rules), COLUMNS.values(), strict=True):
        if price is None:
            yield column
        elif isinstance(price, PriceRule) and price.file is None and price.column:
            yield price.column
    if rules.feed_in_at_negative_prices == "nothing" and has_column(path, SPOT):
        yield SPOT


def _file_of(rule: PriceRule, community: Community, folder: Path, key: str) -> PriceFile:
    """The file of a rule."""
    factor = units_in(rule.unit, key, community.currency, f"tariff.{key}.unit")
    zone, repeats = rule.zone or _said(community.tariff.time_zone), rule.gaps == "repeat"
    check_zone(zone or "UTC", f"tariff.{key}.zone")
    return PriceFile(folder / str(rule.file), str(rule.column), factor, zone, rule.time_column, repeats)


def _said(zone: str) -> str | None:
    """A zone that somebody wrote; local times are not taken for UTC because nobody said what they are."""
    return None if zone == "UTC" else zone


def priced(
    community: Community, environment: Environment, folder: Path, rows_before: int
) -> tuple[Environment, PriceSeries | None]:
    """The environment with the supply price of each slot, and the other prices where they are more than two numbers.

    folder: of the files that the community names; so many rows of data.environment come before its own. Raises
    ConfigError.
    """
    file = None if community.data.environment is None else folder / community.data.environment
    names = [] if file is None else price_columns(community, file)
    columns = {} if file is None else {key: col[rows_before:] for key, col in read_prices(file, names).items()}
    length, first = community.clock.length, environment.first_slot
    slots = range(first, first + length * len(environment.supply_price), length)
    parts = []
    for number, own in community.versions.spans(slots):
        rows = slice((own.start - first) // length, (own.stop - first) // length)
        rules = community.versions.rules[number]
        parts.append(_prices_of(rules, own, {key: column[rows] for key, column in columns.items()}, folder))
    supply, feed_in, fee = (np.concatenate(series) for series in zip(*parts, strict=True))
    prices = None if community.plain_prices else PriceSeries(feed_in, fee)
    return replace(environment, supply_price=supply), prices


def _prices_of(
    community: Community, slots: range, columns: Mapping[str, IntArray], folder: Path
) -> tuple[IntArray, IntArray, IntArray]:
    """Supply price, feed-in and fee of slots in which one tariff holds, each (slots,). Raises ConfigError."""
    rules, starts = community.tariff, np.array(slots, np.int64)
    plain = all(isinstance(price, int) for _, price in _prices(rules))
    local = LocalTimes.of(starts[:0] if plain else starts, rules)

    def series(key: str) -> IntArray:
        price = getattr(rules, key)
        if isinstance(price, PriceRule) and price.file is not None:
            own = read_price_file(_file_of(price, community, folder, key), starts, slots.step)
            return prices_of(price, starts, local, {str(price.column): own})
        return prices_of(price, starts, local, columns) if price is not None else columns[COLUMNS[key]]

    supply, feed_in, fee = (series(key) for key in COLUMNS)
    if rules.feed_in_at_negative_prices == "nothing":
        feed_in = np.where(columns.get(SPOT, supply) < 0, np.minimum(feed_in, 0), feed_in)
    if (fee < 0).any():
        raise ConfigError(f"tariff.{FEE}: a fee is not negative, and {int(fee.min())} stands in its series; correct it")
    return supply, feed_in, fee
