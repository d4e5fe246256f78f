"""Orders of a slot home by home, and why each fared as it did: found by name, sorted, so many on a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from transactive.core.errors import InputError
from transactive.texts.formatting import Words, counted, kwh_text
from transactive.texts.language import N_, _, ngettext
from transactive.web.order_reasons import FILLED, PARTLY, REFUSED, UNFILLED, MemberOrders

A_PAGE = 20
"""Homes on a page."""
MOST_FOUND = 60
"""Letters that a search has at most."""
SORTS: dict[str, tuple[str, Callable[[MemberOrders], int]]] = {
    "name": (N_("By home"), lambda book: book.member),
    "bought": (N_("Most bought"), lambda book: -book.wh(buys=True, allocated=True)),
    "sold": (N_("Most sold"), lambda book: -book.wh(buys=False, allocated=True)),
    "unfilled": (N_("Most left unfilled"), lambda book: -book.count(UNFILLED) - book.count(PARTLY)),
    "refused": (N_("Refused first"), lambda book: -book.count(REFUSED)),
}


@dataclass(frozen=True, slots=True)
class ListAsked:
    """What an address asks of the list: part of a home's name, the order, and the page from 1 on."""

    find: str = ""
    sort: str = "name"
    page: int = 1

    def query(self, page: int) -> str:
        """How an address names another page of the same list."""
        given = {"find": self.find, "sort": "" if self.sort == "name" else self.sort, "page": str(page)}
        return urlencode({key: value for key, value in given.items() if value})


def order_list(books: Sequence[MemberOrders], asked: ListAsked, names: Sequence[str], words: Words) -> dict[str, Any]:
    """The homes of a page with their orders. Raises InputError for an order or a page that there is not."""
    if asked.sort not in SORTS:
        raise InputError(f"sort {asked.sort[:MOST_FOUND]}: orders are sorted by {', '.join(SORTS)}")
    wanted = asked.find.casefold()[:MOST_FOUND]
    found = [book for book in books if wanted in names[book.member].casefold()]
    found.sort(key=SORTS[asked.sort][1])
    pages = max(-(-len(found) // A_PAGE), 1)
    if not 1 <= asked.page <= pages:
        raise InputError(f"page {asked.page}: this list has {counted(pages, 'page')}")
    shown = found[(asked.page - 1) * A_PAGE : asked.page * A_PAGE]
    return {
        "homes": [_home(book, names, words) for book in shown],
        "many": len(books) > A_PAGE,
        "found": len(found),
        "all": len(books),
        "find": asked.find,
        "sort": asked.sort,
        "sorts": [(key, _(title)) for key, (title, _rank) in SORTS.items()],
        "page": asked.page,
        "pages": pages,
        "earlier": asked.query(asked.page - 1) if asked.page > 1 else None,
        "later": asked.query(asked.page + 1) if asked.page < pages else None,
    }


def _home(book: MemberOrders, names: Sequence[str], words: Words) -> dict[str, Any]:
    """One home: its sums, and each order with what became of it."""
    return {
        "id": names[book.member],
        "sums": _sums(book),
        "counts": _counts(book),
        "rows": [
            (
                _("Buy") if fate.is_buy else _("Sell"),
                words.price(fate.price, 2),
                kwh_text(fate.energy_wh, 3),
                kwh_text(fate.allocated_wh, 3),
                fate.state_text,
                fate.reason,
            )
            for fate in book.fates
        ],
    }


def _sums(book: MemberOrders) -> str:
    """What a member asked for and got."""
    parts = []
    for buys, text in ((True, N_("bought %(got)s of %(asked)s kWh")), (False, N_("sold %(got)s of %(asked)s kWh"))):
        wh = book.wh(buys=buys, allocated=False)
        if wh:
            got = kwh_text(book.wh(buys=buys, allocated=True), 2)
            parts.append(_(text, got=got, asked=kwh_text(wh, 2)))
    return ", ".join(parts) or _("nothing admitted")


def _counts(book: MemberOrders) -> str:
    filled = ngettext(
        "%(filled)s of %(num)s order filled",
        "%(filled)s of %(num)s orders filled",
        len(book.fates),
        filled=book.count(FILLED),
    )
    parts = [filled]
    for state, text in ((PARTLY, N_("%(number)s partly")), (REFUSED, N_("%(number)s refused"))):
        if book.count(state):
            parts.append(_(text, number=book.count(state)))
    return ", ".join(parts)
