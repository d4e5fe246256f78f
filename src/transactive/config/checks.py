"""What the types of a community file cannot say: whether its parts are possible together."""

from __future__ import annotations

from transactive.config.changes import check_changes
from transactive.config.forecasters import check_forecasters
from transactive.config.membership import check_membership, check_meters
from transactive.config.sharing import check_sharing
from transactive.config.tariffs import check_tariff
from transactive.core.community.certificate_checks import check_certificates
from transactive.core.community.community import Community
from transactive.core.community.members import Member
from transactive.core.community.network import network_of
from transactive.core.community.rules import MarketRules
from transactive.core.community.sharing_rules import SHARING
from transactive.core.errors import ConfigError, DataError, InputError
from transactive.core.slots import SLOT_MINUTES, parse_time, time_text
from transactive.forecasting import registry as forecasters
from transactive.market import registry
from transactive.trading.agents import registry as agents
from transactive.trading.devices.shiftable import check_device

DAY_MINUTES = 1440
SESSIONS = (("intraday",), ("day_ahead", "intraday"))
"""Sessions that a community can have, in the order in which they close."""
AUTO = "auto"
"""In place of a forecaster: let the days before the run decide."""
LARGEST_DEVICE = 10**7
"""Largest power or capacity of a member's device [W or Wh]; beyond it products of a plan would leave 64 bits."""


def check(community: Community, name: str) -> None:
    """What the types cannot say, of the rules as they begin and as each change leaves them."""
    try:
        check_changes(community)
    except InputError as error:
        raise ConfigError(f"{name}: {error}") from None
    versions = community.versions
    for number, rules in enumerate(versions.rules):
        _check_rules(rules, name if not number else f"{name}: from {time_text(versions.starts[number])}")
    try:
        check_meters(community)
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from None


def _check_rules(community: Community, name: str) -> None:
    """Rules that hold at one time."""
    _check_market(community, name)
    _check_network(community, name)
    _check_forecast(community, name)
    check_forecasters(community, name)
    _check_agents(community, name)
    _check_devices(community, name)
    _check_sources(community, name)
    _check_members(community, name)
    _check_wishes(community, name)
    try:
        check_membership(community)
    except InputError as error:
        raise ConfigError(f"{name}: {error}") from None
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
        raise ConfigError(
            f"{name}: market.slots_per_period = {market.slots_per_period}; periods must divide a day, as each is paid"
            " on chain; bills are by local months, whatever it is: add [billing], then `transactive bill --month`"
        )
    _check_windows(community, name)
    try:
        check_sharing(community)
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from None
    if market.mechanism == SHARING:
        return
    try:
        mechanism = registry.load(market.mechanism)
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from None
    if isinstance(mechanism, registry.ByNode) and community.network is None:
        raise ConfigError(
            f"{name}: market.mechanism {market.mechanism!r} needs a network; add [network], or choose another mechanism"
        )
    _check_sessions(market, isinstance(mechanism, registry.ByNode), name)
    if community.direct is not None and not isinstance(mechanism, registry.ByDeal):
        raise ConfigError(f'{name}: [direct] needs market.mechanism = "direct"; say so, or take it out')


def _check_windows(community: Community, name: str) -> None:
    """A period of groups is paid before the next one is over: two windows, each begun at the end of a slot."""
    market, window = community.market, community.chain.challenge_window_minutes
    period = market.slot_minutes * market.slots_per_period
    if community.groups and 2 * (window + market.slot_minutes) > period:
        raise ConfigError(
            f"{name}: chain.challenge_window_minutes = {window}; {len(community.members)} members settle in groups, and"
            f" two windows and two slots have to fit into a period of {period} minutes; shorten it, or lengthen those"
        )


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
    try:
        check_tariff(community)
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from None
    key, value = "carbon.grid_g_per_kwh", community.carbon.grid_g_per_kwh
    if community.data.environment is None and value is None:
        raise ConfigError(f"{name}: {key} is missing; give it, or a series in data.environment")
    if community.data.environment is not None and value is not None:
        raise ConfigError(f"{name}: {key} and data.environment exclude each other; take one of them out")


def _check_members(community: Community, name: str) -> None:
    """Ids are unique and devices possible."""
    seen: set[str] = set()
    for member in community.members:
        if member.id in seen:
            raise ConfigError(f"{name}: members.id {member.id!r} is there twice; ids are unique")
        seen.add(member.id)
        if member.id in community.data.ignore:
            raise ConfigError(f"{name}: {member.id} is a member and in data.ignore; take it out of one of them")
        if bool(member.battery_wh) != bool(member.battery_w):
            raise ConfigError(f"{name}: {member.id}: battery_wh and battery_w go together; give both or neither")
        _check_battery(member, f"{name}: {member.id}:")
        for key in ("pv_w", "battery_wh", "battery_w"):
            if getattr(member, key) > LARGEST_DEVICE:
                raise ConfigError(f"{name}: {member.id}: {key} = {getattr(member, key)} is beyond any home; correct it")


def _check_battery(member: Member, place: str) -> None:
    """What an owner asks of a battery can be had, and there is a battery."""
    for key in ("battery_initial_wh", "battery_reserve_wh"):
        if getattr(member, key) > member.battery_wh:
            raise ConfigError(
                f"{place} {key} = {getattr(member, key)} is more than battery_wh = {member.battery_wh}; give less"
            )
    for key in ("battery_from_grid", "battery_to_grid"):
        if not getattr(member, key) and not member.battery_wh:
            raise ConfigError(f"{place} {key} = false, and there is no battery; give battery_wh, or leave it out")


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
