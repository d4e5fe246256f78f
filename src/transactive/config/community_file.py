"""From a community file to `core.Community` and its data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from transactive.carbon.credits.assets import check_avoided
from transactive.carbon.credits.file import load_credits
from transactive.carbon.credits.offsets import check_offsets
from transactive.carbon.credits.steps import AnyStep
from transactive.core.accounts import NAMED
from transactive.core.community.certificate_checks import check_certificates
from transactive.core.community.members import Community, MarketRules, Member
from transactive.core.community.network import network_of
from transactive.core.community.validation import explained
from transactive.core.errors import ConfigError, DataError, InputError
from transactive.core.slots import SLOT_MINUTES, parse_time, time_text
from transactive.core.tables import Environment, Measured
from transactive.core.tariff import Tariff
from transactive.core.units import PPM, IntArray
from transactive.environment.files import read_environment
from transactive.forecasting import registry as forecasters
from transactive.market import registry
from transactive.market.network.pandapower import read_pandapower
from transactive.metering.feeder import read_feeder
from transactive.metering.files import read_measured
from transactive.trading.agents import registry as agents
from transactive.trading.devices.shiftable import check_device

DATA = Path(__file__).parents[1] / "data"
DEMO = DATA / "demo" / "community.toml"
FEEDER = DATA / "feeder" / "community.toml"
EXAMPLE = DATA / "example" / "community.toml"
DAY_MINUTES = 1440
SESSIONS = (("intraday",), ("day_ahead", "intraday"))
"""Sessions that a community can have, in the order in which they close."""
AUTO = "auto"
"""In place of a forecaster: let the days before the run decide."""
LARGEST_DEVICE = 10**7
"""Largest power or capacity of a member's device [W or Wh]; beyond it products of a plan would leave 64 bits."""
MOST_MEMBERS = 2**12 - len(NAMED)
"""Leaves of the settlement contract's deepest tree, less those of the named accounts."""
PV_TOLERANCE = 1_200_000
"""What a PV may give beyond its rated power [ppm of it]: cold modules and rounded ratings."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A community with its measured data; both series cover the same slots. credits: on offer, as steps.

    feeder_wh: net energy that the transformer gave to all, without their batteries, in the slots of the readings [Wh].
    """

    community: Community
    measured: Measured
    environment: Environment
    credits: tuple[AnyStep, ...] = ()
    feeder_wh: IntArray | None = None

    @property
    def measured_end(self) -> int:
        """Time [Unix s] at which the readings end."""
        return self.measured.first_slot + len(self.measured.consumption_wh) * self.community.clock.length

    @property
    def end(self) -> int:
        """Time [Unix s] at which the environment series ends."""
        return self.environment.first_slot + len(self.environment.supply_price) * self.community.clock.length

    def tariff(self, slot: int) -> Tariff:
        """Tariff of a slot [Unix s]."""
        row = (slot - self.environment.first_slot) // self.community.clock.length
        rules = self.community.tariff
        return Tariff(
            int(self.environment.supply_price[row]), rules.feed_in_micro_per_kwh, rules.network_fee_micro_per_kwh
        )


