"""A radial network: nodes, and the line above each of them with its limit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from transactive.core.errors import DataError
from transactive.core.units import IntArray


@dataclass(frozen=True, slots=True)
class Line:
    """Line between two nodes; limit_wh: most energy in a slot, in either direction."""

    start: str
    end: str
    limit_wh: int


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A tree: node 0 is the root, and every node comes after its parent.

    parent: −1 at the root, (nodes,). limit_wh: of the line above each node, either direction, 0 at the root, (nodes,).
    """

    names: tuple[str, ...]
    parent: IntArray
    limit_wh: IntArray

    def __len__(self) -> int:
        return len(self.names)


def radial_network(nodes: Sequence[str], lines: Sequence[Line]) -> Network:
    """Order nodes and lines as a tree; the first node is the root.

    Raises DataError for no node, a name given twice, a line to an unknown node or with a limit below 0, and for what is
    not a tree.
    """
    beside = _neighbours(nodes, lines)
    if len(lines) != len(nodes) - 1:
        raise DataError(f"lines: {len(lines)} for {len(nodes)} nodes; a radial network has one line less than nodes")
    order, parent, limit = [nodes[0]], {nodes[0]: -1}, [0]
    for position, name in enumerate(order):  # grows while it is walked
        for other, limit_wh in beside[name]:
            if other not in parent:
                parent[other] = position
                order.append(other)
                limit.append(limit_wh)
    missing = [name for name in nodes if name not in parent]
    if missing:
        raise DataError(f"lines: no way from {nodes[0]!r} to {missing[0]!r}; connect it, and take the ring out")
    parents = np.array([parent[name] for name in order], np.int64)
    return Network(tuple(order), parents, np.array(limit, np.int64))


def _neighbours(nodes: Sequence[str], lines: Sequence[Line]) -> dict[str, list[tuple[str, int]]]:
    """Nodes beside each node, with the limit of the line [Wh]."""
    if not nodes:
        raise DataError("nodes: there is none; name at least one")
    beside: dict[str, list[tuple[str, int]]] = {name: [] for name in nodes}
    if len(beside) < len(nodes):
        twice = next(name for name, count in Counter(nodes).items() if count > 1)
        raise DataError(f"nodes: {twice!r} stands there twice; give each node its own name")
    for number, line in enumerate(lines):
        for name in (line.start, line.end):
            if name not in beside:
                raise DataError(f"lines[{number}]: {name!r} is not one of the nodes; add it there or correct it")
        if not 0 <= line.limit_wh < 1 << 62:
            raise DataError(f"lines[{number}]: limit_wh = {line.limit_wh}; give 0 or more Wh a slot")
        beside[line.start].append((line.end, line.limit_wh))
        beside[line.end].append((line.start, line.limit_wh))
    return beside
