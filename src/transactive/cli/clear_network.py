"""The network of `transactive clear`: its file, the nodes of the orders, and the figures of the nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from transactive.cli.clear_orders import naming
from transactive.cli.clear_report import Figures, NodeFigures
from transactive.core.errors import DataError
from transactive.core.units import IntArray
from transactive.market.locational import NodalClearing
from transactive.market.network import Line, Network, radial_network
from transactive.market.result import Result


@dataclass(frozen=True, slots=True)
class Located:
    """A network and the node of each order on it."""

    network: Network
    node: IntArray


class LineText(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    """A line of a network file."""

    start: str
    end: str
    limit_wh: int


class NetworkText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A network file: nodes, the root first, and the lines between them."""

    nodes: list[str]
    lines: list[LineText] = []


def read_network(path: Path) -> Network:
    """Read a network file. Raises DataError naming file and key."""
    try:
        text = msgspec.toml.decode(path.read_bytes(), type=NetworkText)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); correct the path") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DataError(f"{path.name}: {error}") from None
    with naming(path):
        return radial_network(text.nodes, [Line(line.start, line.end, line.limit_wh) for line in text.lines])


def place(path: Path, names: Sequence[str], network: Network) -> IntArray:
    """Number of each order's node. Raises DataError naming the row of the first unknown one."""
    number = {name: position for position, name in enumerate(network.names)}
    for row, name in enumerate(names):
        if name not in number:
            line = row + (2 if path.suffix == ".csv" else 1)
            raise DataError(f"{path.name}: row {line}: node = {name!r}: not in the network; add it there or correct it")
    return np.array([number[name] for name in names], np.int64)


def with_nodes(figures: Figures, result: Result, located: Located, nodal: NodalClearing) -> Figures:
    """The figures with those of every node; what buyers pay and sellers do not receive is the congestion rent."""
    columns = (located.network.names, nodal.price.tolist(), nodal.flow_wh.tolist())
    nodes = {name: NodeFigures(price, flow) for name, price, flow in zip(*columns, strict=True)}
    return msgspec.structs.replace(figures, congestion_rent_n=-sum(result.money_n), nodes=nodes)
