"""A network for orders: its file, the nodes of the orders, and the figures of the nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from transactive.core.community.network import Network, NetworkRules, network_of
from transactive.core.community.validation import explained
from transactive.core.errors import DataError, InputError
from transactive.core.spelling.records import decoded
from transactive.core.units import IntArray
from transactive.market.network.locational import losses_n
from transactive.market.network.pandapower import read_pandapower
from transactive.market.nodal import NodalClearing
from transactive.market.result import Result
from transactive.studies.order_books.figures import Figures, LineResult, NodeFigures
from transactive.studies.order_books.orders import naming
from transactive.tabular.source import Source, first_row


@dataclass(frozen=True, slots=True)
class Located:
    """A network and the node of each order on it."""

    network: Network
    node: IntArray


def read_network(path: Path) -> Network:
    """Read a network file, TOML or JSON of pandapower (limits for an hour). Raises DataError naming file and key."""
    try:
        text = path.read_bytes()
        if path.suffix == ".json":
            with naming(path):
                return network_of(read_pandapower(text, slot_minutes=60))
        try:
            rules = decoded(text, NetworkRules)
        except InputError as error:
            raise DataError(f"{path.name}: {error}") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); correct the path") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DataError(f"{path.name}: {explained(str(error), NetworkRules)}") from None
    with naming(path):
        return network_of(rules)


def place(path: Source, names: Sequence[str], network: Network) -> IntArray:
    """Number of each order's node. Raises DataError naming the row of the first unknown one."""
    number = {name: position for position, name in enumerate(network.names)}
    for row, name in enumerate(names):
        if name not in number:
            raise DataError(
                f"{path.name}: row {row + first_row(path)}: node = {name!r}: not in the network; add it or correct it"
            )
    return np.array([number[name] for name in names], np.int64)


def with_nodes(figures: Figures, result: Result, located: Located, nodal: NodalClearing) -> Figures:
    """The figures with those of every node and line; what buyers pay and sellers do not receive is the network's."""
    network, flows = located.network, nodal.flow_wh
    columns = (network.names, nodal.price.tolist(), network.net_wh(flows).tolist())
    nodes = {name: NodeFigures(price, flow) for name, price, flow in zip(*columns, strict=True)}
    ends = ([network.names[number] for number in side] for side in (network.start, network.end))
    figures_of_lines = (flows, network.limit_wh, network.back_wh, nodal.lost_wh)
    lines = [LineResult(*row) for row in zip(*ends, *(c.tolist() for c in figures_of_lines), strict=True)]
    losses = losses_n(network, nodal)
    return msgspec.structs.replace(
        figures,
        lost_wh=int(nodal.lost_wh.sum()),
        losses_n=losses,
        congestion_rent_n=losses - sum(result.money_n),
        nodes=nodes,
        lines=lines,
    )
