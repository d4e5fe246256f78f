"""The community: members, devices, tariff, rules. Pure data; `config` reads it from a TOML file."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta

from transactive.core.accounts import Accounts
from transactive.core.community.certificate_rules import (
    SOLAR,
    CertificatePolicy,
    CertificateRules,
    CertificateWishes,
    Generator,
)
from transactive.core.community.network import NetworkRules
from transactive.core.community.shiftable import Shiftable
from transactive.core.slots import Clock
from transactive.core.units import PPM, IntArray, Whole

Positive = Annotated[int, Meta(gt=0)]
NotNegative = Annotated[int, Meta(ge=0)]
Money = Annotated[int, Meta(ge=0, le=10**18)]
"""n¤ of one account: below the 2**62 that a lane of the contract holds."""


NO_LIMIT_W = 10**9
"""Power of a connection that limits nothing [W]."""


class CommunityRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of the records of a community file."""


class OffsetPolicy(CommunityRecord, frozen=True, kw_only=True):
    """What somebody has offset by itself at the end of each period, and by which credits.

    coverage_ppm: part of the residual carbon. most_micro_per_t: highest price [µ¤/t], the same number as n¤/kg. Without
    kinds or methodologies all will do; vintage_from: oldest year.
    """

    coverage_ppm: Annotated[int, Meta(ge=0, le=PPM)] = PPM
    most_micro_per_t: Annotated[int, Meta(ge=0, le=10**13)]
    kinds: tuple[Literal["removal", "avoidance"], ...] = ()
    vintage_from: int = 0
    methodologies: tuple[str, ...] = ()


class Member(CommunityRecord, frozen=True, kw_only=True):
    """One home: its meter and its devices.

    devices: its loads that can wait. connection_w: most that it may take from the grid; no device goes beyond. agent:
    who trades for it, if not the community's. never_pay_above, sell_only_above: limits of every order [µ¤/kWh],
    the network fee apart. pause_from, pause_to: no order for slots in between (RFC 3339); without a start from the
    beginning, without an end for good. node: where it is on the community's network. carbon_price_per_t: what a tonne
    less is worth to it, in whole ¤: the same number as n¤/mg. prefer, partner, premium_micro_per_kwh: whose energy it
    wants first, and the most that it pays for it above the price; zone: what is local to it. The mechanism
    `preferences` hears these. offset: what of its residual carbon is offset by itself; credits: whether its PV earns
    avoided-emission credits, and no certificates. generator: what its certificates say of their device.
    battery_allocation: which stored energy leaves first, fixed for the battery's life. certificates: what it does with
    them.
    """

    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
    pv_w: NotNegative = 0
    battery_wh: NotNegative = 0
    battery_w: NotNegative = 0
    battery_efficiency_ppm: Annotated[int, Meta(gt=0, le=PPM)] = 900_000
    carbon_price_per_t: Annotated[int, Meta(ge=0, le=10_000)] = 0
    devices: tuple[Shiftable, ...] = ()
    connection_w: Positive | None = None
    agent: str | None = None
    never_pay_above_micro_per_kwh: int | None = None
    sell_only_above_micro_per_kwh: int | None = None
    pause_from: str | None = None
    pause_to: str | None = None
    node: str | None = None
    zone: str | None = None
    prefer: Literal["green", "local", "partner"] | None = None
    partner: str | None = None
    premium_micro_per_kwh: NotNegative = 0
    offset: OffsetPolicy | None = None
    credits: Literal["avoided"] | None = None
    generator: Generator = Generator()
    battery_allocation: Literal["fifo"] = "fifo"
    certificates: CertificateWishes = CertificateWishes()


