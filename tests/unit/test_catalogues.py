"""Catalogues say every sentence of the program in every language, with the same values and marks; so do figures."""

import re
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from babel.messages.catalog import Message

from transactive.texts.catalogues import file_of, read, sentences, written
from transactive.texts.formatting import Words, date_in_year, kwh_text, long_date, span_of_time
from transactive.texts.language import ENGLISH, LANGUAGES, _, figure, known, negotiated, ngettext, speaking
from transactive.web.pages.verify import _kg

OTHERS = [language for language in LANGUAGES if language != ENGLISH]
VALUES, MARKS = re.compile(r"%\(\w+\)s|%%"), re.compile(r"<[^>]+>")
NOT_YET: set[str] = set()
"""Files with sentences that are not translated yet; this list only becomes shorter."""


def forms_of(message: Message) -> tuple[str, ...]:
    """How a sentence is said: once, or once for each number of things."""
    said = message.string
    return tuple(str(each) for each in said) if isinstance(said, tuple) else (str(said or ""),)


@pytest.fixture(scope="module")
def template():
    return sentences()


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_is_as_its_tool_writes_it_from_the_sources(template, language):
    assert file_of(language).read_bytes() == written(language, template), "run python -m transactive.texts.catalogues"


@pytest.mark.parametrize("language", OTHERS)
def test_each_sentence_is_said_with_its_values_and_marks(language):
    for message in read(language):
        forms = forms_of(message)
        if not message.id or not any(forms):
            continue
        english = str(message.id[1] if isinstance(message.id, tuple) else message.id)
        assert not message.fuzzy
        assert set(VALUES.findall(forms[-1])) == set(VALUES.findall(english)), english
        for said in forms:
            assert set(VALUES.findall(said)) <= set(VALUES.findall(english)), (english, said)
            assert sorted(MARKS.findall(said)) == sorted(MARKS.findall(english)), (english, said)
            assert said == said.strip(), english


@pytest.mark.parametrize("language", OTHERS)
def test_no_sentence_is_left_in_english_but_those_of_files_that_are_not_done(language):
    silent = set[str]()
    for message in read(language):
        forms = forms_of(message)
        if message.id and not all(forms):
            files = {file for file, _line in message.locations}
            assert files <= NOT_YET, message.id
            silent |= files
    assert silent == NOT_YET


@pytest.mark.parametrize(
    ("language", "number", "day", "in_year"),
    [
        ("en", "1,234,567.5", "Sunday 11 June 2017", "11 June"),
        ("de", "1.234.567,5", "Sonntag, 11. Juni 2017", "11. Juni"),
        ("fr", "1\u202f234\u202f567,5", "dimanche 11 juin 2017", "11 juin"),
        ("es", "1.234.567,5", "domingo, 11 de junio de 2017", "11 de junio"),
    ],
)
def test_numbers_and_dates_are_written_as_people_write_them(language, number, day, in_year):
    with speaking(language):
        assert figure("1,234,567.5") == number
        assert long_date(date(2017, 6, 11)) == day
        assert date_in_year(date(2017, 6, 11)) == in_year


def test_spanish_keeps_four_digits_together():
    with speaking("es"):
        assert [figure(text) for text in ("1,234", "12,345", "1,234.56")] == ["1234", "12.345", "1234,56"]


def test_money_keeps_its_currency_and_every_digit_in_each_language():
    words = Words("EUR", ZoneInfo("Europe/Vienna"))
    with speaking("de"):
        assert words.money(-1_234_567_890_000) == "−1.234,57 EUR"
        assert words.exact(1_234_567_890_001) == "1.234,567890001 EUR"
        assert words.per_kwh(123_400) == "12,3 ct/kWh"
        assert words.moment(1_497_196_800) == "11. Juni 2017, 18:00"
        assert kwh_text(1_234_567) == "1.234,6"


def test_plurals_follow_the_language():
    """French says one of nothing; English and German do not."""
    with speaking("fr"):
        assert [ngettext("%(num)s order", "%(num)s orders", n) for n in (0, 1, 2)] == ["0 ordre", "1 ordre", "2 ordres"]
    with speaking("de"):
        assert [ngettext("%(num)s order", "%(num)s orders", n) for n in (0, 1)] == ["0 Gebote", "1 Gebot"]
        assert span_of_time(3 * 86_400) == "3 Tage"
    assert ngettext("%(num)s order", "%(num)s orders", 0) == "0 orders"


def test_a_sentence_that_no_catalogue_knows_stays_as_it_is():
    with speaking("de"):
        assert known("member 'x' %: not here") == "member 'x' %: not here"
        assert known("") == ""
        assert _("Saved") == "Gespart"
    assert _("Saved") == "Saved"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("it,fr;q=0.5", "fr"),
        ("en-US,en;q=0.9,de;q=0.8", "en"),
        ("de;q=0,es;q=0.1", "es"),
        ("it", None),
        ("", None),
        ("*;q=0.5, ;;;, de;q=nonsense", None),
        ("de" * 5_000, None),
        ("de;Q=0.2, fr;q=0.3", "fr"),
        ("fr;Q=0.2", "fr"),
        ("fr;q=1.9, de", "de"),
    ],
)
def test_a_browser_gets_the_language_that_it_likes_most(accepted, language):
    assert negotiated(accepted) == language


def test_a_file_is_checked_in_words_and_figures_of_the_language():
    with speaking("fr"):
        assert _("%(title)s:", title="Votre relevé") == "Votre relevé\u00a0:"
        assert _kg(1_234_567_890) == "1\u202f234,567 kg CO₂e"
    assert _kg(1_234_567_890) == "1,234.567 kg CO₂e"
