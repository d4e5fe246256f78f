"""Forms with which a home acts, read as the API's requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from transactive.core.errors import InputError
from transactive.core.spelling.quantities import whole
from transactive.services.acts.asked import (
    AskAuthorise,
    AskCancel,
    Asked,
    AskLimits,
    AskOrder,
    AskPause,
    AskResume,
    AskStep,
    AskUndo,
)
from transactive.texts.formatting import CENTS

Field = Annotated[str, Meta(max_length=100)]


@dataclass
class ActForm:
    """Any of the forms. kind: of the API's request. key: one for each form that is shown, so that two clicks are one.

    Prices stand in the unit that the page writes them in, or with a unit of their own; empty ones are no limit.
    """

    kind: Field
    key: Annotated[str, Meta(min_length=1, max_length=100)]
    never_pay_above: Field = ""
    sell_only_above: Field = ""
    until: Field = ""
    number: Annotated[int, Meta(ge=0, le=2**53)] = 0
    slot: Field = ""
    side: Field = ""
    energy: Field = ""
    price: Field = ""


def asked_in(form: ActForm, currency: str) -> Asked:
    """What a form asks for. Raises InputError naming the field."""
    match form.kind:
        case "limits":
            return AskLimits(
                never_pay_above_micro_per_kwh=_price(form.never_pay_above, "Never pay above", currency),
                sell_only_above_micro_per_kwh=_price(form.sell_only_above, "Sell only above", currency),
            )
        case "authorise":
            return AskAuthorise(
                never_pay_above_micro_per_kwh=_price(form.never_pay_above, "Never pay above", currency),
                sell_only_above_micro_per_kwh=_price(form.sell_only_above, "Sell only above", currency),
            )
        case "pause":
            return AskPause(end=form.until or None)
        case "resume":
            return AskResume()
        case "order" if form.side in ("buy", "sell"):
            return _order(form, currency)
        case "cancel":
            return AskCancel(slot=form.slot)
        case "undo" if form.number > 0:
            return AskUndo(number=form.number)
    raise InputError(f"{form.kind}: is no act of this page; go back and choose one")


def _order(form: ActForm, currency: str) -> AskOrder:
    """An order of one step."""
    price = _price(form.price, "Limit", currency)
    energy = whole(f"{_pointed(form.energy)} kWh", "energy_wh", place="Energy")
    if price is None or not 0 < energy <= 10**9:
        raise InputError("an order takes its energy in kWh, above 0, and the price that limits it")
    steps = (AskStep(price_micro_per_kwh=price, energy_wh=energy),)
    return AskOrder(slot=form.slot, buys=steps) if form.side == "buy" else AskOrder(slot=form.slot, sells=steps)


def _pointed(text: str) -> str:
    """A number with a point for its decimals, as somebody typed it with a comma or a point."""
    text = text.strip()
    return text.replace(",", ".") if text.count(",") == 1 and "." not in text else text


def _price(text: str, field: str, currency: str) -> int | None:
    """A price as somebody typed it [µ¤/kWh], with a comma or a point; None for an empty field."""
    number = _pointed(text)
    if not number:
        return None
    unit = "" if number[-1:].isalpha() else f" {'ct' if currency in CENTS else currency}/kWh"
    price = whole(number + unit, "never_pay_above_micro_per_kwh", currency, field)
    if abs(price) > 10**9:
        raise InputError(f"{field}: {text} is beyond what a kWh can cost; give less")
    return price
