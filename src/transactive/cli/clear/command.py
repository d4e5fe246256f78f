"""`transactive clear`: anyone's order file in; allocation, trades and a picture out."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec

from transactive.cli.clear.kinds import KIND_COLUMNS
from transactive.cli.clear.listings import LISTING_COLUMNS, read_listings
from transactive.cli.clear.network import Located, place, read_network, with_nodes
from transactive.cli.clear.orders import column_names, naming, read_orders
from transactive.cli.clear.report import (
    Figures,
    Files,
    Outputs,
    figures_of,
    files_of,
    in_words,
    write_all,
)
from transactive.cli.clear.slots import clear_kinds
from transactive.cli.clear.wishes import WISH_COLUMNS, read_wishes, with_wishes
from transactive.core.errors import ConfigError, DataError, InputError
from transactive.market import registry
from transactive.market.auction import preferences
from transactive.market.auction.levels import as_they_are, by_rank
from transactive.market.orderbook import listings
from transactive.market.result import clear_levelled, result_by_node

COMPARING = ("continuous", "listings", "locational", "pay_as_bid", "uniform")
"""Mechanisms that only compare prices, on a network without losses and rings: for them prices need no grid."""
COLUMNS = {"uniform": KIND_COLUMNS, "listings": LISTING_COLUMNS, "preferences": WISH_COLUMNS}
"""Columns that change what an order asks for, and the mechanism that knows them; any other would pass over them."""


def run_clear(
    path: Path,
    *,
    mechanism: str,
    allocation: Path,
    trades: Path | None,
    svg: Path | None,
    json: bool,
    network: Path | None = None,
) -> None:
    """Clear an order file and write the results, all of them or none; figures go to stdout.

    Raises DataError naming file, row and column of the first bad row, ConfigError for an unknown mechanism and
    InputError for options that do not go together and a file that cannot be written.
    """
    clear, outputs = load_mechanism(mechanism), Outputs(allocation, trades, svg)
    if isinstance(clear, registry.ByNode) != bool(network):
        raise InputError(f"--mechanism {mechanism} {'knows no' if network else 'needs a'} --network; see --help")
    if trades and network:
        raise InputError("-t: on a network buyer and seller have prices of their own; leave -t out")
    if len({*outputs.paths, path}) <= len(outputs.paths):
        raise InputError("two of the files have one name; give each its own")
    files, figures = clear_file(path, mechanism, clear, outputs, network)
    write_all(files)
    print(msgspec.json.encode(figures).decode() if json else in_words(figures))


def clear_file(
    path: Path, mechanism: str, clear: registry.AnyMechanism, outputs: Outputs, network: Path | None
) -> tuple[Files, Figures]:
    """Clear a file with the columns that its mechanism knows."""
    if own_columns(path, mechanism) & set(KIND_COLUMNS):
        return clear_kinds(path, mechanism, outputs)
    if isinstance(clear, registry.ByNode):
        return clear_located(path, mechanism, clear, outputs, network)
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
    return files_of(book, result, outputs), with_wishes(figures, book, wishes, result) if wishes else figures


def clear_located(
    path: Path, mechanism: str, clear: registry.ByNode, outputs: Outputs, network: Path | None
) -> tuple[Files, Figures]:
    """Clear a file of orders on a network."""
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
    return files_of(book, result, outputs), with_nodes(figures_of(mechanism, book, result), result, located, nodal)


def own_columns(path: Path, mechanism: str) -> set[str]:
    """Columns of a file that its mechanism alone knows. Raises DataError for one that only another knows."""
    names = column_names(path)
    for owner, columns in COLUMNS.items():
        foreign = [name for name in names if name in columns and owner != mechanism]
        if foreign:
            raise DataError(f"{path.name}: column {foreign[0]}: only --mechanism {owner} knows it; take it out")
    return set(names) & set(COLUMNS.get(mechanism, ()))


def load_mechanism(name: str) -> registry.AnyMechanism:
    """Mechanism of the option's name. Raises ConfigError naming the known ones."""
    if name not in registry.names():
        raise ConfigError(f"--mechanism {name} is not installed; known: {', '.join(registry.names())}")
    return registry.load(name)
