"""`transactive clear`: its options and help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def clear(
    orders: Path,
    *,
    mechanism: str = "uniform",
    output: Annotated[Path, Parameter(alias="-o")],
    trades: Annotated[Path | None, Parameter(alias="-t")] = None,
    svg: Path | None = None,
    network: Path | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Clear an order file: writes the allocation, the trades and a picture of the merit order.

    Parameters
    ----------
    orders
        CSV or Parquet with id, side (buy or sell), price_micro_per_kwh, energy_wh, member; any price, also negative.
        Order kinds, listings and preferences have columns of their own: see docs/concepts/mechanisms.md.
    mechanism
        How to clear: uniform, pay_as_bid, continuous, listings, preferences or locational.
    output
        CSV of what each order got: id, allocated_wh, price_micro_per_kwh, money_n.
    trades
        CSV of who traded with whom.
    svg
        Picture of the merit order.
    network
        For locational, with a column node: TOML with nodes (the grid's side first) and [[lines]] of from, to, limit_wh
        and, as known, limit_back_wh, loss_ppm or loss_at_limit_ppm, reactance; or JSON of pandapower.
    json
        Print the figures as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.clear.actions import run_clear

    run_clear(orders, mechanism=mechanism, allocation=output, trades=trades, svg=svg, json=json, network=network)
