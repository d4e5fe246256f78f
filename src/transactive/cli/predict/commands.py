# ruff: noqa: D417 - `where` is flattened: its fields have help of their own
"""`transactive predict …`: questions and shares. Commands import what they need when they run."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from transactive.cli.quantities import Price
from transactive.cli.report import report
from transactive.cli.signing_options import ChainOptions

predict = App(
    name="predict", help="Foresee together: shares in what the community will use or make; the meters decide."
)


@predict.command(name="open")
def open_market(*, slope: Price, where: ChainOptions) -> None:
    """Make a market for predictions beside the settlement of a deployment. Signed by the owner's key.

    Example: transactive predict open --slope '0.06 USD/kWh' --node http://127.0.0.1:8545

    Parameters
    ----------
    slope
        What a deviation costs at least per kWh, such as the feed-in price: nobody can win more by moving its meter.
    """
    from transactive.cli.predict.actions import run_open

    report(run_open(where, slope), json=where.json)


@predict.command
def create(
    *,
    account: str,
    begin: Annotated[str, Parameter(name="--from")],
    end: Annotated[str, Parameter(name="--to")],
    bounds: Annotated[list[str], Parameter(name="--bound", negative="")],
    blur: str,
    liquidity: str,
    quantity: str = "imported",
    closes: str | None = None,
    where: ChainOptions,
) -> None:
    """Ask how much it will be, and pay in advance what you lose at most. Signed by the key of --account.

    Example: transactive predict create --account ada --from 2027-01-05T17:00Z --to 2027-01-05T20:00Z
    --bound '40 kWh' --bound '60 kWh' --blur '2 kWh' --liquidity 5 --node http://127.0.0.1:8545

    Parameters
    ----------
    account
        Member or named party that asks.
    begin
        Start of the first slot, RFC 3339.
    end
        End of the last slot, RFC 3339; in the same settlement period.
    bounds
        Energy that divides two outcomes, as in '40 kWh'; may be given several times, rising, at most seven.
    blur
        Energy below and above each bound within which both outcomes count, as in '2 kWh': no Wh makes a jump.
    liquidity
        Money by which trades move the price: the larger, the less, and the more you can lose.
    quantity
        imported, exported or produced, of all members together.
    closes
        End of trading, RFC 3339; without it the start of the first slot.
    """
    from transactive.cli.predict.actions import NewQuestion, run_create

    asked = NewQuestion(quantity, begin, end, bounds, blur, liquidity, closes)
    report(run_create(where, account, asked), json=where.json)


@predict.command
def buy(question: int, outcome: int, *, pays: str, account: str, most: str | None = None, where: ChainOptions) -> None:
    """Buy shares of an outcome. Signed by the member's key.

    Example: transactive predict buy 0 1 --pays 3 --account ben --node http://127.0.0.1:8545

    Parameters
    ----------
    question
        Number of the question, as `predict show` lists it.
    outcome
        Number of the outcome, from 0 on.
    pays
        Money that the shares pay if it happens.
    account
        Member that buys.
    most
        Most that they may cost; without it the price as it is read now.
    """
    from transactive.cli.predict.actions import run_buy

    report(run_buy(where, question, outcome, pays, account, most), json=where.json)


@predict.command
def sell(question: int, outcome: int, *, pays: str, account: str, least: str = "0", where: ChainOptions) -> None:
    """Give shares of an outcome back, until trading ends. Signed by the member's key.

    Example: transactive predict sell 0 1 --pays 1 --account ben --node http://127.0.0.1:8545

    Parameters
    ----------
    question
        Number of the question.
    outcome
        Number of the outcome, from 0 on.
    pays
        Money that the shares would pay if it happens.
    account
        Member that sells.
    least
        Least that they may bring.
    """
    from transactive.cli.predict.actions import run_sell

    report(run_sell(where, question, outcome, pays, account, least), json=where.json)


@predict.command
def resolve(question: int, *, by: Annotated[str, Parameter(name="--as")] = "operator", where: ChainOptions) -> None:
    """Write down what the meters said, once the period is final; or call off what has no outcome by its deadline.

    Anybody may: no one reports, the committed totals decide.
    Example: transactive predict resolve 0 --node http://127.0.0.1:8545

    Parameters
    ----------
    question
        Number of the question.
    by
        Name of the key that sends.
    """
    from transactive.cli.predict.actions import run_resolve

    report(run_resolve(where, question, by), json=where.json)


@predict.command
def redeem(question: int, *, account: str, where: ChainOptions) -> None:
    """Take what your shares are worth; who asked also gets what no share can claim. Signed by the member's key.

    Example: transactive predict redeem 0 --account ben --node http://127.0.0.1:8545

    Parameters
    ----------
    question
        Number of the question.
    account
        Member whose shares they are.
    """
    from transactive.cli.predict.actions import run_redeem

    report(run_redeem(where, question, account), json=where.json)


@predict.command
def show(question: int | None = None, *, where: ChainOptions) -> None:
    """Show all questions with their odds in words; or one, with every trade and the prices after it.

    Example: transactive predict show --node http://127.0.0.1:8545

    Parameters
    ----------
    question
        Number of a question; without it all.
    """
    from transactive.cli.predict.actions import run_show

    report(run_show(where, question), json=where.json)
