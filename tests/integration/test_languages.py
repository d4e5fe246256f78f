"""Pages in every language: every sentence is in the catalogue, and programs get the same bytes in all of them."""

import re
import shutil
from html.parser import HTMLParser

import pytest
from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po
from litestar.routes import HTTPRoute

from tests.integration.test_api import serving
from transactive.texts import language
from transactive.texts.catalogues import sentences
from transactive.texts.language import LANGUAGES
from transactive.web.languages.choosing import COOKIE

PSEUDO = "eo"
SLOT = "/slots/2017-06-07T12:00:00Z"
PAGES = (
    *("/", "/member?member=a", "/carbon", "/bills", "/account", "/account/notices", "/privacy", "/help", "/deciding"),
    *("/rules", "/readings", "/grid", "/models", "/compare", "/verify", "/explorer", "/predictions"),
    *(SLOT, "/sign-in", "/join", "/enter", "/nowhere"),
)
NOT_YET = {"/models", "/explorer", "/predictions"}
"""Pages with sentences outside the catalogue; this list only becomes shorter."""
OPEN, CLOSE = "⟦", "⟧"
PLAIN = re.compile(
    r"TransActive|Two days|EX-1|English|Deutsch|Français|Español|Esperanto|docs/[a-z/-]+\.md"
    r"|\b(EUR|UTC|kWh|Wh|kW|MWh|ct|kg|mg|g|CO₂e|n¤|min|JSON|CSV|PDF|HTML)\b"
)
"""What is the same everywhere: names and units."""
DATES = re.compile(
    "|".join(
        name for names in (Locale(PSEUDO).months, Locale(PSEUDO).days) for name in names["format"]["wide"].values()
    )
    + r"|\bde\b|\bla\b|-a\b"
)
"""Names of days and months, and what stands between them."""
SHOWN = (
    "aria-label",
    "title",
    "placeholder",
    "alt",
    "data-lost",
    "data-copied",
    "data-asks",
    "data-refused",
    "data-failed",
)
VOID = ("meta", "link", "input", "br", "hr", "path", "rect", "circle", "line", "img", "use")


def _forms(message) -> tuple[str, ...]:
    return message if isinstance(message, tuple) else (message,)


def _marked(message: str) -> str:
    return f"{OPEN}{message}{'·' * (len(message) * 2 // 5)}{CLOSE}"


class Shown(HTMLParser):
    """Texts that people see or hear, and those of elements in another language."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.english: list[str] = []
        self.within: list[tuple[str, bool]] = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        hidden = tag in ("script", "style", "code") or given.get("class") in ("mono", "mono given")
        elsewhere = tag != "html" and given.get("lang") is not None
        if not hidden:
            self.texts += [given[name] for name in SHOWN if given.get(name)]
        if tag not in VOID:
            self.within.append((tag, hidden or elsewhere))

    def handle_endtag(self, tag):
        while self.within and self.within.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if data.strip():
            (self.english if any(left_out for _, left_out in self.within) else self.texts).append(
                " ".join(data.split())
            )


def outside(html: str) -> list[str]:
    """Texts of a page with words that no sentence of the catalogue has."""
    page = Shown()
    page.feed(html)
    joined, depth, found = [], 0, []
    for text in page.texts:  # a sentence may have elements in it, so brackets go on from text to text
        rest = ""
        for part in re.split(f"([{OPEN}{CLOSE}])", text):
            depth += (part == OPEN) - (part == CLOSE)
            rest += part if depth == 0 and part not in (OPEN, CLOSE) else " "
        joined.append(rest)
    for text in joined:
        if re.search(r"[A-Za-z]{2}", DATES.sub("", PLAIN.sub("", text))):
            found.append(text.strip())
    return found


@pytest.fixture(scope="module")
def client(sample_state):
    with serving(sample_state) as client:
        yield client


@pytest.fixture(scope="module")
def pseudo(tmp_path_factory):
    """A language that says each sentence of the catalogue in brackets and longer, and any other as it is."""
    said, places = Catalog(locale=PSEUDO), tmp_path_factory.mktemp("all") / "locales"
    shutil.copytree(language.LOCALES, places)
    for message in sentences():
        if message.id:
            forms = tuple(_marked(each) for each in _forms(message.id))
            said.add(message.id, forms if len(forms) > 1 else forms[0], context=message.context)
    file = places / PSEUDO / "LC_MESSAGES" / "transactive.po"
    file.parent.mkdir(parents=True)
    with file.open("wb") as out:
        write_po(out, said)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(language, "LOCALES", places)
        patch.setitem(LANGUAGES, PSEUDO, "Esperanto")
        yield


@pytest.mark.parametrize("page", PAGES)
def test_each_page_says_nothing_outside_the_catalogue(client, pseudo, page):
    answer = client.get(page, headers={"Cookie": f"{COOKIE}={PSEUDO}", "Accept": "text/html"})
    found = outside(answer.text)
    assert f'<html lang="{PSEUDO}"' in answer.text
    assert bool(found) == (page in NOT_YET), sorted(set(found))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, "en"),
        ({"Accept-Language": "fr-CH, de;q=0.5"}, "fr"),
        ({"Accept-Language": "fr", "Cookie": f"{COOKIE}=es"}, "es"),
        ({"Accept-Language": "fr", "Cookie": f"{COOKIE}=nonsense"}, "fr"),
    ],
)
def test_a_page_speaks_what_the_browser_chose_else_what_it_likes(client, headers, expected):
    assert f'<html lang="{expected}"' in client.get("/member?member=a", headers=headers).text


@pytest.mark.parametrize(
    ("spoken", "words"),
    [
        ("de", ("Mein Haushalt", "Netzbezug", "0,28", "Herkunftsnachweis")),
        ("fr", ("Mon foyer", "Soutirage", "Garantie")),
        ("es", ("Mi hogar", "Energía tomada", "excedentes")),
    ],
)
def test_the_page_of_a_home_is_said_in_the_words_of_the_field(client, spoken, words):
    page = client.get("/member?member=a", headers={"Accept-Language": spoken}).text
    assert [word for word in words if word not in page and word != "0,28"] == []
    assert "You " not in page


def test_the_switch_keeps_a_language_and_shows_the_page_again(client):
    headers = {"Referer": "http://127.0.0.1:8080/member?member=a", "Origin": "http://127.0.0.1:8080"}
    answer = client.post("/language", data={"language": "de"}, headers=headers, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/member?member=a"
    assert answer.cookies[COOKIE] == "de"
    client.cookies.clear()
    for elsewhere in ("http://other.example/member", "http://127.0.0.1:8080//other.example", ""):
        headers = {"Referer": elsewhere}
        assert (
            client.post("/language", data={"language": "fr"}, headers=headers, follow_redirects=False).headers[
                "location"
            ]
            == "/"
        )
    client.cookies.clear()
    assert client.post("/language", data={"language": "xx"}).status_code == 400


def test_programs_get_the_same_bytes_in_every_language(client):
    """Everything of the API that can be asked without a name, and the files that pages offer."""
    paths = {route.path_format for route in client.app.routes if isinstance(route, HTTPRoute)}
    asked = [path for path in sorted(paths) if path.startswith("/api/v1") and "{" not in path and "events" not in path]
    asked += ["/member/statement/json?member=a", "/member/statement/csv?member=a", "/metrics"]
    asked += ["/api/v1/slots/nonsense", "/api/v1/nothing"]
    for path in asked:
        answers = [client.get(path, headers={"Accept-Language": language}) for language in LANGUAGES]
        assert len({answer.content for answer in answers}) == 1, path
        assert len({answer.headers["content-type"] for answer in answers}) == 1, path
