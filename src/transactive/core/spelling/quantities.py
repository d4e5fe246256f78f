"""Quantities as people write them, such as `28 ct/kWh`, `4 kW` or `90 %`, in the whole base units of the program.

A key or option says by the end of its name which base unit it holds (`tariff.supply_micro_per_kwh`, `pv_w`). Text with
a unit becomes that whole number, exactly: decimals are never floats. What is not a whole number of base units is
refused, as rounding would decide what somebody owes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from transactive.core.errors import InputError

MOST_DIGITS = 30
"""Before a point, and after it."""
NUMBER = re.compile(r"(?P<sign>[-−+]?)\s*(?P<whole>\d+(?:_\d+)*)(?:\.(?P<part>\d+))?\s*(?P<unit>.*)", re.DOTALL)
SIGNS = {"€": "EUR", "£": "GBP", "¥": "JPY", "$": ""}
"""Signs that people write for a currency; a dollar is that of many countries, and is taken for the community's."""
HUNDREDTHS = {
    "ct": "", "¢": "", "c": "", "cent": "", "cents": "", "Ct": "", "Cent": "", "Rp": "CHF", "Rp.": "CHF", "p": "GBP",
    "øre": "DKK or NOK", "öre": "SEK", "gr": "PLN",
}  # fmt: skip
"""Hundredths of a currency, with the currencies where not any may have them."""
ANY_MONEY = "¤"


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a key holds: base: its base unit. units: how many base units each unit has; money stands as ¤ in them."""

    base: str
    units: Mapping[str, Fraction]
    example: str


def _kind(base: str, example: str, **units: int) -> Quantity:
    """Kind whose units need no money."""
    return Quantity(base, {name: Fraction(value) for name, value in units.items()}, example)


ENERGY = {"Wh": Fraction(1), "kWh": Fraction(1_000), "MWh": Fraction(10**6)}
KINDS: dict[str, Quantity] = {
    "_micro_per_kwh": Quantity(
        "µ¤/kWh",
        {"¤/kWh": Fraction(10**6), "¤/MWh": Fraction(1_000), "¤/Wh": Fraction(10**9), "µ¤/kWh": Fraction(1)},
        "28 ct/kWh",
    ),
    "_micro_per_t": Quantity("µ¤/t", {"¤/t": Fraction(10**6), "µ¤/t": Fraction(1)}, "75.36 EUR/t"),
    "_n_per_day": Quantity("n¤/day", {"¤/day": Fraction(10**9), "¤/d": Fraction(10**9)}, "0.12 EUR/day"),
    "_n_per_month": Quantity("n¤/month", {"¤/month": Fraction(10**9)}, "3.50 EUR/month"),
    "_g_per_kwh": Quantity(
        "g/kWh", {"g/kWh": Fraction(1), "kg/kWh": Fraction(1_000), "kg/MWh": Fraction(1), "t/MWh": Fraction(1_000)},
        "350 g/kWh",
    ),
    "_per_t": Quantity("¤/t", {"¤/t": Fraction(1)}, "50 EUR/t"),
    "_wh": Quantity("Wh", ENERGY, "13.5 kWh"),
    "_w": _kind("W", "4 kW", W=1, kW=1_000, MW=10**6, Wp=1, kWp=1_000),
    "_ppm": _kind("ppm", "90 %", **{"%": 10**4, "‰": 10**3, "ppm": 1}),
    "_minutes": _kind("min", "15 min", min=1, minutes=1, h=60),
    "_seconds": _kind("s", "120 s", s=1, min=60, h=3_600, d=86_400),
    "_days": _kind("days", "730 days", days=1, day=1, d=1),
    "_n": Quantity("n¤", {"¤": Fraction(10**9), "n¤": Fraction(1)}, "100 EUR"),
}  # fmt: skip
"""Kinds by the end of a key; a longer end stands before a shorter one of which it is a part."""


def kind_of(key: str) -> Quantity | None:
    """Kind of quantity that a key or option holds, by the end of its name; None for a number without a unit."""
    name = "_" + key.replace("-", "_").lstrip("_")
    return next((kind for end, kind in KINDS.items() if name.endswith(end)), None)


def stem_of(key: str) -> str | None:
    """A key without its unit, such as `supply` of `supply_micro_per_kwh`; None where nothing would be left."""
    end = next((end for end in KINDS if key.endswith(end)), None)
    return key.removesuffix(end) if end and key != end else None


def whole(text: str, key: str, currency: str | None = None, place: str | None = None) -> int:
    """Whole base units of a quantity in text, of the kind that its key says by its end.

    currency: of the community; None takes any. place: how messages name the key. Raises InputError naming it, and for
    what is not whole the nearest two values that are.
    """
    kind, said = kind_of(key), f"{place or key} is {text!r}"
    if kind is None:
        raise InputError(f"{said}; it takes a number without a unit")
    found = NUMBER.fullmatch(text.strip())
    if found is None or "," in found["unit"]:
        raise InputError(f"{said}; write a number and its unit, like {kind.example}, with a point for decimals")
    digits, part = found["whole"].replace("_", ""), found["part"] or "0"
    if max(len(digits), len(part)) > MOST_DIGITS:
        raise InputError(f"{place or key} has {max(len(digits), len(part))} digits; write a number that is meant")
    size = Fraction(f"{digits}.{part}") * (-1 if found["sign"] in ("-", "−") else 1)
    factor = _factor(found["unit"].strip(), kind, said, currency)
    exact = size * factor
    if exact.denominator != 1:
        below = exact.numerator // exact.denominator
        unit = found["unit"].strip()
        near = " and ".join(
            f"{_decimal(Fraction(n * factor.denominator, factor.numerator))} {unit} ({n} {kind.base})"
            for n in (below, below + 1)
        )
        raise InputError(f"{said}, not a whole number of {kind.base}; the nearest are {near}")
    return int(exact)


def units_in(unit: str, key: str, currency: str | None = None, place: str | None = None) -> Fraction:
    """Base units of a key in one of a unit, such as 1000 µ¤/kWh in EUR/MWh. Raises InputError."""
    kind, said = kind_of(key), f"{place or key} is {unit!r}"
    if kind is None:
        raise InputError(f"{said}; it takes no unit")
    return _factor(unit.strip(), kind, said, currency)


def _factor(unit: str, kind: Quantity, said: str, currency: str | None) -> Fraction:
    """Base units in one of a unit; money in any of the ways that people write it."""
    if not unit:
        raise InputError(f"{said}, without a unit; write it like {kind.example}, or as a whole number of {kind.base}")
    plain = unit.replace(" ", "")
    if plain in kind.units:
        return kind.units[plain]
    money, slash, per = plain.partition("/")
    hundredths = money in HUNDREDTHS
    code = HUNDREDTHS[money] if hundredths else SIGNS.get(money, money)
    factor = kind.units.get(f"{ANY_MONEY}{slash}{per}")
    if factor is None or not (hundredths or money in SIGNS or re.fullmatch(r"[A-Z]{3}|¤", money)):
        known = ", ".join(name.replace(ANY_MONEY, currency or "EUR") for name in kind.units if name[0] not in "µn")
        raise InputError(f"{said}: {unit!r} is no unit of it; it takes {known}, like {kind.example}")
    if currency and code not in ("", ANY_MONEY) and currency not in code.split(" or "):
        raise InputError(f"{said}, in {code}; the currency of the community is {currency}, convert it")
    return Fraction(factor, 100) if hundredths else factor


def _decimal(value: Fraction) -> str:
    """A fraction as a decimal: exact where it ends within twelve places."""
    scaled = value * 10**12
    digits = abs(scaled.numerator) // scaled.denominator
    text = f"{digits // 10**12}.{digits % 10**12:012d}".rstrip("0").rstrip(".")
    return f"-{text}" if value < 0 else text
