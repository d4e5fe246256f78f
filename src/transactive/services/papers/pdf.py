"""A statement as a PDF: two pages at most that say it, and an annex by day. The JSON is what can be verified."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from transactive.core.errors import InputError
from transactive.insight.statements.statement import Statement
from transactive.services.bills.pdf import BOLD, FONT, MM, fonts
from transactive.services.papers.contents import StatementPaper, paper_of
from transactive.services.papers.days import HEAD, annex, by_slot
from transactive.texts.formatting import Words

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

WIDTH, HEIGHT = 210 * MM, 297 * MM
LEFT, RIGHT, TOP, BOTTOM = 18 * MM, 192 * MM, 280 * MM, 20 * MM
LINE, GAP = 4.6 * MM, 3 * MM
SMALL, TEXT, TITLE, BIG = 7.5, 8.5, 11, 17
"""Sizes of type [pt]."""
INK, SOFT, RULE, ACCENT = "#16211c", "#46534c", "#c6cec3", "#0a6b52"
MOST_PAGES, MOST_ROWS = 2, 12
"""Pages without the annex, and lines of the method: of more rules the JSON tells."""
FIGURES_A_ROW, MANY = 3, 4
"""Figures beside each other; columns beyond which a table is set smaller."""
WITHOUT = str.maketrans({"₂": "2", "→": ">", "✓": "", "\u202f": " "})
"""Signs that the fonts do not have."""


def statement_pdf(of: Statement, file: str, words: Words) -> bytes:
    """PDF of a statement in local times; `file` names the JSON that can be verified. The same bytes for the same one.

    Raises InputError for one that takes more than two pages without its annex.
    """
    from reportlab.pdfgen.canvas import Canvas

    made, paper = io.BytesIO(), paper_of(of, words)
    fonts()
    canvas = Canvas(made, pagesize=(WIDTH, HEIGHT), invariant=1, pageCompression=1, initialFontName=FONT)
    canvas.setTitle(f"{paper.title}, {paper.when}")
    canvas.setAuthor(of.community.name)
    sheet = PaperSheet(canvas, f"{of.community.name} · {paper.title} · {paper.when}")
    _front(sheet, of, paper, file)
    if sheet.page > MOST_PAGES:
        raise InputError(f"{paper.title}: takes {sheet.page} pages; take a shorter span, or HTML")
    sheet.turn()
    sheet.heading("Annex: slot by slot" if by_slot(of, words) else "Annex: day by day")
    sheet.soft(f"Energy in kWh, money in {of.community.currency}, carbon by location; times of {paper.zone}")
    sheet.table(("", *HEAD), [*annex(of, words)], _columns(40 * MM, len(HEAD)))
    sheet.end()
    canvas.save()
    return made.getvalue()


def _front(sheet: PaperSheet, of: Statement, paper: StatementPaper, file: str) -> None:
    """What stands before the annex."""
    sheet.write(LEFT, paper.title, BIG, BOLD, INK)
    sheet.down(2 * LINE)
    minutes = of.community.slot_seconds // 60
    sheet.soft(f"{of.community.name} · {paper.when}")
    sheet.soft(f"{len(of.slots):,} slots of {minutes} min, times of {paper.zone}")
    sheet.down(GAP)
    for first in range(0, len(paper.figures), FIGURES_A_ROW):
        sheet.figures(paper.figures[first : first + FIGURES_A_ROW])
    sheet.heading("Where the energy came from")
    sheet.table(("Source", "kWh", "kg CO₂e", "g/kWh"), paper.sources, _columns(60 * MM, 3))
    sheet.heading("Money")
    sheet.table(("Line", "kWh", f"Received − paid, {of.community.currency}"), paper.money, _columns(90 * MM, 2))
    if paper.corrections:
        sheet.heading("Corrected readings")
        sheet.soft(f"{len(paper.corrections)} readings of earlier slots were corrected; the JSON has each of them.")
    if paper.credits:
        sheet.heading("Carbon credits")
        sheet.soft(f"{len(paper.credits)} entries; retired credits are used up for ever. The JSON has each of them.")
    sheet.heading("Method and proof")
    for name, text in paper.method[:MOST_ROWS]:
        sheet.pair(name, text)
    sheet.down(GAP)
    sheet.soft("This paper is for reading. What can be verified is the JSON file that it was made from:")
    sheet.soft(f"transactive verify {file} --node URL")


def _columns(first: float, others: int) -> list[float]:
    """Right edges of the columns after one that is so wide [pt]."""
    width = (RIGHT - LEFT - first) / others
    return [LEFT + first + width * (k + 1) for k in range(others)]


@dataclass(slots=True)
class PaperSheet:
    """Pages that are filled from top to bottom. foot: below each. height: where the next line stands [pt]."""

    canvas: Canvas
    foot: str
    page: int = 1
    height: float = TOP

    def write(self, x: float, text: str, size: float = TEXT, font: str = FONT, ink: str = INK) -> None:
        """Text that begins at a place [pt]."""
        self.canvas.setFont(font, size)
        self.canvas.setFillColor(ink)
        self.canvas.drawString(x, self.height, text.translate(WITHOUT))

    def write_to(self, x: float, text: str, size: float = TEXT, font: str = FONT, ink: str = INK) -> None:
        """Text that ends at a place [pt]."""
        self.canvas.setFont(font, size)
        self.canvas.setFillColor(ink)
        self.canvas.drawRightString(x, self.height, text.translate(WITHOUT))

    def down(self, by: float = LINE) -> None:
        """Go down [pt], onto the next page where this one is full."""
        self.height -= by
        if self.height < BOTTOM:
            self.turn()

    def turn(self) -> None:
        """Begin the next page."""
        self.end()
        self.canvas.showPage()
        self.page, self.height = self.page + 1, TOP

    def end(self) -> None:
        """Write what stands below the page."""
        self.height = BOTTOM - 2 * LINE
        self.write(LEFT, self.foot, SMALL, ink=SOFT)
        self.write_to(RIGHT, f"Page {self.page}", SMALL, ink=SOFT)

    def heading(self, text: str) -> None:
        """A heading that does not stand alone at the foot of a page."""
        self.down(GAP + LINE)
        if self.height < BOTTOM + 4 * LINE:
            self.turn()
        self.write(LEFT, text, TITLE, BOLD, ACCENT)
        self.down(LINE + 1)

    def soft(self, text: str) -> None:
        """A line in the second colour."""
        self.write(LEFT, text, ink=SOFT)
        self.down()

    def figures(self, figures: Sequence[tuple[str, str]]) -> None:
        """Some figures beside each other, each above its words."""
        width = (RIGHT - LEFT) / FIGURES_A_ROW
        for k, (value, _) in enumerate(figures):
            self.write(LEFT + k * width, value, TITLE, BOLD)
        self.down()
        for k, (_, text) in enumerate(figures):
            self.write(LEFT + k * width, text, SMALL, ink=SOFT)
        self.down(LINE + GAP)

    def table(self, head: Sequence[str], rows: Sequence[tuple[str, ...]], edges: Sequence[float]) -> None:
        """Rows with their first column at the left edge and numbers that end at their edges; a head on each page."""
        self._head(head, edges)
        for first, *others in rows:
            page = self.page
            self.write(LEFT, first, SMALL if len(edges) > MANY else TEXT)
            for edge, text in zip(edges, others, strict=True):
                self.write_to(edge, text, SMALL if len(edges) > MANY else TEXT)
            self.down()
            if self.page > page:
                self._head(head, edges)

    def _head(self, head: Sequence[str], edges: Sequence[float]) -> None:
        self.write(LEFT, head[0], SMALL, ink=SOFT)
        for edge, text in zip(edges, head[1:], strict=True):
            self.write_to(edge, text, SMALL, ink=SOFT)
        self.canvas.setStrokeColor(RULE)
        self.canvas.line(LEFT, self.height - 3, RIGHT, self.height - 3)
        self.down(LINE + 1)

    def pair(self, name: str, text: str) -> None:
        """What a line is about, and what it says, on as many lines as that takes."""
        from reportlab.lib.utils import simpleSplit

        self.write(LEFT, name, ink=SOFT)
        for part in simpleSplit(text.translate(WITHOUT), FONT, TEXT, RIGHT - LEFT - 45 * MM):
            self.write(LEFT + 45 * MM, part)
            self.down()
