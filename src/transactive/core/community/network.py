"""The network between members: nodes, and lines with limits, losses and reactance.

A file names nodes and lines; `network_of` checks them and lays them out as columns. Where the lines are a tree every
line leads away from the first node, the grid's side, and node k + 1 hangs on line k; otherwise nodes and lines stand as
given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from transactive.core.errors import DataError
from transactive.core.units import PPM, BoolArray, IntArray

MOST_LIMIT_WH = 1 << 62
MOST_LOSS_PPM = PPM // 2
MOST_LOSS_AT_LIMIT_PPM = PPM // 5
MOST_LOSS_BY_FLOW_PPM = PPM // 4
"""Part of a flow that a line loses at most where losses grow with it: beyond its limit it could else lose all."""
MOST_REACTANCE = 10**9
LEAST_POWER_FACTOR_PPM = PPM // 2


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    """A line as a file names it.

    limit_wh: most energy that may enter it in a slot on the way from `from` to `to`; limit_back_wh: the other way, the
    same if left out. loss_ppm: millionths of what enters that do not arrive, whatever the flow; loss_at_limit_ppm: the
    same at a flow of `limit_wh`, of smaller ones less in proportion, as a resistance loses. reactance: a whole number
    in any unit, for all lines or for none; it decides how flows divide in a ring. transformer: drawn as one.
    """

    start: str
    end: str
    limit_wh: int
    limit_back_wh: int | None = None
    loss_ppm: int = 0
    reactance: int | None = None
    transformer: bool = False
    loss_at_limit_ppm: int = 0


class NetworkRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A network as a file names it; the first node is the grid's side.

    pandapower: file to take nodes and lines from, in place of both. power_factor_ppm: active part of the apparent power
    that flows; what lines lose by their flow grows by its square, as the current does.
    """

    nodes: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    pandapower: str | None = None
    power_factor_ppm: int = PPM


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A connected network as columns; the energy of a flow is counted where it enters the line.

    start, end: nodes, (lines,). limit_wh: most that enters from start to end, back_wh: from end to start, (lines,).
    loss_ppm, reactance, transformer: (lines,). loss_at_limit_ppm: (lines,), None where no line's loss grows with its
    flow.
    """

    names: tuple[str, ...]
    start: IntArray
    end: IntArray
    limit_wh: IntArray
    back_wh: IntArray
    loss_ppm: IntArray
    reactance: IntArray
    transformer: BoolArray
    loss_at_limit_ppm: IntArray | None = None

    def __len__(self) -> int:
        return len(self.names)

    @property
    def radial(self) -> bool:
        """Whether it is a tree: then line k leads from the root's side to node k + 1."""
        return len(self.start) == len(self.names) - 1

    @property
    def lossy(self) -> bool:
        """Whether any line loses energy."""
        return bool(self.loss_ppm.any()) or self.loss_at_limit_ppm is not None

    @property
    def calculates(self) -> bool:
        """Whether its prices are calculated: with losses or rings. Else they are only compared."""
        return self.lossy or not self.radial

    def lost_wh(self, flow_wh: IntArray) -> IntArray:
        """What is lost of flows [Wh], (…, lines), of either sign, in whole Wh, line by line.

        Rounded down; where losses grow with the flow to the nearest, or many lines with little would seem to lose none.
        """
        loss_ppm, up = self.loss_ppm_at(flow_wh), 0 if self.loss_at_limit_ppm is None else PPM // 2
        whole, rest = np.divmod(np.abs(flow_wh), PPM)  # in two parts, as the product may need more than 64 bits
        lost: IntArray = whole * loss_ppm + (rest * loss_ppm + up) // PPM
        return lost

    def loss_ppm_at(self, flow_wh: IntArray) -> IntArray:
        """Part of flows [Wh], (…, lines), that is lost [ppm]: P = R (S / U)², so it grows as the flow does."""
        if self.loss_at_limit_ppm is None:
            return self.loss_ppm
        grows = np.abs(flow_wh) * self.loss_at_limit_ppm // np.maximum(self.limit_wh, 1)
        loss: IntArray = self.loss_ppm + np.minimum(grows, MOST_LOSS_BY_FLOW_PPM)
        return loss

    def at_flow(self, flow_wh: IntArray) -> Network:
        """The same network with the losses that it has at these flows [Wh], (lines,), as fixed parts."""
        return replace(self, loss_ppm=self.loss_ppm_at(flow_wh), loss_at_limit_ppm=None)

    def net_wh(self, flow_wh: IntArray) -> IntArray:
        """What flows [Wh], (lines,), positive from start to end, bring to each node on balance, (nodes,)."""
        lost = self.lost_wh(flow_wh)
        net = np.zeros(len(self), np.int64)
        np.subtract.at(net, self.start, np.where(flow_wh > 0, flow_wh, flow_wh + lost))
        np.add.at(net, self.end, np.where(flow_wh > 0, flow_wh - lost, flow_wh))
        return net

    def ways(self, flow_wh: IntArray) -> tuple[IntArray, IntArray]:
        """Nodes that flows [Wh], (lines,), come from and lead to, each (lines,); as named where nothing flows."""
        back = flow_wh < 0
        return np.where(back, self.end, self.start), np.where(back, self.start, self.end)

    def label(self, line: int) -> str:
        """Name of a line for people."""
        return f"{self.names[self.start[line]]}–{self.names[self.end[line]]}"


