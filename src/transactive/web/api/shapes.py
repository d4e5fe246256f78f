"""From rows of the database to answers of the API: names for indices, text for money and times."""

from __future__ import annotations

from typing import Any

import msgspec

from transactive.core.certificates import CertificateState
from transactive.core.postings import IN_KG, PostingKind
from transactive.insight.advice.insight import Insight
from transactive.store.read.runs import OutcomePart, Row, Run, RunProgress
from transactive.store.read.totals import RunTotals, checked_block
from transactive.texts.formatting import stamp
from transactive.web.api.records import (
    BlockView,
    Certificate,
    ClearingView,
    Insights,
    InsightView,
    MemberView,
    OrderView,
    Posting,
    RefusalView,
    SlotView,
    SummaryView,
)
from transactive.web.order_reasons import state_of

METERED = ("meters", "consumption_wh", "generation_wh", "charge_wh", "discharge_wh", "import_wh", "export_wh")
CLEARED = ("traded_wh", "floor", "cap", "tick", "supply_price", "feed_in", "fee", "grid_g_per_kwh")


def slot(row: Row, _: Run) -> SlotView:
    """A slot with its sums."""
    return SlotView(
        slot=stamp(row["slot"]),
        state="committed" if row["number"] is not None else "delivered" if row["meters"] is not None else "cleared",
        orders=row["orders"],
        refused=row["refusals"],
        price=_price(row),
        traded_wh=row["traded_wh"],
        **{name: row[name] for name in METERED},
    )


def clearing(row: Row, _: Run) -> ClearingView:
    """A clearing."""
    return ClearingView(slot=stamp(row["slot"]), price=_price(row), **{name: row[name] for name in CLEARED})


def order(row: Row, run: Run) -> OrderView:
    """An order with its outcome."""
    state: Any = state_of(row["allocated_wh"], row["energy_wh"])
    money: dict[str, Any] = {name: str(row[name]) for name in ("money_n", "lock_n")}
    return OrderView(state=state, allocated_wh=row["allocated_wh"], **money, **_asked(row, run))


def refusal(row: Row, run: Run) -> RefusalView:
    """A refused order."""
    return RefusalView(missing_n=str(row["missing_n"]), **_asked(row, run))


def member(index: int, totals: RunTotals, run: Run) -> MemberView:
    """A member's totals."""
    device, total = run.community.members[index], totals.members[index]
    return MemberView(
        id=device.id,
        pv_w=device.pv_w,
        battery_wh=device.battery_wh,
        charged_wh=total.charged_wh,
        bought_wh=total.bought_wh,
        sold_wh=total.sold_wh,
        import_wh=total.import_wh,
        export_wh=total.export_wh,
        generation_wh=total.generation_wh,
        consumption_wh=total.consumption_wh,
        without_market_n=str(total.without_n),
        with_market_n=str(total.with_n),
        saved_n=str(total.saved_n),
        advanced_n=str(total.advanced_n),
        refused=total.refused,
        location_mg=total.location_mg,
        market_mg=total.market_mg,
    )


def insights(row: Row, run: Run) -> Insights:
    """What a member was told; money becomes text."""
    told = msgspec.json.decode(row["insights"], type=list[Insight])
    findings = [
        InsightView(
            kind=one.kind,
            title=one.title,
            text=one.text,
            source=one.source,
            figures={name: str(value) if name.endswith("_n") else value for name, value in one.figures.items()},
        )
        for one in told
    ]
    return Insights(member=run.names[row["member"]], time=stamp(row["at"]), findings=findings)


def posting(row: Row, run: Run) -> Posting:
    """A posting with its parties by name."""
    quantity, price = row["energy_wh"], row["price"]
    credits_kg, price_per_t = (quantity, price) if row["kind"] in IN_KG else (0, 0)
    return Posting(
        slot=stamp(row["slot"]),
        row=row["row"],
        kind=PostingKind(row["kind"]).name.lower(),
        payer=run.names[row["payer"]],
        payee=run.names[row["payee"]],
        energy_wh=quantity - credits_kg,
        price=price - price_per_t,
        credits_kg=credits_kg,
        price_per_t=price_per_t,
        amount_n=str(row["amount_n"]),
    )


def certificate(row: Row, run: Run, only: int | None) -> Certificate:
    """A bundle; with `only`, other members stay unnamed."""
    maker, owner, members = row["device"] // 2, row["owner"], len(run.community.members)
    state: Any = CertificateState(row["state"]).name.lower()
    return Certificate(
        slot=stamp(row["slot"]),
        member=run.names[maker] if only in (None, maker) else None,
        device="battery" if row["device"] % 2 else "pv",
        first_wh=row["first_wh"],
        energy_wh=row["energy_wh"],
        owner=run.names[owner] if only in (None, owner) or owner >= members else None,
        state=state,
        market_mg=row["market_mg"],
    )


def block(row: Row, _: Run) -> BlockView:
    """A block."""
    return BlockView(
        slot=stamp(row["slot"]),
        number=row["number"],
        time=stamp(row["timestamp"]),
        hash=row["hash"],
        commit_gas=row["commit_gas"],
        netting_gas=row["netting_gas"],
        checked=bool(row["checked"]),
    )


def summary(run: Run, position: RunProgress, totals: RunTotals, outcome: OutcomePart | None) -> SummaryView:
    """The community's totals."""
    community, members = run.community, totals.members
    last = totals.last_block
    return SummaryView(
        community=community.name,
        currency=community.currency,
        mechanism=community.market.mechanism,
        members=len(members),
        slot_minutes=community.market.slot_minutes,
        first_slot=stamp(run.first_slot),
        slots=run.slots,
        delivered_slots=totals.slots,
        finished=position.over,
        orders=totals.orders,
        refused=totals.refused,
        traded_wh=totals.traded_wh,
        local_wh=totals.local_wh,
        grid_import_wh=totals.grid_import_wh,
        grid_export_wh=totals.grid_export_wh,
        consumption_wh=sum(m.consumption_wh for m in members),
        saved_n=str(totals.saved_n),
        members_worse_off=sum(m.saved_n < 0 for m in members),
        energy_residual_wh=totals.energy_residual_wh,
        money_residual_n=str(totals.money_residual_n),
        location_mg=sum(m.location_mg for m in members),
        market_mg=sum(m.market_mg for m in members),
        blocks=totals.blocks,
        gas=totals.gas + totals.netting_gas,
        last_block=last["number"] if last else None,
        ledger_equals_chain_at_block=checked_block(totals, outcome),
    )


def _price(row: Row) -> int | None:
    """Price of a slot, where it traded."""
    return row["price"] if row["traded_wh"] else None


def _asked(row: Row, run: Run) -> dict[str, Any]:
    """What order and refusal share."""
    return {
        "slot": stamp(row["slot"]),
        "row": row["row"],
        "member": run.names[row["member"]],
        "side": "buy" if row["is_buy"] else "sell",
        "price": row["price"],
        "energy_wh": row["energy_wh"],
    }
