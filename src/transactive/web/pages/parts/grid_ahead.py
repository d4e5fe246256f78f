"""What is forecast of each line in the coming slots, in per cent of its limits; beside it what came, where it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transactive.core.community.network import Network
from transactive.core.units import kwh_text
from transactive.store.read.runs import Row, Run
from transactive.texts.formatting import clock_text, span_text

AHEAD = 6
"""Slots that are shown."""
MOST_LINES = 12
"""Lines that are shown, those at most risk."""
LIKELY_PPM, RISKY_PPM = 500_000, 50_000
STATES = {"free": ("", "check"), "at risk": ("warn", "warn"), "likely over": ("bad", "x")}
"""Class and icon of each state of a cell."""


def loading(network: Network, line: int, flow_wh: int) -> int:
    """Loading of a line [%], rounded up beyond the limit and down within it; 0 if nothing flows where nothing may."""
    limit, size = int((network.limit_wh if flow_wh >= 0 else network.back_wh)[line]), abs(flow_wh)
    if size > limit:
        return -(-100 * size // limit) if limit else 101
    return 100 * size // limit if limit else 0


def likely(row: Row) -> str:
    """How likely a forecast takes a line beyond its limit, either way."""
    return f"{(row['over_ppm'] + row['back_ppm'] + 5_000) // 10_000} %"


@dataclass(frozen=True, slots=True)
class Cell:
    """One line in one slot: expected loading and the far end of its interval [%], how likely over, and what came."""

    expected: int
    to: int
    likely: str
    ppm: int
    came: str

    @property
    def state(self) -> str:
        """The state in words."""
        return "likely over" if self.ppm >= LIKELY_PPM else "at risk" if self.ppm > RISKY_PPM else "free"

    @property
    def css(self) -> str:
        """Class of the state."""
        return STATES[self.state][0]

    @property
    def icon(self) -> str:
        """Icon of the state."""
        return STATES[self.state][1]


@dataclass(frozen=True, slots=True)
class LineAhead:
    """One line: its name, its limits in words, and a cell a slot."""

    name: str
    limits: str
    cells: list[Cell]

    @property
    def risk(self) -> int:
        """The largest risk of its slots [ppm]."""
        return max((cell.ppm for cell in self.cells), default=0)


@dataclass(frozen=True, slots=True)
class LinesAhead:
    """The forecast of the chosen slot and those after it; lines with the largest risk first."""

    slots: list[int]
    spans: list[str]
    lines: list[LineAhead]
    rows: Sequence[tuple[str, ...]]

    @property
    def shown(self) -> list[LineAhead]:
        """Lines that have room."""
        return self.lines[:MOST_LINES]

    @property
    def risky(self) -> int:
        """Cells that are not free."""
        return sum(cell.state != "free" for line in self.lines for cell in line.cells)

    @property
    def count(self) -> int:
        """All cells."""
        return len(self.lines) * len(self.slots)

    def tightest(self) -> tuple[Cell, str, int] | None:
        """The tightest cell, its line and slot: of those that have not come yet, or if all have, of these."""
        cells = [
            (cell, line.name, slot) for line in self.lines for cell, slot in zip(line.cells, self.slots, strict=True)
        ]
        return max(cells, key=lambda one: (not one[0].came, one[0].to), default=None)


def look_ahead(
    network: Network, told: Mapping[tuple[int, int], Row], came: Sequence[Row], run: Run, slot: int
) -> LinesAhead:
    """Forecasts `told` by slot and line, from `slot` on; came: loads of slots that are delivered."""
    length = run.clock.length
    slots = [at for at in range(slot, slot + AHEAD * length, length) if (at, 0) in told]
    carried = {(row["slot"], row["line"]): row["flow_wh"] for row in came}
    lines = []
    for line in range(len(network.start)):
        cells = [_cell(network, told[at, line], carried.get((at, line))) for at in slots]
        limits = f"to homes {kwh_text(int(network.limit_wh[line]))}, from {kwh_text(int(network.back_wh[line]))} kWh"
        lines.append(LineAhead(network.label(line), limits, cells))
    lines.sort(key=lambda line: -line.risk)
    rows = [
        (line.name, span_text(at, length), f"{cell.expected} %", f"{cell.to} %", cell.likely, cell.came or "–")
        for line in lines
        for at, cell in zip(slots, line.cells, strict=True)
    ]
    return LinesAhead(slots, [clock_text(at) for at in slots], lines, rows)


def _cell(network: Network, row: Row, came: int | None) -> Cell:
    """One line in one slot."""
    line = row["line"]
    return Cell(
        expected=loading(network, line, row["expected_wh"]),
        to=max(loading(network, line, row[name]) for name in ("low_wh", "high_wh")),
        likely=likely(row),
        ppm=row["over_ppm"] + row["back_ppm"],
        came="" if came is None else f"{loading(network, line, came)} %",
    )
