"""The language that is spoken: whole sentences from gettext catalogues, numbers and dates as people there write them.

Code holds the English sentences; `locales/LANGUAGE/LC_MESSAGES/transactive.po` holds what others say. English needs
neither a catalogue nor Babel. Nothing that a program reads asks this module.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from transactive.core.installed import named_extras

LOCALES = Path(__file__).with_name("locales")
ENGLISH = "en"
LANGUAGES = {ENGLISH: "English", "de": "Deutsch", "fr": "Français", "es": "Español"}
"""What can be spoken, each by its own name."""
UNGROUPED = {"es": re.compile(r"(?<![\d,])(\d),(\d{3})(?![\d,])")}
"""Thousands that stay together: Spanish writes 1234 and 12.345 (Ortografía de la lengua española, RAE 2010, VIII.2)."""
_spoken: ContextVar[str] = ContextVar("language", default=ENGLISH)


def spoken() -> str:
    """The language that is spoken now, as a code such as de."""
    return _spoken.get()


def speak(language: str) -> None:
    """Speak a language from here on, in this task and in what it calls."""
    _spoken.set(language)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak a language within a block."""
    token = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(token)


def is_known(language: str) -> bool:
    """Whether a code names a language that can be spoken."""
    return language in LANGUAGES


def negotiated(accepted: str) -> str | None:
    """The language that a browser would like most, of those that can be spoken (RFC 9110, 12.5.4); None without one."""
    wishes: list[tuple[float, str]] = []
    for part in accepted[:1_000].split(","):
        tag, _, weight = part.strip().partition(";")
        language = tag.strip().split("-")[0].casefold()
        match = re.fullmatch(r"\s*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*", weight)
        weighs = 1.0 if not weight else float(match[1]) if match else 0.0
        if is_known(language) and weighs > 0:
            wishes.append((weighs, language))
    return max(wishes, key=lambda wish: wish[0])[1] if wishes else None


def _(message: str, /, **values: object) -> str:
    """A sentence in the language spoken, with its values in it. A percent sign of the sentence itself is written %%."""
    return catalogue(spoken()).gettext(message) % values


def pgettext(context: str, message: str, /, **values: object) -> str:
    """The same for a word that says too little by itself; `context` tells translators where it stands."""
    return catalogue(spoken()).pgettext(context, message) % values


def ngettext(one: str, many: str, number: int, /, **values: object) -> str:
    """A sentence about a number of things, in the form that the language has for it; `num` is the number as text."""
    text = catalogue(spoken()).ngettext(one, many, number)
    return text % ({"num": figure(f"{number:,}")} | values)


def known(text: str) -> str:
    """A sentence that came from below the texts, in the language spoken where its catalogue has it, else as it is."""
    return catalogue(spoken()).gettext(text) if text else text


def N_(message: str) -> str:  # noqa: N802 - the name that tools for catalogues know
    """Mark a sentence for the catalogue that is spoken later, by `_`."""
    return message


@cache
def catalogue(language: str) -> NullTranslations:
    """What a language says; English says what code says. Raises MissingExtra."""
    if language == ENGLISH:
        return NullTranslations()
    with named_extras("another language than English"):
        from babel.messages.mofile import write_mo
        from babel.messages.pofile import read_po
    compiled = BytesIO()
    with (LOCALES / language / "LC_MESSAGES" / "transactive.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def figure(text: str) -> str:
    """A number that is written as in 1,234.5, with the signs of the language spoken; not a digit changes."""
    language = spoken()
    if language == ENGLISH:
        return text
    if language in UNGROUPED:
        text = UNGROUPED[language].sub(r"\1\2", text)
    return text.translate(_signs(language))


def local_date(day: date, english: str, form: str) -> str:
    """A date as the language spoken writes it. english: how English does; form: a form or skeleton of CLDR."""
    language = spoken()
    if language == ENGLISH:
        return english
    with named_extras("another language than English"):
        from babel import Locale
        from babel.dates import format_date
    locale = Locale.parse(language)
    return format_date(day, str(locale.datetime_skeletons.get(form, form)), locale)


@cache
def _signs(language: str) -> dict[int, str]:
    """Signs of thousands and decimals."""
    with named_extras("another language than English"):
        from babel import Locale
    symbols = Locale.parse(language).number_symbols["latn"]
    return {ord(","): symbols["group"], ord("."): symbols["decimal"]}