def load(path: Path) -> Community:
    """Read and check a community file. Raises ConfigError naming the key and the nearest known one."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); give the path of a community file") from None
    try:
        community = msgspec.toml.decode(text, type=Community)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path.name}: {explained(str(error), Community)}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path.name}: is not TOML: {error}") from None
    community = _with_network(community, path)
    _check(community, path.name)
    return community


def _with_network(community: Community, path: Path) -> Community:
    """The community with the nodes and lines of the network file that it names, if it does."""
    rules = community.network
    if rules is None or rules.pandapower is None:
        return community
    key = f"{path.name}: network.pandapower {rules.pandapower}"
    if rules.nodes or rules.lines:
        raise ConfigError(f"{key}: stands beside nodes or lines; take one of them out")
    try:
        text = (path.parent / rules.pandapower).read_bytes()
        found = read_pandapower(text, community.market.slot_minutes)
    except OSError as error:
        raise ConfigError(f"{key}: cannot be read ({error.strerror}); correct the path") from None
    except DataError as error:
        raise ConfigError(f"{key}: {error}") from None
    return msgspec.structs.replace(community, network=found)


def load_setting(path: Path) -> Setting:
    """Read a community file and the data that it names, and check that they fit each other."""
    community = load(path)
    length, sources = community.clock.length, community.data
    most = [pv_wh * PV_TOLERANCE // PPM for pv_wh in community.devices.pv_wh.tolist()]
    measured = read_measured(path.parent / sources.readings, community.ids, length, most, sources.ignore)
    if sources.environment is None:
        environment = _constant(community, measured)
    else:
        follows = community.carbon.levy.mode == "oracle"
        factors = {source.name: source.g_per_kwh for source in community.carbon.grid_sources}
        file = path.parent / sources.environment
        environment = read_environment(file, length, carbon_price=follows, sources=factors)
    setting = _aligned(Setting(community, measured, environment), path)
    _check_prices(setting, path.name)
    return replace(setting, credits=_credits(setting, path), feeder_wh=_feeder(setting, path))


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
        return load_credits(path.parent, community.carbon.offsets.file)
    except DataError as error:
        raise ConfigError(f"{path.name}: {error}") from None


def _constant(community: Community, measured: Measured) -> Environment:
    """Environment of a community with one supply price and one carbon intensity."""
    slots = len(measured.consumption_wh)
    values = (community.tariff.supply_micro_per_kwh, community.carbon.grid_g_per_kwh, 0)
    prices, grid_g, carbon = (np.full(slots, value, np.int64) for value in values)
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
        Measured(first, measured.consumption_wh[start:], measured.generation_wh[start:]),
        environment.since(first, ahead),
    )


def _check_prices(setting: Setting, name: str) -> None:
    """Each different supply price must leave room for a market above the feed-in price."""
    prices, rows = np.unique(setting.environment.supply_price, return_index=True)
    rules = setting.community
    for price, row in zip(prices.tolist(), rows.tolist(), strict=True):
        slot = setting.environment.first_slot + row * rules.clock.length
        least = rules.tariff.feed_in_micro_per_kwh + rules.tariff.network_fee_micro_per_kwh
        if price < least + rules.market.tick_micro_per_kwh:
            raise ConfigError(
                f"{name}: supply price {price} µ¤/kWh at {time_text(slot)} leaves no tick between feed-in and supply"
                f" − fee; it must be {least + rules.market.tick_micro_per_kwh} or more, or lower feed-in or fee"
            )


def _check(community: Community, name: str) -> None:
    """What the types cannot say."""
    _check_market(community, name)
    _check_network(community, name)
    _check_forecast(community, name)
    _check_agents(community, name)
    _check_devices(community, name)
    _check_sources(community, name)
    _check_members(community, name)
    _check_wishes(community, name)
    try:
        check_certificates(community)
    except DataError as error:
        raise ConfigError(f"{name}: {error}") from None
    if community.run.first_slot is not None:
        try:
            parse_time(community.run.first_slot)
        except InputError as error:
            raise ConfigError(f"{name}: run.first_slot: {error}") from None
    if community.accounts.top_up_to_n < community.accounts.top_up_below_n:
        raise ConfigError(f"{name}: accounts.top_up_to_n is below accounts.top_up_below_n; raise it")


def _check_market(community: Community, name: str) -> None:
    """Slots, sessions and mechanism are possible together."""
    market = community.market
    if market.slot_minutes not in SLOT_MINUTES:
        allowed = ", ".join(map(str, SLOT_MINUTES))
        raise ConfigError(f"{name}: market.slot_minutes = {market.slot_minutes}; choose one of {allowed}")
    if DAY_MINUTES % (market.slot_minutes * market.slots_per_period):
        raise ConfigError(f"{name}: market.slots_per_period = {market.slots_per_period}; periods must divide a day")
    try:
        mechanism = registry.load(market.mechanism)
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from None
    if isinstance(mechanism, registry.ByNode) and community.network is None:
        raise ConfigError(
            f"{name}: market.mechanism {market.mechanism!r} needs a network; add [network], or choose another mechanism"
        )
    _check_sessions(market, isinstance(mechanism, registry.ByNode), name)


def _check_sessions(market: MarketRules, by_node: bool, name: str) -> None:
    """Sessions are known, in their order and before the gate; lines are not filled twice."""
    if market.sessions not in SESSIONS:
        raise ConfigError(
            f'{name}: market.sessions = {list(market.sessions)}; choose ["intraday"] or both, day_ahead first'
        )
    if "day_ahead" not in market.sessions:
        return
    if not market.gate_closure_minutes <= market.day_ahead_gate_minutes <= DAY_MINUTES:
        raise ConfigError(
            f"{name}: market.day_ahead_gate_minutes = {market.day_ahead_gate_minutes}; give a number from"
            f" market.gate_closure_minutes = {market.gate_closure_minutes} to {DAY_MINUTES}"
        )
    if by_node:
        raise ConfigError(
            f"{name}: market.sessions = {list(market.sessions)} and market.mechanism {market.mechanism!r} would fill"
            " each line twice; choose one of them"
        )


def _check_network(community: Community, name: str) -> None:
    """The network is one, and all members are on it."""
    rules = community.network
    for member in community.members:
        if rules is None and member.node is not None:
            raise ConfigError(f"{name}: {member.id}: node = {member.node!r}, but there is no [network]; add it")
        if rules is not None and member.node is None:
            raise ConfigError(f"{name}: {member.id}: node is missing; name the node of network.nodes it is on")
        if rules is not None and member.node not in rules.nodes:
            raise ConfigError(f"{name}: {member.id}: node = {member.node!r} is not one of network.nodes; correct it")
    if rules is None and community.grid.manage:
        raise ConfigError(f"{name}: grid.manage needs lines; add [network], or take grid.manage out")
    if rules is not None:
        try:
            network_of(rules)
        except DataError as error:
            raise ConfigError(f"{name}: network.{error}") from None


def _check_forecast(community: Community, name: str) -> None:
    """Forecasters are installed."""
    for name_of in community.forecast.challengers:
        if name_of not in forecasters.names():
            raise ConfigError(
                f"{name}: forecast.challengers: {name_of!r} is not installed; known: {', '.join(forecasters.names())}"
            )
    known = (AUTO, *forecasters.names())
    if community.forecast.model not in known:
        raise ConfigError(
            f"{name}: forecast.model = {community.forecast.model!r} is not installed; known: {', '.join(known)}"
        )


def _check_agents(community: Community, name: str) -> None:
    """Agents are installed, and pauses end after they begin."""
    for key, agent in (
        ("trading.agent", community.trading.agent),
        *((f"{member.id}: agent", member.agent) for member in community.members if member.agent),
    ):
        if agent not in agents.names():
            known = ", ".join(agents.names())
            raise ConfigError(f"{name}: {key} = {agent!r} is not installed; known: {known}")
    for member in community.members:
        start, end = _time(member, "pause_from", name), _time(member, "pause_to", name)
        if start is not None and end is not None and end <= start:
            raise ConfigError(f"{name}: {member.id}: pause_to is not after pause_from; correct one of them")


def _check_devices(community: Community, name: str) -> None:
    """Loads that can wait have the time and the power that they need."""
    for member in community.members:
        for number, device in enumerate(member.devices):
            try:
                check_device(device, community.market.slot_minutes)
            except InputError as error:
                raise ConfigError(f"{name}: {member.id}: devices[{number}]: {error}") from None


def _time(member: Member, key: str, name: str) -> int | None:
    """Time of a member's key [Unix s], or None."""
    text = getattr(member, key)
    try:
        return None if text is None else parse_time(text)
    except InputError as error:
        raise ConfigError(f"{name}: {member.id}: {key}: {error}") from None


