"""Anyone's orders under a mechanism: from a file or a table to a cleared book."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

from transactive.core.errors import ConfigError, DataError, InputError
from transactive.market import registry
from transactive.market.auction import preferences
from transactive.market.auction.levels import as_they_are, by_rank
from transactive.market.orderbook import listings
from transactive.market.result import clear_levelled, result_by_node
from transactive.studies.order_books.figures import ClearedBook, cleared_book, figures_of
from transactive.studies.order_books.kinds import KIND_COLUMNS
from transactive.studies.order_books.listings import LISTING_COLUMNS, read_listings
from transactive.studies.order_books.network import Located, place, read_network, with_nodes
from transactive.studies.order_books.orders import column_names, naming, read_orders
from transactive.studies.order_books.slots import clear_kinds
from transactive.studies.order_books.wishes import WISH_COLUMNS, read_wishes, with_wishes
from transactive.tabular.source import Source

COMPARING = ("continuous", "listings", "locational", "pay_as_bid", "uniform")
"""Mechanisms that only compare prices, on a network without losses and rings: for them prices need no grid."""
COLUMNS = {"uniform": KIND_COLUMNS, "listings": LISTING_COLUMNS, "preferences": WISH_COLUMNS}
"""Columns that change what an order asks for, and the mechanism that knows them; any other would pass over them."""

OfBooks: TypeAlias = registry.Mechanism | registry.ByOrder | registry.ByTrade | registry.ByNode
"""Mechanisms that clear a book without its members."""


def clear_book(path: Source, mechanism: str, network: Path | None = None) -> ClearedBook:
    """Clear orders with the columns that their mechanism knows.

    Raises DataError naming file, row and column of the first bad row, ConfigError for an unknown mechanism and
    InputError for a mechanism and a network that do not go together.
    """
    clear = mechanism_for(mechanism, network=network)
    if own_columns(path, mechanism) & set(KIND_COLUMNS):
        return clear_kinds(path, mechanism)
    if isinstance(clear, registry.ByNode):
        return clear_located(path, mechanism, clear, network)
    wishes = None
    if mechanism == "listings":
        book, steps = read_listings(path)
        clear = registry.ByTrade(partial(listings.clear, steps=steps))
    elif mechanism == "preferences":
        book, wishes = read_wishes(path)
        clear = registry.ByTrade(partial(preferences.clear, wishes=wishes))
    else:
        book = read_orders(path, located=False)
    levelled = by_rank(book.orders) if mechanism in COMPARING else as_they_are(book.orders)
    with naming(path):
        result = clear_levelled(clear, book.orders, levelled, book.members)
    figures = figures_of(mechanism, book, result)
    return cleared_book(with_wishes(figures, book, wishes, result) if wishes else figures, book, result)


def clear_located(path: Source, mechanism: str, clear: registry.ByNode, network: Path | None) -> ClearedBook:
    """Clear orders on a network."""
    if network is None:
        raise InputError("prices by location need a --network")
    book, lines = read_orders(path, located=True), read_network(network)
    located = Located(lines, place(path, book.node, lines))
    compares = mechanism in COMPARING and not located.network.calculates
    levelled = by_rank(book.orders) if compares else as_they_are(book.orders)
    with naming(path):
        nodal = clear.clear(levelled.orders, levelled.grid, book.members, located.node, located.network)
        nodal = replace(nodal, price=levelled.price(nodal.price))
        result = result_by_node(book.orders, located.node, nodal)
    return cleared_book(with_nodes(figures_of(mechanism, book, result), result, located, nodal), book, result)


def own_columns(path: Source, mechanism: str) -> set[str]:
    """Columns of a file that its mechanism alone knows. Raises DataError for one that only another knows."""
    names = column_names(path)
    for owner, columns in COLUMNS.items():
        foreign = [name for name in names if name in columns and owner != mechanism]
        if foreign:
            raise DataError(f"{path.name}: column {foreign[0]}: only --mechanism {owner} knows it; take it out")
    return set(names) & set(COLUMNS.get(mechanism, ()))


def mechanism_for(name: str, *, network: Path | None) -> OfBooks:
    """Mechanism of a name. Raises ConfigError naming the known ones, InputError if it does not go with the network."""
    if name not in registry.names():
        raise ConfigError(f"--mechanism {name} is not installed; known: {', '.join(registry.names())}")
    clear = registry.load(name)
    if isinstance(clear, registry.ByDeal):
        raise ConfigError(f"--mechanism {name}: members agree in it; name it in a community file, and run that")
    if isinstance(clear, registry.ByNode) != bool(network):
        raise InputError(f"--mechanism {name} {'knows no' if network else 'needs a'} --network; see --help")
    return clear
