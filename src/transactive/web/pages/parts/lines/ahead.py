"""What is forecast of each line in the coming slots, in per cent of its limits; beside it what came, where it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transactive.core.units import kwh_text
from transactive.store.read.runs import Row, Run
from transactive.texts.formatting import Words
from transactive.web.lines.seen import LIKELY_PPM, RISKY_PPM, SeenLines, loading

AHEAD = 6
"""Slots that are shown."""
MOST_LINES = 12
"""Lines that are shown, those at most risk."""
STATES = {"free": ("", "check"), "at risk": ("warn", "warn"), "likely over": ("bad", "x")}
"""Class and icon of each state of a cell."""


def likely(row: Row) -> str:
    """How likely a forecast takes a line beyond its limit, either way."""
    return f"{(row['over_ppm'] + row['back_ppm'] + 5_000) // 10_000} %"


@dataclass(frozen=True, slots=True)
class Cell:
    """One line in one slot: expected loading and the far end of its interval [%], how likely over, and what came.

    hidden: only the states of the forecast and of what came are seen.
    """

    expected: int
    to: int
    likely: str
    ppm: int
    came: str
    hidden: bool = False

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
        """The tightest cell whose figures are seen, its line and slot: of those to come, or if all came, of these."""
        cells = [
            (cell, line.name, slot)
            for line in self.lines
            for cell, slot in zip(line.cells, self.slots, strict=True)
            if not cell.hidden
        ]
        return max(cells, key=lambda one: (not one[0].came, one[0].to), default=None)


def look_ahead(
    lines: SeenLines, told: Mapping[tuple[int, int], Row], came: Sequence[Row], run: Run, slot: int, words: Words
) -> LinesAhead:
    """Forecasts `told` by slot and line, from `slot` on; came: loads of slots that are delivered. Both as seen."""
    length, network = run.clock.length, lines.network
    slots = [at for at in range(slot, slot + AHEAD * length, length) if (at, 0) in told]
    carried = {(row["slot"], row["line"]): row for row in came}
    found = []
    for line in range(len(network.start)):
        cells = [_cell(lines, told[at, line], carried.get((at, line))) for at in slots]
        limits = f"to homes {kwh_text(int(network.limit_wh[line]))}, from {kwh_text(int(network.back_wh[line]))} kWh"
        found.append(LineAhead(network.label(line), limits, cells))
    found.sort(key=lambda line: -line.risk)
    rows = [
        (line.name, words.span(at, length), *_figures(cell))
        for line in found
        for at, cell in zip(slots, line.cells, strict=True)
    ]
    return LinesAhead(slots, [words.clock(at) for at in slots], found, rows)


def _figures(cell: Cell) -> tuple[str, ...]:
    """A cell as numbers."""
    if cell.hidden:
        return cell.state, "–", "–", cell.came or "–"
    return f"{cell.expected} %", f"{cell.to} %", cell.likely, cell.came or "–"


def _cell(lines: SeenLines, row: Row, came: Row | None) -> Cell:
    """One line in one slot."""
    line, network = row["line"], lines.network
    return Cell(
        expected=loading(network, line, row["expected_wh"]),
        to=max(loading(network, line, row[name]) for name in ("low_wh", "high_wh")),
        likely=likely(row),
        ppm=row["over_ppm"] + row["back_ppm"],
        came="" if came is None else _came(lines, came),
        hidden=row["hidden"],
    )


def _came(lines: SeenLines, row: Row) -> str:
    """What came, as far as it is seen."""
    return str(row["state"]) if row["hidden"] else f"{loading(lines.network, row['line'], row['flow_wh'])} %"
