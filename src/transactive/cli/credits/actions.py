"""What the commands of `transactive credits` do: a step in a state folder, a file of its register."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from transactive.carbon.credits.steps import AnyStep, check
from transactive.cli.report import report
from transactive.core.errors import InputError
from transactive.engine.credits.market import CreditMarket
from transactive.services.credits import credits_in, facts_of, receipt_rows, take_step
from transactive.tabular.spreadsheet import csv_text

RECEIPT = (
    *("receipt", "serial", "first_kg", "end_kg", "project", "kind", "methodology", "vintage"),
    *("holder", "beneficiary", "reason", "period", "slot", "price_micro_per_t"),
)
"""Columns of a receipt."""


def run_step(
    folder: Path,
    step_of: Callable[[CreditMarket], AnyStep],
    facts: dict[str, Any],
    *,
    json: bool,
    listed: bool = False,
) -> None:
    """Take a step and say what it did; listed: with the number of the new listing."""
    market, receipt = take_step(folder, lambda found: check(step_of(found)))
    if receipt:
        facts = facts | receipt_rows(market)[receipt.number]
    if listed:
        facts = {"listing": market.listings - 1} | facts
    report(facts, json=json)


def write_register(folder: Path, output: Path) -> None:
    """Write a register as JSON, or its receipts as CSV; whole or not at all."""
    if output.suffix not in (".json", ".csv"):
        raise InputError(f"--output {output}: ends neither in .json nor in .csv; say by it what to write")
    market = credits_in(folder)
    if output.suffix == ".json":
        data = msgspec.json.format(msgspec.json.encode(facts_of(market))) + b"\n"
    else:
        data = _csv(receipt_rows(market)).encode()
    partial = output.with_name(f".{output.name}.part")
    try:
        partial.write_bytes(data)
        partial.replace(output)
    except OSError as error:
        raise InputError(f"{output}: cannot be written ({error.strerror}); choose another place") from None


def _csv(rows: list[dict[str, Any]]) -> str:
    """Rows as CSV with a head, which stands there without a row, too."""
    return csv_text(RECEIPT, ([row[name] for name in RECEIPT] for row in rows))