def _check_sources(community: Community, name: str) -> None:
    """Prices and carbon come from one place: from numbers, or from a file of both."""
    if community.carbon.levy.mode == "oracle" and community.data.environment is None:
        raise ConfigError(
            f"{name}: carbon.levy.mode oracle follows carbon_price_micro_per_t of data.environment; name that file, or"
            " choose another mode"
        )
    sources = [source.name for source in community.carbon.grid_sources]
    if sources and community.data.environment is None:
        raise ConfigError(f"{name}: carbon.grid_sources needs data.environment, where their Wh stand; name that file")
    if len(set(sources)) < len(sources):
        raise ConfigError(f"{name}: carbon.grid_sources names a source twice; each has one factor")
    numbers = {
        "tariff.supply_micro_per_kwh": community.tariff.supply_micro_per_kwh,
        "carbon.grid_g_per_kwh": community.carbon.grid_g_per_kwh,
    }
    for key, value in numbers.items():
        if community.data.environment is None and value is None:
            raise ConfigError(f"{name}: {key} is missing; give it, or a series in data.environment")
        if community.data.environment is not None and value is not None:
            raise ConfigError(f"{name}: {key} and data.environment exclude each other; take one of them out")


def _check_members(community: Community, name: str) -> None:
    """Ids are unique and devices possible."""
    if len(community.members) > MOST_MEMBERS:
        raise ConfigError(
            f"{name}: {len(community.members)} members; the settlement contract has room for {MOST_MEMBERS}: split the"
            " community"
        )
    seen: set[str] = set()
    for member in community.members:
        if member.id in seen:
            raise ConfigError(f"{name}: members.id {member.id!r} is there twice; ids are unique")
        seen.add(member.id)
        if member.id in community.data.ignore:
            raise ConfigError(f"{name}: {member.id} is a member and in data.ignore; take it out of one of them")
        if bool(member.battery_wh) != bool(member.battery_w):
            raise ConfigError(f"{name}: {member.id}: battery_wh and battery_w go together; give both or neither")
        for key in ("pv_w", "battery_wh", "battery_w"):
            if getattr(member, key) > LARGEST_DEVICE:
                raise ConfigError(f"{name}: {member.id}: {key} = {getattr(member, key)} is beyond any home; correct it")


def _check_wishes(community: Community, name: str) -> None:
    """Wishes can be met: a partner is another member, and who wants local energy is somewhere."""
    for member in community.members:
        place = f"{name}: {member.id}:"
        if (member.prefer == "partner") != (member.partner is not None):
            raise ConfigError(f'{place} prefer = "partner" and partner go together; give both or neither')
        if member.partner is not None and (member.partner == member.id or member.partner not in community.ids):
            raise ConfigError(f"{place} partner = {member.partner!r} is no other member; correct it")
        if member.prefer == "local" and member.zone is None:
            raise ConfigError(f'{place} zone is missing; who prefers "local" energy needs one')
        if member.premium_micro_per_kwh and member.prefer is None:
            raise ConfigError(f"{place} premium_micro_per_kwh is for nothing; say in prefer what it is for")
