"""The register of carbon credits in a state folder, for people: one step at a time, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from transactive.carbon.credits.register import BUFFER, RetirementReceipt
from transactive.carbon.credits.steps import AnyStep, Offset
from transactive.core.errors import StateError
from transactive.engine.books.rebuilt import community_of
from transactive.engine.credits.market import CreditMarket
from transactive.store import Store, holds_state
from transactive.store.folder import hold

Facts = dict[str, Any]


def credits_in(folder: Path) -> CreditMarket:
    """Register of the run in a folder. Raises StateError if there is none."""
    with closing(_store(folder)) as store:
        return CreditMarket.of(store.credit_steps())


def take_step(
    folder: Path, step_of: Callable[[CreditMarket], AnyStep]
) -> tuple[CreditMarket, RetirementReceipt | None]:
    """Let the register of a folder take a step, which may follow from what it holds; nobody else writes meanwhile.

    Raises CreditError where it is refused, StateError where the folder cannot be used; then nothing was written.
    """
    with closing(_store(folder)) as store, hold(folder):
        market = CreditMarket.of(store.credit_steps())
        step = step_of(market)
        receipt = market.do(step)
        store.add_credit_steps([step])
    return market, receipt


def _store(folder: Path) -> Store:
    """Database of a folder that holds a run."""
    if not holds_state(folder):
        raise StateError(f"{folder}: holds no run; give the --state folder of a run or a demo")
    store = Store(folder)
    community_of(store)
    return store


def facts_of(market: CreditMarket) -> Facts:
    """Everything in a register: projects, batches with their holders, what is for sale, receipts."""
    register = market.register
    return {
        "projects": {
            project.id: {
                "kind": project.kind,
                "methodology": project.methodology,
                "jurisdiction": project.jurisdiction,
                "auditor": project.auditor,
                "approved": project.id in register.approved,
            }
            for project in register.projects.values()
        },
        "batches": {
            batch.serial: {
                "project": batch.project,
                "vintage": batch.vintage,
                "issued_kg": batch.issued_kg,
                "buffer_kg": register.held_kg(batch.number, BUFFER),
                "retired_kg": register.retired_kg[batch.number],
                "reversed_kg": register.reversed_kg[batch.number],
                "held_kg": {
                    holder: kg
                    for (number, holder), kg in sorted(register.holdings.items())
                    if number == batch.number and holder != BUFFER
                },
            }
            for batch in register.batches
        },
        "listings": {
            str(number): {
                "serial": register.batches[offer.batch].serial,
                "seller": offer.seller,
                "left_kg": offer.kg,
                "price_micro_per_t": offer.price_micro_per_t,
            }
            for number, offer in ((number, market.offer(number)) for number in range(market.listings))
        },
        "receipts": {str(row["receipt"]): row for row in receipt_rows(market)},
    }


def receipt_rows(market: CreditMarket) -> list[Facts]:
    """Every receipt with its serial, oldest first; price where settlement bought what it retired."""
    rows = []
    for receipt, step in market.retirements():
        batch = market.register.batches[receipt.batch]
        project = market.register.projects[batch.project]
        offer = market.offer(step.listing) if isinstance(step, Offset) else None
        rows.append(
            {
                "receipt": receipt.number,
                "serial": batch.serial,
                "first_kg": receipt.first_kg,
                "end_kg": receipt.end_kg,
                "project": project.id,
                "kind": project.kind,
                "methodology": project.methodology,
                "vintage": batch.vintage,
                "holder": receipt.holder,
                "beneficiary": receipt.beneficiary,
                "reason": receipt.reason,
                "period": receipt.period,
                "slot": step.at or None,
                "price_micro_per_t": offer.price_micro_per_t if offer else None,
            }
        )
    return rows
