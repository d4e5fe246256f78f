"""What a draft would do, in words that the program makes of it, whatever the assistant says."""

from __future__ import annotations

from transactive.core.slots import parse_time
from transactive.services.acts.asked import AskCancel, AskLimits, AskOrder, AskPause, AskResume, AskStep
from transactive.texts.formatting import Words, kwh_text
from transactive.texts.language import N_, _
from transactive.web.assistants.drafts import Draftable


def effect(asked: Draftable, words: Words) -> str:
    """Say what accepting does. Raises InputError for a time that is none."""
    match asked:
        case AskLimits(never_pay_above_micro_per_kwh=highest, sell_only_above_micro_per_kwh=lowest):
            said = [] if highest is None else [_("Never pay above %(price)s.", price=words.per_kwh(highest, 2))]
            said += [] if lowest is None else [_("Sell only above %(price)s.", price=words.per_kwh(lowest, 2))]
            return " ".join(said) or _("No limits: your agent may trade at any price between the supplier’s.")
        case AskPause(start=start, end=end):
            return _pause(*(None if time is None else words.moment(parse_time(time)) for time in (start, end)))
        case AskResume():
            return _("Trade again.")
        case AskOrder(slot=slot, buys=buys, sells=sells):
            steps = [*(_step(BUY, each, words) for each in buys), *(_step(SELL, each, words) for each in sells)]
            return _(
                "%(what)s, in the slot of %(moment)s, in place of your agent’s order.",
                what="; ".join(steps) or _("Order nothing"),
                moment=words.moment(parse_time(slot)),
            )
        case AskCancel(slot=slot):
            return _(
                "Order nothing in the slot of %(moment)s, for your agent too.", moment=words.moment(parse_time(slot))
            )


def _pause(start: str | None, end: str | None) -> str:
    """A pause: from the next open gate where it names no start, and for good where it names no end."""
    if start is None and end is None:
        text = N_("Pause trading from the next open gate until you resume.")
    elif start is None:
        text = N_("Pause trading from the next open gate until %(end)s.")
    elif end is None:
        text = N_("Pause trading from %(start)s until you resume.")
    else:
        text = N_("Pause trading from %(start)s until %(end)s.")
    rest = _("The supplier gives what you need and takes what you spare.")
    return f"{_(text, start=start, end=end)} {rest}"


BUY, SELL = N_("Buy %(kwh)s kWh up to %(price)s"), N_("Sell %(kwh)s kWh from %(price)s")


def _step(text: str, step: AskStep, words: Words) -> str:
    return _(text, kwh=kwh_text(step.energy_wh, 3), price=words.per_kwh(step.price_micro_per_kwh, 2))
