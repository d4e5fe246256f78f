"""What a draft would do, in words that the program makes of it, whatever the assistant says."""

from __future__ import annotations

from transactive.core.slots import parse_time
from transactive.core.units import kwh_text
from transactive.services.acts.asked import AskCancel, AskLimits, AskOrder, AskPause, AskResume, AskStep
from transactive.texts.formatting import Words
from transactive.web.assistants.drafts import Draftable


def effect(asked: Draftable, words: Words) -> str:
    """Say what accepting does. Raises InputError for a time that is none."""
    match asked:
        case AskLimits(never_pay_above_micro_per_kwh=highest, sell_only_above_micro_per_kwh=lowest):
            said = [] if highest is None else [f"Never pay above {_price(highest, words)}."]
            said += [] if lowest is None else [f"Sell only above {_price(lowest, words)}."]
            return " ".join(said) or "No limits: your agent may trade at any price between the supplier’s."
        case AskPause(start=start, end=end):
            begin = "from the next open gate" if start is None else f"from {words.moment(parse_time(start))}"
            until = "until you resume" if end is None else f"until {words.moment(parse_time(end))}"
            return f"Pause trading {begin} {until}: the supplier gives what you need and takes what you spare."
        case AskResume():
            return "Trade again."
        case AskOrder(slot=slot, buys=buys, sells=sells):
            steps = [_step("Buy", "up to", each, words) for each in buys]
            steps += [_step("Sell", "from", each, words) for each in sells]
            what = "; ".join(steps) or "Order nothing"
            return f"{what}, in the slot of {words.moment(parse_time(slot))}, in place of your agent’s order."
        case AskCancel(slot=slot):
            return f"Order nothing in the slot of {words.moment(parse_time(slot))}, for your agent too."


def _price(micro_per_kwh: int, words: Words) -> str:
    return f"{words.price(micro_per_kwh, 2)} {words.price_unit}"


def _step(verb: str, bound: str, step: AskStep, words: Words) -> str:
    return f"{verb} {kwh_text(step.energy_wh, 3)} kWh {bound} {_price(step.price_micro_per_kwh, words)}"
