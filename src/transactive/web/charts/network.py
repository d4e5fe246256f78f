"""The network as SVG: nodes with a word of each, lines as wide as they are loaded.

Wide, it grows to the right, one column for each line away from the grid's side; narrow, or where that would be too many
columns, it is a list that is indented.
Lines that close a ring are dashed, beside the tree of the others.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from transactive.core.community.network import Network
from transactive.core.units import IntArray, kwh_text
from transactive.web.charts.draw import Plot, number

WIDE, NARROW = 1060, 296
ROW, STEP, INDENT = 82, 62, 18
LEFT, RIGHT, TOP = 46, 170, 60
TRACK, THIN = 13, 2.5
"""Widths of a limit and of a line that carries nothing [px]."""
Place = tuple[float, float]
Way = tuple[int, int, int]
"""Node, its parent and the line between them."""
COLUMNS = 6
"""Most columns in which lines have room for their words."""


@dataclass(frozen=True, slots=True)
class Cable:
    """A line with what it carries: Wh that enter it, towards `end`, their limit, what is lost.

    hidden: only its state is seen; what it carries stands in for that.
    """

    start: str
    end: str
    transformer: bool
    flow_wh: int
    limit_wh: int
    lost_wh: int
    hidden: bool = False

    @property
    def full(self) -> bool:
        """Whether it carries all that it may, or more."""
        return self.flow_wh >= self.limit_wh

    @property
    def over(self) -> bool:
        """Whether it carries more than it may."""
        return self.flow_wh > self.limit_wh

    @property
    def percent(self) -> int:
        """Loading, rounded down, and up beyond the limit; a line that may carry nothing is loaded fully."""
        if not self.limit_wh:
            return 101 if self.over else 100
        return -(-100 * self.flow_wh // self.limit_wh) if self.over else 100 * self.flow_wh // self.limit_wh


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A network in a slot: what each node takes on balance [Wh], (nodes,), a label of each, and its lines."""

    network: Network
    net_wh: IntArray
    labels: Sequence[str]
    cables: Sequence[Cable]


def cables(network: Network, flow: IntArray, lost: IntArray, hidden: Container[int] = ()) -> list[Cable]:
    """Lines, each in the direction of its flow. hidden: those of which only the state is seen."""
    found = []
    limits = zip(network.limit_wh.tolist(), network.back_wh.tolist(), strict=True)
    for line, (limit, back) in enumerate(limits):
        start, end = network.names[network.start[line]], network.names[network.end[line]]
        forward = flow[line] > 0 or (flow[line] == 0 and limit > 0)
        way = (start, end, limit) if forward else (end, start, back)
        kind = bool(network.transformer[line])
        found.append(Cable(way[0], way[1], kind, abs(int(flow[line])), way[2], int(lost[line]), line in hidden))
    return found


def network_chart(shown: Picture, span: str) -> Markup:
    """Draw the network of a slot, wide and narrow."""
    ways = _ways(shown.network)
    title = f"Network {span}: " + "; ".join(_sentence(cable) for cable in shown.cables)
    depth = _depths(ways)
    wide = _tree(shown, ways, depth) if max(depth.values()) <= COLUMNS else _list(shown, ways, WIDE)
    narrow = _list(shown, ways, NARROW)
    return Markup(wide.svg(title, "wide") + narrow.svg(title, "narrow"))  # noqa: S704 - ours


def _depths(ways: Sequence[Way]) -> dict[int, int]:
    """How many lines each node is away from the first."""
    depth = {0: 0}
    for node, parent, _ in ways:
        depth[node] = depth[parent] + 1
    return depth


