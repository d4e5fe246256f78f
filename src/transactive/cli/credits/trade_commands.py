"""`transactive credits sell`, `take-back`, `buy` and `retire`: what holders of credits do with them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

Flag = Annotated[bool, Parameter(negative="")]
By = Annotated[str, Parameter(name="--as")]


def sell(serial: str, kg: int, *, state: Path, price_per_t: str, by: By, json: Flag = False) -> None:
    """Put held credits up for sale at a fixed price; nothing else can be done with them until they are taken back.

    Parameters
    ----------
    serial
        Of the batch.
    kg
        Amount in whole kg of CO2e.
    state
        State folder of a run.
    price_per_t
        Price of a tonne in the community's currency, such as 75.36, up to six decimals.
    by
        Who holds them.
    json
        Print one JSON object on stdout.
    """
    from transactive.carbon.credits import steps as do
    from transactive.cli.credits.actions import run_step
    from transactive.cli.quantities import price_per_t as micro_per_t

    price = micro_per_t(price_per_t, "--price-per-t")
    run_step(
        state,
        lambda market: do.Sell(by=by, batch=market.register.number_of(serial), kg=kg, price_micro_per_t=price),
        {"serial": serial, "kg": kg, "price_micro_per_t": price},
        json=json,
        listed=True,
    )


def take_back(listing: int, *, state: Path, by: By, json: Flag = False) -> None:
    """Take what is left of a listing back, as its seller.

    Parameters
    ----------
    listing
        Number of the listing.
    state
        State folder of a run.
    by
        Its seller.
    json
        Print one JSON object on stdout.
    """
    from transactive.carbon.credits import steps as do
    from transactive.cli.credits.actions import run_step

    run_step(state, lambda _: do.TakeBack(by=by, listing=listing), {"taken_back": listing}, json=json)


def buy(listing: int, kg: int, *, state: Path, by: By, paid: str, json: Flag = False) -> None:
    """Buy from a listing by hand; how it was paid is written down, as no settlement moves that money.

    What a run buys for a member's `offset` policy is paid in its settlement.

    Parameters
    ----------
    listing
        Number of the listing.
    kg
        Amount in whole kg of CO2e.
    state
        State folder of a run.
    by
        The buyer.
    paid
        Reference of the payment.
    json
        Print one JSON object on stdout.
    """
    from transactive.carbon.credits import steps as do
    from transactive.cli.credits.actions import run_step

    facts = {"listing": listing, "kg": kg, "paid": paid}
    run_step(state, lambda _: do.Buy(by=by, listing=listing, kg=kg, paid=paid), {"bought": facts}, json=json)


def retire(
    serial: str,
    kg: int,
    *,
    state: Path,
    by: By,
    beneficiary: str,
    reason: str,
    period: str,
    json: Flag = False,
) -> None:
    """Retire credits for a beneficiary, for ever; prints the receipt.

    Parameters
    ----------
    serial
        Of the batch.
    kg
        Amount in whole kg of CO2e.
    state
        State folder of a run.
    by
        Who holds them.
    beneficiary
        Beneficiary.
    reason
        Reason.
    period
        Period that it is for.
    json
        Print one JSON object on stdout.
    """
    from transactive.carbon.credits import steps as do
    from transactive.cli.credits.actions import run_step

    run_step(
        state,
        lambda market: do.Retire(
            by=by,
            batch=market.register.number_of(serial),
            kg=kg,
            beneficiary=beneficiary,
            reason=reason,
            period=period,
        ),
        {},
        json=json,
    )