def network_of(rules: NetworkRules) -> Network:
    """Columns of a network.

    Raises DataError, naming the key, for no node, a name given twice, a line to an unknown node or to its own, a limit,
    loss or reactance that cannot be, a node without a way to the first one, and losses in a ring.
    """
    _check(rules)
    nodes, lines = list(rules.nodes), list(rules.lines)
    order = list(_from_root(rules))
    reached = {rules.nodes[0], *(node for _, node in order)}
    missing = [name for name in nodes if name not in reached]
    if missing:
        raise DataError(f"lines: no way from {nodes[0]!r} to {missing[0]!r}; add a line")
    if len(lines) == len(nodes) - 1:
        nodes, lines = [nodes[0], *(node for _, node in order)], [line for line, _ in order]
    elif lossy := [number for number, line in enumerate(lines) if line.loss_ppm or line.loss_at_limit_ppm]:
        key = "loss_ppm" if lines[lossy[0]].loss_ppm else "loss_at_limit_ppm"
        raise DataError(f"lines[{lossy[0]}]: {key} needs a network without rings; open a ring or take losses out")
    number = {name: position for position, name in enumerate(nodes)}

    def column(values: Iterator[int]) -> IntArray:
        return np.array(list(values), np.int64)

    return Network(
        tuple(nodes),
        column(number[line.start] for line in lines),
        column(number[line.end] for line in lines),
        column(line.limit_wh for line in lines),
        column(_back(line) for line in lines),
        column(line.loss_ppm for line in lines),
        column(line.reactance or 1 for line in lines),
        np.array([line.transformer for line in lines], bool),
        column(_loss_at_limit_ppm(line, rules) for line in lines)
        if any(line.loss_at_limit_ppm for line in lines)
        else None,
    )


def tree(names: Sequence[str], parent: IntArray, limit_wh: IntArray, loss_ppm: IntArray | None = None) -> Network:
    """A tree from columns: `parent` of each node, −1 at the first and before its children, and the line above it."""
    lines = len(names) - 1
    limit = limit_wh[1:].astype(np.int64)
    loss = np.zeros(lines, np.int64) if loss_ppm is None else loss_ppm[1:].astype(np.int64)
    nodes = np.arange(1, lines + 1)
    return Network(tuple(names), parent[1:], nodes, limit, limit, loss, np.ones(lines, np.int64), np.zeros(lines, bool))


def _loss_at_limit_ppm(line: Line, rules: NetworkRules) -> int:
    """Part that is lost at the limit, of active energy, rounded half up: P_lost = R (P / (U cos φ))²."""
    square = rules.power_factor_ppm**2
    return (2 * line.loss_at_limit_ppm * PPM**2 + square) // (2 * square)


def _back(line: Line) -> int:
    return line.limit_wh if line.limit_back_wh is None else line.limit_back_wh


def _turned(line: Line) -> Line:
    """The same line, named from its other end."""
    return msgspec.structs.replace(
        line, start=line.end, end=line.start, limit_wh=_back(line), limit_back_wh=line.limit_wh
    )


def _from_root(rules: NetworkRules) -> Iterator[tuple[Line, str]]:
    """Lines that reach new nodes, turned away from the first node, and the nodes, breadth first."""
    beside: dict[str, list[Line]] = {name: [] for name in rules.nodes}
    for line in rules.lines:
        beside[line.start].append(line)
        beside[line.end].append(_turned(line))
    reached, queue = {rules.nodes[0]}, [rules.nodes[0]]
    for name in queue:  # grows while it is walked
        for line in beside[name]:
            if line.end not in reached:
                reached.add(line.end)
                queue.append(line.end)
                yield line, line.end


def _check(rules: NetworkRules) -> None:
    """What the types of a network file cannot say."""
    if not rules.nodes:
        raise DataError("nodes: there is none; name at least one")
    if not LEAST_POWER_FACTOR_PPM <= rules.power_factor_ppm <= PPM:
        raise DataError(
            f"power_factor_ppm = {rules.power_factor_ppm}; give {LEAST_POWER_FACTOR_PPM} to {PPM}, such as 95 %"
        )
    known = Counter(rules.nodes)
    name, count = known.most_common(1)[0]
    if count > 1:
        raise DataError(f"nodes: {name!r} stands there twice; give each node its own name")
    for number, line in enumerate(rules.lines):
        for name in (line.start, line.end):
            if name not in known:
                raise DataError(f"lines[{number}]: {name!r} is not one of the nodes; add it there or correct it")
        _check_line(line, f"lines[{number}]")
    without = [number for number, line in enumerate(rules.lines) if line.reactance is None]
    if 0 < len(without) < len(rules.lines):
        raise DataError(f"lines[{without[0]}]: reactance is missing; give it for all lines or for none")


def _check_line(line: Line, place: str) -> None:
    """Figures of a line that can be."""
    if line.start == line.end:
        raise DataError(f"{place}: from and to are both {line.start!r}; a line joins two nodes")
    for key in ("limit_wh", "limit_back_wh"):
        if not 0 <= (getattr(line, key) or 0) < MOST_LIMIT_WH:
            raise DataError(f"{place}: {key} = {getattr(line, key)}; give 0 or more Wh a slot")
    if not 0 <= line.loss_ppm <= MOST_LOSS_PPM:
        raise DataError(f"{place}: loss_ppm = {line.loss_ppm}; give 0 to {MOST_LOSS_PPM} millionths")
    if not 0 <= line.loss_at_limit_ppm <= MOST_LOSS_AT_LIMIT_PPM:
        raise DataError(
            f"{place}: loss_at_limit_ppm = {line.loss_at_limit_ppm}; give 0 to {MOST_LOSS_AT_LIMIT_PPM} millionths"
        )
    if line.loss_ppm and line.loss_at_limit_ppm:
        raise DataError(f"{place}: loss_ppm and loss_at_limit_ppm are both there; give one of them")
    if not (line.reactance is None or 1 <= line.reactance <= MOST_REACTANCE):
        raise DataError(f"{place}: reactance = {line.reactance}; give a whole number from 1 to {MOST_REACTANCE}")