class MarketRules(CommunityRecord, frozen=True, kw_only=True):
    """How a slot clears: `intraday` at its gate, and before that, if asked for, `day_ahead` with its whole period."""

    mechanism: str = "uniform"
    slot_minutes: int = 60
    gate_closure_minutes: NotNegative = 60
    slots_per_period: Positive = 24
    sessions: tuple[Literal["day_ahead", "intraday"], ...] = ("intraday",)
    day_ahead_gate_minutes: NotNegative = 720
    tick_micro_per_kwh: Positive = 100

    @property
    def day_ahead_lead(self) -> int | None:
        """Slots between the gate of the day-ahead session and the period, rounded up; None without such a session."""
        return -(-self.day_ahead_gate_minutes // self.slot_minutes) if "day_ahead" in self.sessions else None


class TariffRules(CommunityRecord, frozen=True, kw_only=True):
    """The supplier's and the network's prices [µ¤/kWh]; the supply price is one number or a series in data."""

    supply_micro_per_kwh: int | None = None
    feed_in_micro_per_kwh: int
    network_fee_micro_per_kwh: NotNegative


class AccountRules(CommunityRecord, frozen=True, kw_only=True):
    """Funds [n¤]: where an account starts, and when and to where the on-ramp fills it up at a period's start."""

    opening_n: Money
    top_up_below_n: Money
    top_up_to_n: Money


class LevyRules(CommunityRecord, frozen=True, kw_only=True):
    """The levy on unmatched grid energy: how its rate is found, and what becomes of it.

    price_micro_per_t is what carbon shall cost [µ¤/t] (default: 75.36, the CBAM certificate of the first quarter of
    2026, European Commission), paid_micro_per_t what the import price already holds. `oracle` follows
    carbon_price_micro_per_t of data.environment from there, by at most step_ppm_per_period.
    """

    mode: Literal["off", "shadow", "floor", "fixed", "oracle"] = "off"
    price_micro_per_t: Annotated[int, Meta(ge=0, le=10**10)] = 75_360_000
    paid_micro_per_t: NotNegative = 0
    step_ppm_per_period: Annotated[int, Meta(gt=0, le=PPM)] = 100_000
    use: Literal["dividend", "storage", "offsets", "feebate"] = "dividend"


class OffsetRules(CommunityRecord, frozen=True, kw_only=True):
    """Credits on offer, in a file relative to the community file; and what a levy for offsets buys for everybody."""

    file: str | None = None
    community: OffsetPolicy | None = None


class GridSource(CommunityRecord, frozen=True, kw_only=True):
    """A source of the grid's energy, whose Wh of each slot stand in data.environment as grid_NAME_wh.

    What of it is claimed by somebody may stand beside it as grid_NAME_claimed_wh.
    """

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9]{0,31}$")]
    g_per_kwh: Annotated[int, Meta(ge=0, le=10_000)]
    carbon_free: bool = False


class AvoidedRules(CommunityRecord, frozen=True, kw_only=True):
    """How the PV of members with credits = "avoided" earns carbon credits, in place of certificates.

    marginal_g_per_kwh: the baseline, what a kWh of the grid more or less emits; without it grid_marginal_g_per_kwh of
    data.environment. uncertainty_ppm: half the width of its interval, whose lower bound counts. baseline_ppm: part of
    the generation that there would be anyway; leakage_ppm: part of the gross that is emitted elsewhere for it. named:
    members whose PV is additional, however old. price_micro_per_t: at which what is issued is put up for sale.
    """

    auditor: Annotated[str, Meta(min_length=1, max_length=64)]
    marginal_g_per_kwh: Annotated[int, Meta(ge=0, le=10_000)] | None = None
    uncertainty_ppm: Annotated[int, Meta(ge=0, le=PPM)] = 200_000
    baseline_ppm: Annotated[int, Meta(ge=0, le=PPM)] = 0
    leakage_ppm: Annotated[int, Meta(ge=0, le=PPM)] = 0
    named: tuple[str, ...] = ()
    price_micro_per_t: Annotated[int, Meta(ge=0, le=10**13)] | None = None


class CarbonRules(CommunityRecord, frozen=True, kw_only=True):
    """Emission factors [g/kWh]; the grid's is one number or a series in data, and the residual mix equals it.

    With grid_sources both mixes follow from what each source gave and what of it was claimed.
    """

    grid_g_per_kwh: NotNegative | None = None
    grid_sources: tuple[GridSource, ...] = ()
    pv_g_per_kwh: NotNegative
    levy: LevyRules = LevyRules()
    offsets: OffsetRules = OffsetRules()
    avoided: AvoidedRules | None = None
    certificates: CertificateRules = CertificateRules()