def _ways(network: Network) -> list[Way]:
    """Node, its parent and the line between them, depth first, for all nodes but the first."""
    beside: list[list[tuple[int, int]]] = [[] for _ in network.names]
    for line, (start, end) in enumerate(zip(network.start.tolist(), network.end.tolist(), strict=True)):
        beside[start].append((line, end))
        beside[end].append((line, start))
    reached, waiting, ways = {0}, [(0, -1, -1)], []
    while waiting:
        node, parent, line = waiting.pop()
        if line >= 0:
            ways.append((node, parent, line))
        fresh = [(k, other) for k, other in beside[node] if other not in reached]
        for k, other in reversed(fresh):
            if other not in reached:
                reached.add(other)
                waiting.append((other, node, k))
    return ways


def _tree(shown: Picture, ways: Sequence[Way], depth: dict[int, int]) -> Plot:
    """From left to right: a column a depth, a row a leaf."""
    inner = {parent for _, parent, _ in ways}
    row: dict[int, float] = {}
    for node in [0, *(node for node, _, _ in ways)]:
        if node not in inner:
            row[node] = len(row)
    for node in [*(node for node, _, _ in reversed(ways)), 0]:
        if node in inner:
            below = [row[child] for child, parent, _ in ways if parent == node]
            row[node] = (min(below) + max(below)) / 2
    leaves = sum(node not in inner for node in row)
    step = (WIDE - LEFT - RIGHT) / max(*depth.values(), 1)
    at = {node: (LEFT + depth[node] * step, TOP + row[node] * ROW) for node in row}
    plot = Plot(WIDE, TOP + leaves * ROW - 30, (0, 1), (0, 1))
    _rings(plot, shown, ways, at)
    for node, parent, line in ways:
        (x, y), (x1, y1) = at[parent], at[node]
        _cable(plot, shown.cables[line], _bend((x, y), (x1, y1)))
        _line_words(plot, shown, line, node, (x1 - step / 2 + 32, y1), "mid")
    for node, (x, y) in at.items():
        _node(plot, shown, node, (x, y))
        if node in inner:
            _node_words(plot, shown, node, (x, y - 38), "mid", 15)
        else:
            _node_words(plot, shown, node, (x + 26, y - 3), "", 16)
    return plot


def _list(shown: Picture, ways: Sequence[Way], width: int) -> Plot:
    """From top to bottom: a row a node, indented by its depth."""
    at = {0: (18.0, 30.0)}
    for number_, (node, parent, _) in enumerate(ways, 1):
        at[node] = (min(at[parent][0] + INDENT, width - 186.0), 30.0 + number_ * STEP)
    plot = Plot(width, len(at) * STEP + 6, (0, 1), (0, 1))
    _rings(plot, shown, ways, at)
    for node, parent, line in reversed(ways):  # nearer nodes over those that are farther down the same way
        (x, y), (x1, y1) = at[parent], at[node]
        _cable(plot, shown.cables[line], f"M{number(x)} {number(y)}V{number(y1)}H{number(x1)}")
    for node, _, line in ways:
        x, y = at[node]
        _line_words(plot, shown, line, node, (x + 24, y + 24), "", below=False)
    for node, (x, y) in at.items():
        _node(plot, shown, node, (x, y))
        _node_words(plot, shown, node, (x + 24, y - 8), "", 16)
    return plot


def _bend(start: Place, end: Place) -> str:
    """Path that leaves its start and reaches its end level."""
    (x, y), (x1, y1) = start, end
    points = (x + 34, y, x + 22, y1, x + 64, y1)
    return f"M{number(x)} {number(y)}C{' '.join(map(number, points))}H{number(x1)}"


def _cable(plot: Plot, cable: Cable, path: str) -> None:
    """A line: its limit as a track, its load upon it."""
    width = THIN + (TRACK - THIN) * min(cable.percent, 100) / 100 if cable.flow_wh else THIN
    loaded = _loaded(cable)
    plot.add(f'<path class="track" d="{path}"/><path class="load {loaded}" stroke-width="{number(width)}" d="{path}"/>')


