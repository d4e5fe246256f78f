"""What a community file says of market, direct trading, accounts, bills, data, forecasts, agents and detection."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from transactive.core.community.records import CommunityRecord, Identifier, Money, NotNegative, Positive
from transactive.core.units import PPM


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


LARGEST = 2**63 - 1
"""Largest number that 64 bits hold."""


class DirectRules(CommunityRecord, frozen=True, kw_only=True):
    """How members trade directly, with market.mechanism = "direct".

    rounds: of each slot. rest: where what they leave goes. sealed_below: with fewer members that trade a slot, all
    commit to their curves before any is shown. A run on recorded data plays all nodes on a network of its own: seed of
    its chance, datagrams lost, ticks that one takes at most, and rounds in which one half hears nothing of the other.
    """

    rounds: Annotated[int, Meta(ge=1, le=20)] = 3
    rest: Literal["auction", "supplier"] = "auction"
    sealed_below: Annotated[int, Meta(ge=0, le=LARGEST)] = 8
    seed: Annotated[int, Meta(ge=0, le=LARGEST)] = 0
    loss_ppm: Annotated[int, Meta(ge=0, le=PPM)] = 0
    most_delay_ticks: Annotated[int, Meta(ge=0, le=20)] = 0
    cut_rounds: Annotated[int, Meta(ge=0, le=20)] = 0


class AccountRules(CommunityRecord, frozen=True, kw_only=True):
    """Funds [n¤]: where an account starts, and when and to where the on-ramp fills it up at a period's start."""

    opening_n: Money
    top_up_below_n: Money
    top_up_to_n: Money


class BillingRules(CommunityRecord, frozen=True, kw_only=True):
    """How members are billed: by local months of tariff.time_zone. They decide no slot, so they may change in a run.

    Rates of VAT are those of the tariff. settlement: `bank`, or `chain` where the ledger's money was paid there, and a
    bill asks only for what it does not hold. due_days: after the day of issue. number_prefix: before the number of each
    paper. small_business, reverse_charge: why no VAT is charged, as the law of the place wants it said.
    """

    settlement: Literal["bank", "chain"] = "bank"
    due_days: NotNegative = 14
    number_prefix: Annotated[
        str, Meta(pattern=r"^[A-Za-z0-9/-]{0,12}$", description="12 letters, digits, '/' or '-' at most")
    ] = ""
    small_business: str = "Exempt from VAT: small business"
    reverse_charge: str = "Reverse charge: VAT is owed by the recipient"


class ChainRules(CommunityRecord, frozen=True, kw_only=True):
    """Where settlement is committed, how long a netting can be challenged before it pays, and who settles together."""

    challenge_window_minutes: Positive = 60
    members_per_group: Positive | None = None


class Sources(CommunityRecord, frozen=True, kw_only=True):
    """Files of measured data, relative to the community file; `ignore` names members that do not take part.

    feeder: what the transformer gave to all of them, less what it took, without their batteries. profile: how to read
    the readings, by name or file; zone, unit, register, stamp, reading, order, exchanged: what the readings do not say
    themselves. gaps: what is done about a reading that is missing; doubtful: about one that nobody would believe, until
    somebody answers in the file `answers`, for answer_days. close_days: how long a slot waits for the reading of
    a silent meter before it closes without.
    """

    readings: str
    profile: str | None = None
    zone: str | None = None
    unit: Literal["Wh", "kWh", "MWh", "W", "kW"] | None = None
    register: Literal["import", "export", "net", "consumption", "generation"] | None = None
    stamp: Literal["start", "end"] | None = None
    reading: Literal["energy", "power", "total"] | None = None
    order: Literal["ymd", "dmy", "mdy"] | None = None
    exchanged: bool = False
    gaps: Literal["refuse", "substitute", "late"] = "refuse"
    doubtful: Literal["hold", "bill"] = "hold"
    answers: str = "answers.csv"
    answer_days: Positive = 14
    close_days: Positive = 30
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


class ForecasterRules(CommunityRecord, frozen=True, kw_only=True):
    """Who submits forecasts of what all members use together.

    name: among the forecasters. account: member that is paid for them; one with a meter forecasts the total without it.
    Without an account they are heard and scored, and not paid. file: what was submitted, for a run on recorded data.
    """

    name: Identifier
    account: str | None = None
    file: str | None = None


class TradingRules(CommunityRecord, frozen=True, kw_only=True):
    """Which agent trades for the members that name none, by name; and what their batteries' plans know.

    plans: with neighbours a battery reckons with its share of what the community is expected to lack or to have to
    spare, offers at each price what it then does, and keeps to what was traded; alone it follows its own home. Where
    there is a network or keys share the energy, batteries plan alone.
    """

    agent: str = "curves"
    plans: Literal["neighbours", "alone"] = "neighbours"


class DetectionRules(CommunityRecord, frozen=True, kw_only=True):
    """Whether a run watches its meters and devices, and what it does about what it finds.

    hold: kinds of findings that, from hold_confidence_ppm on, hold back what a member earns from when an operator
    acknowledges them, with a reason, until they are closed. By themselves they hold nothing.
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


class KeepRules(CommunityRecord, frozen=True, kw_only=True):
    """How many days kinds of data are kept; None: as long as the run."""

    forecasts_days: Annotated[int, Meta(ge=60, le=36_500)] | None = None
    plans_days: Annotated[int, Meta(ge=2, le=36_500)] | None = None
    findings_days: Annotated[int, Meta(ge=28, le=36_500)] | None = None
    notes_days: Annotated[int, Meta(ge=28, le=36_500)] | None = None
    complaints_days: Annotated[int, Meta(ge=365, le=36_500)] | None = None


class PrivacyRules(CommunityRecord, frozen=True, kw_only=True):
    """What homes are asked for their consent, how long data are kept, and how soon complaints are answered."""

    ask: tuple[Literal["forecasts", "detection"], ...] = ()
    keep: KeepRules = KeepRules()
    answer_days: Annotated[int, Meta(ge=1, le=90)] = 30