class ChainRules(CommunityRecord, frozen=True, kw_only=True):
    """Where settlement is committed, and how long a netting can be challenged before it pays."""

    challenge_window_minutes: Positive = 60


class Sources(CommunityRecord, frozen=True, kw_only=True):
    """Files of measured data, relative to the community file; `ignore` names members that do not take part.

    feeder: what the transformer gave to all of them, less what it took, without their batteries.
    """

    readings: str
    environment: str | None = None
    feeder: str | None = None
    ignore: tuple[str, ...] = ()


class GridRules(CommunityRecord, frozen=True, kw_only=True):
    """How the network is operated; without `manage` its lines are only watched.

    risk_ppm: a line that the forecast takes beyond its limit more often than this is given a price, in steps up to
    most_call_micro_per_kwh, the most that the network pays for a Wh moved. compensation_micro_per_kwh: what it pays for
    a Wh of PV held back; without it what a Wh costs that was sold and is missing, supply − fee.
    """

    manage: bool = False
    risk_ppm: Annotated[int, Meta(ge=0, le=PPM)] = 50_000
    most_call_micro_per_kwh: Annotated[int, Meta(ge=0, le=10**9)] = 50_000
    compensation_micro_per_kwh: Annotated[int, Meta(ge=0, le=10**9)] | None = None


class RunRules(CommunityRecord, frozen=True, kw_only=True):
    """What `run` replays: from `first_slot` (RFC 3339) for `days`, or else to the end of the readings.

    What is before is history.
    """

    first_slot: str | None = None
    days: Positive | None = None


class ForecastRules(CommunityRecord, frozen=True, kw_only=True):
    """Who forecasts, by name.

    model: whose forecasts orders and plans are made of; with auto the one that costs its members least on the days
    before the run. maintain: models are trained each week, tested, promoted and watched; off trains `model` alone,
    untested. challengers: models that are trained for what members are told of the day to come.
    """

    model: str = "empirical"
    maintain: Literal["weekly", "off"] = "weekly"
    challengers: tuple[str, ...] = ("regression", "empirical-fading")


class TradingRules(CommunityRecord, frozen=True, kw_only=True):
    """Which agent trades for the members that name none, by name."""

    agent: str = "curves"


class DetectionRules(CommunityRecord, frozen=True, kw_only=True):
    """Whether a run watches its meters and devices, and what it does about what it finds.

    hold: kinds of findings that, from hold_confidence_ppm on, hold back what a member earns until an operator closes
    them.
    """

    watch: bool = True
    hold: tuple[
        Literal[
            "theft", "short delivery", "dead meter", "stuck meter", "clock shift", "PV fault", "battery fault",
            "unusual use",
        ],
        ...,
    ] = ()  # fmt: skip
    hold_confidence_ppm: Annotated[int, Meta(ge=0, le=PPM)] = 900_000