def _rings(plot: Plot, shown: Picture, ways: Sequence[Way], at: dict[int, Place]) -> None:
    """Lines that are not in the tree, straight and dashed."""
    drawn = {line for _, _, line in ways}
    network = shown.network
    for line in range(len(network.start)):
        if line not in drawn:
            (x, y), (x1, y1) = at[int(network.start[line])], at[int(network.end[line])]
            cable = shown.cables[line]
            plot.add(
                f'<path class="load ring {_loaded(cable)}" d="M{number(x)} {number(y)}L{number(x1)} {number(y1)}"/>'
            )
            if not plot.small:
                text = f"{_load(cable, 'to ' + cable.end)} · {_state(cable)}"
                plot.text((2 * x + 3 * x1) / 5, (2 * y + 3 * y1) / 5 + 18, text, "mid halo")


def _line_words(plot: Plot, shown: Picture, line: int, node: int, at: Place, css: str, *, below: bool = True) -> None:
    """Flow and limit of a line, with an arrow to or from its node, and how full it is."""
    cable = shown.cables[line]
    inward = cable.end == shown.network.names[node]
    arrow = ("↓" if inward else "↑") if plot.small else ("→" if inward else "←")
    x, y = at
    state = _state(cable)
    if below:
        plot.text(x, y - 12, _load(cable, arrow), f"halo {css}")
        plot.text(x, y + 22, state, f"halo {css}")
    else:
        plot.text(x, y, f"{_load(cable, arrow)} · {state}", f"halo {css}")


def _load(cable: Cable, arrow: str) -> str:
    if cable.hidden:
        return f"limit {kwh_text(cable.limit_wh, 1)} kWh"
    energy = f"{kwh_text(cable.flow_wh, 2)} of {kwh_text(cable.limit_wh, 1)} kWh"
    return f"{arrow} {energy}" if cable.flow_wh else energy


def _loaded(cable: Cable) -> str:
    """Class of a line that is full or beyond its limit."""
    return "over" if cable.over else "full" if cable.full and cable.flow_wh else ""


def _state(cable: Cable) -> str:
    """How loaded a line is, in words."""
    name = "transformer, " if cable.transformer else ""
    if cable.hidden:
        return name + ("beyond" if cable.over else "near" if cable.flow_wh else "within")
    if cable.over:
        return f"{name}over, {cable.percent} %"
    return name + ("idle" if not cable.flow_wh else "full" if cable.full else f"{cable.percent} %")


def _sentence(cable: Cable) -> str:
    """A line for those who listen."""
    if cable.hidden:
        return f"{cable.start} to {cable.end} {_state(cable)} its limit of {kwh_text(cable.limit_wh, 2)} kWh"
    energy = f"{kwh_text(cable.flow_wh, 2)} of {kwh_text(cable.limit_wh, 2)} kWh"
    return f"{cable.start} to {cable.end} {energy}, {_state(cable)}"


def _node(plot: Plot, shown: Picture, node: int, at: Place) -> None:
    """A node: a triangle down where its orders draw, up where they feed in, a dot where they do neither."""
    x, y = at
    net = int(shown.net_wh[node])
    if not net:
        plot.add(f'<circle class="k-ink" cx="{number(x)}" cy="{number(y)}" r="6"/>')
        return
    colour = "import" if net > 0 else "export"
    tip, base = (y + 5, y - 4) if net > 0 else (y - 5, y + 4)
    plot.add(f'<circle class="site s-{colour}" cx="{number(x)}" cy="{number(y)}" r="14"/>')
    plot.add(f'<path class="k-{colour}" d="M{number(x)} {number(tip)}L{number(x - 5)} {number(base)}h10z"/>')


def _node_words(plot: Plot, shown: Picture, node: int, at: Place, css: str, step: int) -> None:
    """Name and label of a node."""
    x, y = at
    plot.text(x, y, shown.network.names[node], f"strong halo {css}")
    plot.text(x, y + step, shown.labels[node], f"halo {css}")
