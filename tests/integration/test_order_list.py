"""The list of homes on the slot page: found by name, sorted, so many on a page, and each exactly once."""

import re
from typing import Any

import pytest

from tests.integration.test_api import SLOT, serving
from transactive.core.errors import InputError
from transactive.texts.formatting import Words
from transactive.web.lists.order_list import A_PAGE, SORTS, ListAsked, order_list
from transactive.web.order_reasons import FILLED, REFUSED, UNFILLED, Fate, MemberOrders

HOMES = 2 * A_PAGE + 3


NAMES = [f"home-{k:03d}" for k in range(HOMES)]


def book(k: int) -> MemberOrders:
    buy = Fate(is_buy=True, price=10, energy_wh=100 + k, allocated_wh=k, state=FILLED if k % 2 else UNFILLED, reason="")
    return MemberOrders(k, [buy, Fate(is_buy=False, price=1, energy_wh=9, allocated_wh=9, state=REFUSED, reason="")])


BOOKS = [book(k) for k in range(HOMES)]


def shown(**asked: Any) -> list[str]:
    return [home["id"] for home in order_list(BOOKS, ListAsked(**asked), NAMES, Words("EUR"))["homes"]]


@pytest.mark.parametrize("sort", SORTS)
def test_each_home_stands_on_one_page(sort):
    pages = [shown(sort=sort, page=page) for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [A_PAGE, A_PAGE, 3]
    assert sorted(name for page in pages for name in page) == NAMES


def test_most_bought_comes_first_and_pages_lead_on():
    assert shown(sort="bought")[:2] == [f"home-{HOMES - 1:03d}", f"home-{HOMES - 2:03d}"]
    second = order_list(BOOKS, ListAsked("ome", "bought", 2), NAMES, Words("EUR"))
    assert (second["earlier"], second["later"]) == ("find=ome&sort=bought&page=1", "find=ome&sort=bought&page=3")


def test_a_home_is_found_by_part_of_its_name():
    assert shown(find="OME-01") == [f"home-01{k}" for k in range(10)]
    assert shown(find="none") == []


@pytest.mark.parametrize(
    ("asked", "named"), [({"sort": "colour"}, "sorted by name"), ({"page": 4}, "3 pages"), ({"page": 0}, "page 0")]
)
def test_what_there_is_not_is_named(asked, named):
    with pytest.raises(InputError, match=named):
        shown(**asked)


def test_the_page_answers_compressed_and_keeps_what_was_asked(demo_run):
    with serving(demo_run.folder) as client:
        answer = client.get(f"/slots/{SLOT}?find=house-1&sort=sold")
        assert answer.headers["content-encoding"] == "gzip"
        found = re.findall(r'class="book" id="b-([^"]*)"', answer.text)
        everybody = re.findall(r'class="book" id="b-([^"]*)"', client.get(f"/slots/{SLOT}").text)
        assert 0 < len(found) < len(everybody)
        assert set(found) == {name for name in everybody if "house-1" in name}
        assert client.get(f"/slots/{SLOT}?sort=colour").status_code == 400
        style = client.get("/static/base.css")
        assert "immutable" in style.headers["cache-control"]
        assert "no-store" in answer.headers["cache-control"]
        assert 'href="/static/base.css?v=' in answer.text
