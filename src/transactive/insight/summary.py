"""The summary of a run: what everybody paid, where the energy came from, whether the books balance."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from transactive.core.items import Item, ItemState
from transactive.core.units import PPM, WH_PER_KWH, IntArray
from transactive.insight.shares import ratio
from transactive.insight.tally import Tally


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
    energy from the grid ÷ consumption. Both in [0, 1], to six decimals.
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


class DetectionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Items by how far they have come, and what is held back of members because of them [n¤, as text]."""

    open: int
    acknowledged: int
    closed: int
    held_n: str


def member_bills(
    tally: Tally, ids: list[str], with_charge_wh: IntArray, without_charge_wh: IntArray
) -> list[MemberBill]:
    """Bill of each member. *_charge_wh: what the batteries can still deliver [Wh], with and without market.

    The credit is that energy at the cheapest supply price of the run.
    """
    cheapest = tally.cheapest_supply
    columns = {
        "without_market_n": tally.without_market_n,
        "without_market_credit_n": without_charge_wh * cheapest,
        "with_market_n": tally.with_market_n,
        "with_market_credit_n": with_charge_wh * cheapest,
        "dividend_n": tally.dividend_n,
        "levy_n": tally.levy_n,
        "levy_returned_n": tally.levy_returned_n,
        "offset_n": tally.offset_n,
        "offset_kg": tally.offset_kg,
        "bought_wh": tally.bought_wh,
        "sold_wh": tally.sold_wh,
        "location_mg": tally.location_mg,
        "market_mg": tally.market_mg,
        "certificates_n": tally.certificates_n,
    }
    return [
        MemberBill(id=name, **{key: int(column[i]) for key, column in columns.items()}) for i, name in enumerate(ids)
    ]


def summarise(
    tally: Tally,
    bills: list[MemberBill],
    *,
    mechanism: str,
    levy: str,
    managed: bool | None,
    chain: ChainSummary | None,
    ledger_equals_chain: bool,
    state_hash: str,
    seconds: float,
    credited: tuple[int, int] = (0, 0),
    items: Sequence[Item] = (),
    forecasts: ForecastSummary | None = None,
) -> Summary:
    """Summary of a finished run. managed: whether its lines were kept within their limits, None without lines.

    credited: what policies for offsets left uncovered [mg], and credits issued for what assets avoided [kg].
    """
    without = sum(bill.without_market_n - bill.without_market_credit_n for bill in bills)
    return Summary(
        slots=tally.slots,
        members=len(bills),
        mechanism=mechanism,
        orders=tally.orders,
        traded_wh=tally.traded_wh,
        energy_residual_wh=tally.energy_residual_wh,
        money_residual_n=str(tally.money_residual_n),
        ledger_equals_chain=ledger_equals_chain,
        state_hash=state_hash,
        members_worse_off=sum(bill.saved_n < 0 for bill in bills),
        chain=chain,
        bills=Bills(without_market_n=str(without), with_market_n=str(without - sum(bill.saved_n for bill in bills))),
        local_share=ratio(tally.local_wh, tally.imported_wh),
        self_sufficiency=ratio(
            max(int(tally.consumption_wh.sum()) - tally.grid_import_wh, 0), int(tally.consumption_wh.sum())
        ),
        carbon=CarbonSummary(
            location_mg=int(tally.location_mg.sum()),
            market_mg=int(tally.market_mg.sum()),
            unmatched_mg=int(tally.unmatched_mg.sum()),
            residual_mg_per_kwh=tally.residual_mg * WH_PER_KWH // max(tally.residual_wh, 1),
            scores=scores_of(tally),
            levy=_levy(tally, levy),
            certificates=CertificateSummary(traded_wh=tally.certificates_wh, paid_n=str(tally.certificates_paid_n)),
            offsets=OffsetSummary(
                members_kg=int(tally.offset_kg.sum()),
                members_paid_n=str(tally.offset_paid_n),
                levy_kg=tally.treasury_offset_kg,
                levy_paid_n=str(tally.treasury_offset_n),
                uncovered_mg=credited[0],
                avoided_kg=credited[1],
            ),
        ),
        grid=None if managed is None else grid_summary(tally, managed=managed),
        detection=detection_summary(tally, items),
        forecasts=forecasts,
        seconds=round(seconds, 3),
    )


def detection_summary(tally: Tally, items: Sequence[Item]) -> DetectionSummary:
    """What detection found in a run."""
    states = [item.state for item in items]
    return DetectionSummary(
        open=states.count(ItemState.OPEN),
        acknowledged=states.count(ItemState.ACKNOWLEDGED),
        closed=states.count(ItemState.CLOSED),
        held_n=str(int(tally.held_n.sum())),
    )


def scores_of(tally: Tally) -> ScoreSummary:
    """Scores of all members together."""
    used, claimed = int(tally.consumption_wh.sum()), int(tally.claimed_wh.sum())
    contracted = min(claimed + int(tally.left_wh.sum()), used)
    free = claimed * PPM + int(tally.free_ppm_wh.sum())
    return ScoreSummary(
        hourly_ppm=claimed * PPM // max(used, 1),
        annual_ppm=contracted * PPM // max(used, 1),
        with_grid_ppm=None if tally.slots_without_free else free // max(used, 1),
    )


def grid_summary(tally: Tally, *, managed: bool) -> GridSummary:
    """What the lines of a run carried and what was done for them."""
    return GridSummary(
        managed=managed,
        slots_over=tally.slots_over,
        lines_over=tally.lines_over,
        would_be_over=tally.would_be_over,
        called_wh=tally.called_wh,
        moved_wh=tally.moved_wh,
        curtailed_wh=tally.curtailed_wh,
        flexibility_n=str(tally.flexibility_n),
        curtailment_n=str(tally.curtailment_n),
    )


def _levy(tally: Tally, mode: str) -> LevySummary:
    """Levy of all members; one that is only shown has no treasury."""
    levied, returned = int(tally.levy_n.sum()), int(tally.levy_returned_n.sum())
    spent = tally.treasury_offset_n
    treasury = 0 if mode == "shadow" else levied - returned - spent
    facts = {"levied_n": levied, "returned_n": returned, "offsets_n": spent, "treasury_n": treasury}
    return LevySummary(mode=mode, **{name: str(amount) for name, amount in facts.items()})
