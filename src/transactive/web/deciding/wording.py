"""Numbers that members decide on, in the words and units of people."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from transactive.chain.governance.proposals import NumberSet
from transactive.core.governance.numbers import BY_NAME, GovernedNumber
from transactive.core.spelling.quantities import whole
from transactive.texts.formatting import Words
from transactive.texts.language import ENGLISH, N_, _, figure, known, speaking

TITLES = {
    "network-fee": N_("Network fee"),
    "near-fee": N_("Network fee between neighbours"),
    "levy-mode": N_("Carbon levy"),
    "levy-price": N_("Price of the carbon levy"),
    "sharing-price": N_("Price of shared energy"),
    "sharing-fee": N_("Fee on shared energy"),
}
PER_KWH, PER_TONNE = "µ¤/kWh", "µ¤/t"
MICRO = 1_000_000
PPM_A_PERCENT = 10_000


def value_words(number: GovernedNumber, value: int, words: Words) -> str:
    """A value with its unit, as people say it."""
    if number.words:
        return known(str(number.said(value)))
    if number.unit == PER_KWH:
        return words.per_kwh(value, 2)
    if number.unit == PER_TONNE:
        return figure(f"{value / MICRO:,.2f} {words.currency}/t")
    return figure(f"{value / PPM_A_PERCENT:g} %")


def set_words(one: NumberSet, words: Words) -> str:
    """A number that is set, with from when on."""
    return said({one.number.name: one.value}, one.since, words)


def said(numbers: Mapping[str, int], since: int, words: Words) -> str:
    """Numbers that hold from a slot on, in words."""
    values = [
        _("%(number)s of %(value)s", number=_(TITLES[name]), value=value_words(BY_NAME[name], value, words))
        for name, value in numbers.items()
    ]
    return _("%(numbers)s from %(moment)s on", numbers=", ".join(values), moment=words.moment(since))


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
        with speaking(ENGLISH):
            text = words.price(value, 4)
    else:
        text = f"{Decimal(value) / (MICRO if number.unit == PER_TONNE else PPM_A_PERCENT):f}"
    plain = text.replace(",", "").replace("−", "-")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
