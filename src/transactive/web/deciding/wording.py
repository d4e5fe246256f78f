"""Numbers that members decide on, in the words and units of people."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from transactive.chain.governance.proposals import NumberSet
from transactive.core.governance.numbers import BY_NAME, GovernedNumber
from transactive.core.spelling.quantities import whole
from transactive.texts.formatting import Words

TITLES = {
    "network-fee": "Network fee",
    "near-fee": "Network fee between neighbours",
    "levy-mode": "Carbon levy",
    "levy-price": "Price of the carbon levy",
    "sharing-price": "Price of shared energy",
    "sharing-fee": "Fee on shared energy",
}
PER_KWH, PER_TONNE = "µ¤/kWh", "µ¤/t"
MICRO = 1_000_000
PPM_A_PERCENT = 10_000


def value_words(number: GovernedNumber, value: int, words: Words) -> str:
    """A value with its unit, as people say it."""
    if number.words:
        return str(number.said(value))
    if number.unit == PER_KWH:
        return f"{words.price(value, 2)} {words.price_unit}"
    if number.unit == PER_TONNE:
        return f"{value / MICRO:,.2f} {words.currency}/t"
    return f"{value / PPM_A_PERCENT:g} %"


def set_words(one: NumberSet, words: Words) -> str:
    """A number that is set, with from when on."""
    title, value = TITLES[one.number.name], value_words(one.number, one.value, words)
    return f"{title} of {value} from {words.moment(one.since)} on"


def said(numbers: Mapping[str, int], since: int, words: Words) -> str:
    """Numbers that hold from a slot on, in words."""
    values = (f"{TITLES[name]} of {value_words(BY_NAME[name], value, words)}" for name, value in numbers.items())
    return f"{', '.join(values)} from {words.moment(since)} on"


def read_value(name: str, text: str, words: Words) -> int:
    """A value as somebody typed it, in the unit that `value_words` shows or its own. Raises InputError naming it."""
    number, title, typed = BY_NAME[name], TITLES[name], text.strip()
    if number.words:
        return number.read(typed)
    typed = typed.replace(",", ".") if typed.count(",") == 1 and "." not in typed else typed
    unit = "" if not typed[-1:].isdigit() else f" {unit_of(number, words)}"
    return whole(typed + unit, number.key, words.currency, title)


def numbers_in(form: object, words: Words) -> dict[str, int]:
    """Numbers of a form, whose fields are named like them; empty ones are left out. Raises InputError."""
    fields = {name: str(getattr(form, name.replace("-", "_"))).strip() for name in TITLES}
    return {name: read_value(name, text, words) for name, text in fields.items() if text}


def unit_of(number: GovernedNumber, words: Words) -> str:
    """Unit in which a number is shown and typed."""
    if number.unit == PER_KWH:
        return words.price_unit.replace("¢", "ct")
    return f"{words.currency}/t" if number.unit == PER_TONNE else "%"


def typed(number: GovernedNumber, value: int, words: Words) -> str:
    """A value as a field takes it again, exactly."""
    if number.words:
        return str(number.said(value))
    if number.unit == PER_KWH:
        text = words.price(value, 4)
    else:
        text = f"{Decimal(value) / (MICRO if number.unit == PER_TONNE else PPM_A_PERCENT):f}"
    plain = text.replace(",", "").replace("−", "-")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