class Community(CommunityRecord, frozen=True, kw_only=True):
    """Everything that a run needs to know beside the data."""

    name: str
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$")]
    market: MarketRules
    tariff: TariffRules
    accounts: AccountRules
    carbon: CarbonRules
    chain: ChainRules = ChainRules()
    data: Sources
    run: RunRules = RunRules()
    forecast: ForecastRules = ForecastRules()
    detection: DetectionRules = DetectionRules()
    trading: TradingRules = TradingRules()
    network: NetworkRules | None = None
    grid: GridRules = GridRules()
    members: Annotated[tuple[Member, ...], Meta(min_length=1)]

    def to_json(self) -> str:
        """Canonical JSON: the same text for the same community."""
        return msgspec.json.encode(self, order="deterministic").decode()

    @property
    def clock(self) -> Clock:
        """Slot length, gate and period in seconds."""
        rules = self.market
        return Clock(rules.slot_minutes * 60, rules.gate_closure_minutes * 60, rules.slots_per_period)

    @property
    def chart(self) -> Accounts:
        """Accounts of members and named parties."""
        return Accounts(len(self.members))

    @property
    def ids(self) -> list[str]:
        """Member ids in order."""
        return [member.id for member in self.members]

    @property
    def most_import_wh(self) -> IntArray:
        """What each member's connection lets in in a slot [Wh], (members,); very much where nothing is said of it."""
        power = [member.connection_w or NO_LIMIT_W for member in self.members]
        return np.array(power, np.int64) * self.market.slot_minutes // 60

    @property
    def agents(self) -> list[str]:
        """Name of each member's agent."""
        return [member.agent or self.trading.agent for member in self.members]

    @property
    def carbon_price(self) -> IntArray | None:
        """What a mg less is worth to each member [n¤], (members,); None if nothing to all of them."""
        worth = np.array([member.carbon_price_per_t for member in self.members], np.int64)
        return worth if worth.any() else None

    def generator(self, member: Member) -> Generator:
        """Attributes of a member's producing device: its own, then the community's, solar without any."""
        own = member.generator.over(self.carbon.certificates.generator)
        named = msgspec.structs.replace(own, id=own.id or f"{member.id}-pv", source=own.source or SOLAR)
        if named.factor_g_per_kwh is not None:
            return named
        factor = self.carbon.pv_g_per_kwh
        return msgspec.structs.replace(named, factor_g_per_kwh=factor, factor_source="carbon.pv_g_per_kwh")

    @property
    def device_ids(self) -> list[str]:
        """Names of the devices that certificates come from: each member's generator, then its battery."""
        pairs = ((self.generator(member).id or "", f"{member.id}-battery") for member in self.members)
        return [device for pair in pairs for device in pair]

    @property
    def generation_g(self) -> IntArray:
        """What generation emits [g/kWh], (members,)."""
        return np.array([self.generator(member).factor_g_per_kwh for member in self.members], np.int64)

    @property
    def certificate_policy(self) -> CertificatePolicy:
        """What members do with certificates, as columns."""
        members = self.members
        return CertificatePolicy.of(
            [m.certificates for m in members], [m.zone for m in members], self.carbon.certificates
        )

    @property
    def devices(self) -> Devices:
        """Devices as columns."""
        return Devices.of(self.members, self.market.slot_minutes)


class Devices(msgspec.Struct, frozen=True):
    """Devices as columns, shape (members,), with limits per slot.

    pv_wh: most a PV can generate in a slot [Wh]. power_wh: most a battery can draw or give at the meter in a slot [Wh].
    capacity_wh: charged Wh that fit. efficiency_ppm: Wh delivered per million charged Wh.
    """

    pv_wh: IntArray
    capacity_wh: IntArray
    power_wh: IntArray
    efficiency_ppm: IntArray

    @classmethod
    def of(cls, members: tuple[Member, ...], slot_minutes: int) -> Devices:
        """Columns of a tuple of members; power [W] becomes energy per slot [Wh], rounded down."""
        return cls(
            np.array([m.pv_w * slot_minutes // 60 for m in members], np.int64),
            np.array([m.battery_wh for m in members], np.int64),
            np.array([m.battery_w * slot_minutes // 60 if m.battery_wh else 0 for m in members], np.int64),
            np.array([m.battery_efficiency_ppm for m in members], np.int64),
        )

    def rows(self, members: IntArray) -> Devices:
        """Devices of some members, by index."""
        columns = (self.pv_wh, self.capacity_wh, self.power_wh, self.efficiency_ppm)
        return Devices(*(column[members] for column in columns))

    def deliverable_wh(self, charged_wh: IntArray) -> IntArray:
        """Most Wh that so many charged Wh can deliver at the meter: rounded down."""
        deliverable: IntArray = deliverable_wh(charged_wh, self.efficiency_ppm)
        return deliverable

    def drawn_wh(self, delivered_wh: IntArray) -> IntArray:
        """Charged Wh that a delivery takes out of a battery: rounded up, so that losses are never forgotten."""
        drawn: IntArray = drawn_wh(delivered_wh, self.efficiency_ppm)
        return drawn


def deliverable_wh(charged_wh: Whole, efficiency_ppm: Whole) -> Whole:
    """Most Wh that so many charged Wh can deliver at the meter: rounded down."""
    return charged_wh * efficiency_ppm // PPM


def drawn_wh(delivered_wh: Whole, efficiency_ppm: Whole) -> Whole:
    """Charged Wh that a delivery takes out of a battery: rounded up, so that losses are never forgotten."""
    return -(-delivered_wh * PPM // efficiency_ppm)
