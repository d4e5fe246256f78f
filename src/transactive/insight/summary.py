"""The summary of a run: what everybody paid, where the energy came from, whether the books balance."""

from __future__ import annotations

import msgspec


class ChainSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What the run left on chain; gas per netting is proposal and payment, divided by the members."""

    url: str
    height: int
    slot_commits: int
    nettings: int
    gas_per_slot_commit: int
    gas_per_member_netting: int


class Bills(msgspec.Struct, frozen=True, kw_only=True):
    """All members together [n¤, as text], after the credit for energy left in the batteries."""

    without_market_n: str
    with_market_n: str


class LevySummary(msgspec.Struct, frozen=True, kw_only=True):
    """The carbon levy of all members [n¤, as text]: what was due, came back or bought offsets, and what is held."""

    mode: str
    levied_n: str
    returned_n: str
    offsets_n: str
    treasury_n: str


class ScoreSummary(msgspec.Struct, frozen=True, kw_only=True):
    """24/7 scores of all members together [ppm], rounded down; docs/concepts/carbon.md defines them.

    with_grid_ppm: None where the grid's carbon-free part is not known in every slot.
    """

    hourly_ppm: int
    annual_ppm: int
    with_grid_ppm: int | None


class CertificateSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Certificates traded apart from energy: Wh, and what their buyers paid [n¤, as text]."""

    traded_wh: int
    paid_n: str


class OffsetSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Carbon credits retired by policies of members and by a levy for offsets [kg], and what they cost [n¤, as text].

    uncovered_mg: what the policies wanted covered and no offer or no money served. avoided_kg: credits issued for what
    members' assets avoided.
    """

    members_kg: int
    members_paid_n: str
    levy_kg: int
    levy_paid_n: str
    uncovered_mg: int
    avoided_kg: int


class CarbonSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Footprints of all members [mg CO2e]; unmatched is grid energy without a certificate, which a levy is due on.

    residual_mg_per_kwh: the residual mix over the whole run, rounded down.
    """

    location_mg: int
    market_mg: int
    unmatched_mg: int
    residual_mg_per_kwh: int
    scores: ScoreSummary
    levy: LevySummary
    certificates: CertificateSummary
    offsets: OffsetSummary


class GridSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The network: slots and line-slots beyond a limit, and slots that would have been without the limits.

    called_wh: relief by batteries planned at prices of lines; moved_wh: by batteries moved beyond their plan;
    curtailed_wh: PV held back. The network paid flexibility_n and curtailment_n for them [n¤, as text].
    """

    managed: bool
    slots_over: int
    lines_over: int
    would_be_over: int
    called_wh: int
    moved_wh: int
    curtailed_wh: int
    flexibility_n: str
    curtailment_n: str


class MemberBill(msgspec.Struct, frozen=True, kw_only=True):
    """One member: bills [n¤] with the credit for what its battery holds as a line of its own, energy [Wh].

    certificates_n: received − paid for certificates apart from energy, a part of its bill with market.
    offset_n: what it paid less what it received for carbon credits, in no bill; offset_kg: what it had retired.
    """

    id: str
    without_market_n: int
    without_market_credit_n: int
    with_market_n: int
    with_market_credit_n: int
    dividend_n: int
    levy_n: int
    levy_returned_n: int
    offset_n: int
    offset_kg: int
    bought_wh: int
    sold_wh: int
    location_mg: int
    market_mg: int
    certificates_n: int

    @property
    def saved_n(self) -> int:
        """Bill without − bill with market, credits included [n¤]."""
        without = self.without_market_n - self.without_market_credit_n
        return without - (self.with_market_n - self.with_market_credit_n)


class TargetSummary(msgspec.Struct, frozen=True):
    """Who forecasts a target at the end, and how much of what came lay in the 90 % interval [ppm], if a day is over."""

    by: str
    covered_ppm: int | None


class ForecastSummary(msgspec.Struct, frozen=True):
    """What became of the forecasts: models trained and promoted, drifts found, and each target."""

    trained: int
    promoted: int
    drifts: int
    targets: dict[str, TargetSummary]


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """One object for scripts; `--json` prints exactly these fields.

    local_share: energy that came from a neighbour ÷ energy that members took from the street. self_sufficiency: 1 −
    energy from the grid ÷ consumption. Both in [0, 1], to six decimals. gain_share: what members saved ÷ what one plan
    for all that knew everything would have saved them; None where that is not known.
    """

    slots: int
    members: int
    mechanism: str
    orders: int
    traded_wh: int
    energy_residual_wh: int
    money_residual_n: str
    ledger_equals_chain: bool
    state_hash: str
    members_worse_off: int
    chain: ChainSummary | None
    bills: Bills
    local_share: float
    self_sufficiency: float
    carbon: CarbonSummary
    grid: GridSummary | None
    detection: DetectionSummary
    forecasts: ForecastSummary | None
    seconds: float
    gain_share: float | None = None


class DetectionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Items by how far they have come, and what is held back of members because of them [n¤, as text]."""

    open: int
    acknowledged: int
    closed: int
    held_n: str
