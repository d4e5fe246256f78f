"""Sharing as a community file has it: whether its rules are possible together, and the series that its files give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from transactive.config.presets import check_preset
from transactive.core.community.community import Community
from transactive.core.community.sharing_rules import BY_SHARES, SHARING, SharingRules
from transactive.core.errors import ConfigError
from transactive.core.tables import Measured, Table
from transactive.core.units import PPM, IntArray
from transactive.environment.files import read_prices
from transactive.environment.prices import zone_of
from transactive.metering.coefficients import read_coefficients
from transactive.metering.exports.reader import ReadOptions
from transactive.metering.homes import MeterOwners
from transactive.metering.reported import read_report


def _nothing() -> IntArray:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class SharingSeries(Table):
    """What files say of sharing in the slots of the readings; each empty where no file does.

    coefficients_ppm: shares, (slots, members). used_wh, given_wh: a distributor's allocation, (slots, members).
    incentive: what a public body pays for a shared Wh [µ¤/kWh], (slots,).
    """

    if_there: ClassVar[tuple[str, ...]] = ("coefficients_ppm", "used_wh", "given_wh", "incentive")

    first_slot: int
    coefficients_ppm: IntArray = field(default_factory=_nothing)
    used_wh: IntArray = field(default_factory=_nothing)
    given_wh: IntArray = field(default_factory=_nothing)
    incentive: IntArray = field(default_factory=_nothing)

    def first(self, rows: int) -> SharingSeries:
        """The series of the first `rows` slots."""
        columns = {name: column for name, column in self.columns().items() if name != "first_slot"}
        return SharingSeries(self.first_slot, **{name: column[:rows] for name, column in columns.items()})


# -- whether rules are possible --------------------------------------------------------------------


def check_sharing(community: Community) -> None:
    """Raise ConfigError for rules of sharing that cannot be together."""
    rules, market = community.sharing_in_force, community.market
    if rules is None:
        _check_market(community)
        return
    if community.network is not None or market.sessions != ("intraday",):
        raise ConfigError("sharing has no sessions and no lines; take market.sessions and [network] out")
    if not rules.keys and not rules.circles:
        raise ConfigError("sharing.keys is empty; name a key, or circles")
    if rules.surplus == "holder" and (rules.circles or rules.keys not in (("static",), ("coefficients",))):
        raise ConfigError(
            'sharing.surplus = "holder" is for keys = ["static"] or ["coefficients"] alone, which say whose it is;'
            " change one of them"
        )
    check_preset(rules, market.slot_minutes)
    _check_files(rules, community)
    _check_shares(community, rules)
    _check_circles(community, rules)
    _check_parts(rules)
    _check_incentive(rules, community)


def _check_market(community: Community) -> None:
    """Sharing and its mechanism go together."""
    for member in community.members:
        if member.share_ppm and community.sharing is None:
            raise ConfigError(
                f'{member.id}: share_ppm counts only with "static" in sharing.keys; take it out, or write mechanism ='
                ' "sharing" under [market], and keys = ["static"] and a price under [sharing]'
            )
    if community.market.mechanism == SHARING:
        raise ConfigError('market.mechanism "sharing" needs [sharing] with a price; add it')
    if community.sharing is not None:
        raise ConfigError('[sharing] needs market.mechanism = "sharing"; say so, or take it out')


def _check_files(rules: SharingRules, community: Community) -> None:
    """Keys that need a file have one, and no file is for nothing."""
    for key, file in (("coefficients", rules.coefficients), ("report", rules.report)):
        if (key in rules.keys) != (file is not None):
            raise ConfigError(f'sharing.{key} names the file of "{key}" in sharing.keys; give both or neither')
        if any(key in circle.keys for circle in rules.circles):
            raise ConfigError(f'sharing.circles: "{key}" is a key of all, not of a circle; move it to sharing.keys')
    if rules.report is not None and (len(rules.keys) > 1 or rules.circles):
        raise ConfigError(
            'sharing.keys: "report" stands alone, as the distributor allots everything; take the rest out'
        )
    if rules.report_profile is not None and rules.report is None:
        raise ConfigError("sharing.report_profile reads sharing.report, which is missing; name the file")
    for member in community.members if rules.report is not None else ():
        if member.battery_wh or member.devices:
            raise ConfigError(
                f"{member.id}: a report is of meters as they were, and its battery or devices would move; take them out"
            )


def _check_shares(community: Community, rules: SharingRules) -> None:
    """Fixed shares make at most a whole, and count where a key uses them."""
    total, fixed = sum(member.share_ppm for member in community.members), rules.all_keys & set(BY_SHARES)
    for member in community.members:
        if member.share_ppm and not fixed:
            raise ConfigError(f'{member.id}: share_ppm counts only with "static" in sharing.keys; take it out')
    if set(rules.keys) & set(BY_SHARES):
        if total > PPM:
            raise ConfigError(f"members' shares make {total} ppm, more than 100 %; lower one")
        if not total:
            raise ConfigError('sharing.keys has "static", but no member has a share; give members a share')


def _check_circles(community: Community, rules: SharingRules) -> None:
    """Circles are of members, and their shares and parts are those of theirs."""
    own = {member.id: member.share_ppm for member in community.members}
    names = [circle.name for circle in rules.circles]
    for circle in rules.circles:
        place = f"sharing.circles {circle.name!r}"
        if names.count(circle.name) > 1:
            raise ConfigError(f"{place}: is there twice; names are unique")
        if strangers := [member for member in circle.members if member not in own]:
            raise ConfigError(f"{place}: {strangers[0]!r} is no member of the community; correct it")
        if absent := [m for m in (*circle.parts_ppm, *circle.shares_ppm) if m not in circle.members]:
            raise ConfigError(f"{place}: {absent[0]!r} has a part or share, but is not in its members; add it there")
        shares = [circle.shares_ppm.get(m, 0) if circle.shares_ppm else own[m] for m in circle.members]
        if set(circle.keys) & set(BY_SHARES) and not 0 < sum(shares) <= PPM:
            raise ConfigError(
                f"{place}: the shares of its members make {sum(shares)} ppm; give more than 0, at most 100 %"
            )


def _check_parts(rules: SharingRules) -> None:
    """The parts of a meter in several circles make at most the whole."""
    parts: dict[str, int] = {}
    for circle in rules.circles:
        for member, part in circle.parts_ppm.items():
            parts[member] = parts.get(member, 0) + part
    for member, part in parts.items():
        if part > PPM:
            raise ConfigError(
                f"sharing.circles: the parts of {member} make {part} ppm, more than its whole meter; lower one"
            )


def _check_incentive(rules: SharingRules, community: Community) -> None:
    """An incentive has whole parts and the column that it follows."""
    incentive = rules.incentive
    if incentive is None:
        return
    if rules.price_micro_per_kwh or any(circle.price_micro_per_kwh for circle in rules.circles):
        raise ConfigError("sharing.price is paid between neighbours, and an incentive takes its place; set price = 0")
    if incentive.producers_ppm + incentive.users_ppm > PPM:
        raise ConfigError("sharing.incentive: producers and users get more than 100 % together; lower one")
    if (incentive.column is None) != (incentive.most_micro_per_kwh == 0):
        raise ConfigError(
            "sharing.incentive: column and most go together, what it follows and how far; give both or none"
        )
    if incentive.column is not None and community.data.environment is None:
        raise ConfigError("sharing.incentive.column stands in data.environment; name that file")


# -- series ----------------------------------------------------------------------------------------


def sharing_series(
    community: Community, measured: Measured, path: Path, first_of_environment: int
) -> SharingSeries | None:
    """What the files of a community that shares say in the slots of its readings, under each version of its rules.

    path: of the community file. first_of_environment: first slot of data.environment [Unix s]. Raises InputError.
    """
    if community.sharing_in_force is None:
        return None
    slots, length = len(measured.consumption_wh), community.clock.length
    starts = measured.first_slot + length * np.arange(slots, dtype=np.int64)
    owners, found = MeterOwners.of(community.final.members), dict[str, IntArray]()
    span = range(measured.first_slot, measured.first_slot + slots * length, length)
    for number, own in community.versions.spans(span):
        rules = community.versions.rules[number].shares
        rows = slice((own.start - measured.first_slot) // length, (own.stop - measured.first_slot) // length)
        if rules.coefficients is not None:
            zone = zone_of(community.versions.rules[number].tariff.time_zone)
            shares = read_coefficients(path.parent / rules.coefficients, owners, starts[rows], zone)
            found.setdefault("coefficients_ppm", np.zeros((slots, len(community.members)), np.int64))[rows] = shares
    rules = community.sharing_in_force
    if rules.report is not None:
        options = ReadOptions(profile=rules.report_profile, folder=path.parent, length=length)
        report = path.parent / rules.report
        found |= read_report(report, options, owners, starts, *_registers(measured))._asdict()
    if (incentive := rules.incentive) is not None:
        found["incentive"] = np.full(slots, incentive.price_micro_per_kwh, np.int64)
        if incentive.column is not None:
            prices = read_prices(path.parent / str(community.data.environment), [incentive.column])[incentive.column]
            before = (measured.first_slot - first_of_environment) // length
            lower = incentive.reference_micro_per_kwh - prices[before : before + slots]
            found["incentive"] += np.clip(lower, 0, incentive.most_micro_per_kwh)
    return SharingSeries(measured.first_slot, **found) if found else None


def _registers(measured: Measured) -> Iterator[IntArray]:
    """Import and export of the meters as they were recorded [Wh], each (slots, members)."""
    net = measured.consumption_wh - measured.generation_wh
    both = measured.both_ways_wh if measured.both_ways_wh.size else 0
    yield np.maximum(net, 0) + both
    yield np.maximum(-net, 0) + both
