# ruff: noqa: D417 - `where` is flattened: its fields have help of their own
"""`transactive predict …`: stakes on forecasts of a day. Commands import what they need when they run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from transactive.cli.predict.commands import predict
from transactive.cli.quantities import Energy, Price
from transactive.cli.report import report
from transactive.cli.signing_options import ChainOptions

__all__ = ["predict"]


@predict.command(name="open-pool")
def open_pool(
    *,
    slope: Price,
    scale: Energy,
    quantity: str = "imported",
    first: int = 0,
    last: int | None = None,
    least: str = "0.000001",
    where: ChainOptions,
) -> None:
    """Make a pool of stakes on forecasts beside the settlement of a deployment. Signed by the owner's key.

    Example: transactive predict open-pool --slope '0.06 EUR/kWh' --scale '20 kWh' --first 17 --last 19
    --node http://127.0.0.1:8545

    Parameters
    ----------
    slope
        What a deviation costs at least per kWh, such as the feed-in price: nobody can win more by moving its meter.
    scale
        Loss of a forecast that scores nothing, as in '20 kWh'. The largest stake is half of scale times slope.
    quantity
        imported, exported or produced, of all members together.
    first
        Number of the first slot of a settlement period that counts, from 0.
    last
        Number of the last one; without it the period's last.
    least
        Least stake, in the community's currency.
    """
    from transactive.cli.predict.stake_actions import run_open_pool

    report(run_open_pool(where, quantity, (first, last), (scale, slope), least), json=where.json)


@predict.command
def stake(
    day: str,
    forecast: Annotated[str, Parameter(allow_leading_hyphen=True)],
    *,
    account: str,
    amount: str,
    output: Annotated[Path, Parameter(alias="-o")],
    where: ChainOptions,
) -> None:
    """Stake on a sealed forecast before the gate; keep the file, `reveal` shows it. Signed by the member's key.

    Example: transactive predict stake 2027-01-05T00:00Z '3,3.5,4,4.4,4.8,5.2,5.8,6.6 kWh' --account ada --amount 0.1
    --output forecast.json --node http://127.0.0.1:8545

    Parameters
    ----------
    day
        Start of the settlement period, RFC 3339.
    forecast
        Eight quantiles that do not fall: the total is below them with 1/16, 3/16 … 15/16, in one unit.
    account
        Member that stakes.
    amount
        Money staked; what is missing in the pool is taken from the wallet.
    output
        New file for the forecast and its salt, which nobody else should see before the gate.
    """
    from transactive.cli.predict.stake_actions import run_stake

    report(run_stake(where, day, forecast, account, amount, output), json=where.json)


@predict.command
def reveal(file: Path, *, account: str, where: ChainOptions) -> None:
    """Show a sealed forecast after the gate; one that is not shown in time has the worst score.

    Example: transactive predict reveal forecast.json --account ada --node http://127.0.0.1:8545

    Parameters
    ----------
    file
        File that `predict stake` wrote.
    account
        Member that staked.
    """
    from transactive.cli.predict.stake_actions import run_reveal

    report(run_reveal(where, file, account), json=where.json)


@predict.command
def pay(day: str, *, by: Annotated[str, Parameter(name="--as")] = "operator", where: ChainOptions) -> None:
    """Write down what the meters said of a day; once it is written down, pay its stakes or give them back. Anybody may.

    Example: transactive predict pay 2027-01-05T00:00Z --node http://127.0.0.1:8545

    Parameters
    ----------
    day
        Start of the settlement period, RFC 3339.
    by
        Name of the key that sends.
    """
    from transactive.cli.predict.stake_actions import run_pay

    report(run_pay(where, day, by), json=where.json)


@predict.command
def stakes(day: str, *, where: ChainOptions) -> None:
    """Show who staked what on a day, the forecasts that were shown, and what was metered.

    Example: transactive predict stakes 2027-01-05T00:00Z --node http://127.0.0.1:8545

    Parameters
    ----------
    day
        Start of the settlement period, RFC 3339.
    """
    from transactive.cli.predict.stake_actions import run_stakes

    report(run_stakes(where, day), json=where.json)
