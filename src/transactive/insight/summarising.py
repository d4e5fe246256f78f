"""Sum up a run that is over: the fields of its `Summary` from its tally."""

from __future__ import annotations

from collections.abc import Sequence

from transactive.core.items import Item, ItemState
from transactive.core.units import PPM, WH_PER_KWH, IntArray
from transactive.insight.shares import ratio
from transactive.insight.summary import (
    Bills,
    CarbonSummary,
    CertificateSummary,
    ChainSummary,
    DetectionSummary,
    ForecastSummary,
    GridSummary,
    LevySummary,
    MemberBill,
    OffsetSummary,
    ScoreSummary,
    Summary,
)
from transactive.insight.tally import Tally


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
