"""Charts as SVG text. Colours come from CSS classes only, so one drawing serves light, dark and print.

Every chart is drawn twice, wide and narrow, so that letters keep their size on a telephone instead of shrinking.
Floats are coordinates here and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape

from transactive.texts.formatting import Words
from transactive.texts.language import figure

Point = tuple[float, float]
Range = tuple[float, float]
NARROW = 400
"""Pixels below which a drawing is the narrow one."""


def number(value: float) -> str:
    """A coordinate with one decimal at most."""
    return f"{value:.1f}".rstrip("0").rstrip(".")


@dataclass(slots=True)
class Plot:
    """A rectangle with two linear scales; parts are appended in drawing order. Margins in pixels."""

    width: int
    height: int
    x: Range
    y: Range
    left: int = 34
    right: int = 12
    top: int = 24
    bottom: int = 26
    parts: list[str] = field(default_factory=list)

    @property
    def small(self) -> bool:
        """Whether this is the drawing for narrow screens."""
        return self.width < NARROW

    def px(self, value: float) -> float:
        """Horizontal position of a value."""
        low, high = self.x
        return self.left + (value - low) / (high - low) * (self.width - self.right - self.left)

    def py(self, value: float) -> float:
        """Vertical position of a value."""
        low, high = self.y
        base = self.height - self.bottom
        return base - (value - low) / (high - low) * (base - self.top)

    def add(self, part: str) -> None:
        """Append a piece of SVG."""
        self.parts.append(part)

    def text(self, x: float, y: float, text: str, css: str = "") -> None:
        """Letters at a pixel position."""
        self.add(f'<text x="{number(x)}" y="{number(y)}" class="{css}">{escape(text)}</text>')

    def horizontals(self, ticks: Iterable[float]) -> None:
        """Grid lines with their values."""
        for value in ticks:
            y = number(self.py(value))
            css = "ax" if value == 0 else "gl"
            self.add(f'<line class="{css}" x1="{self.left}" x2="{self.width - self.right}" y1="{y}" y2="{y}"/>')
            self.text(self.left - 8, self.py(value) + 4, figure(f"{value:g}".replace("-", "−")), "endt")

    def labels(self, at: Iterable[tuple[float, str]]) -> None:
        """Labels under the horizontal axis."""
        for value, text in at:
            self.text(self.px(value), self.height - self.bottom + 18, text, "mid")

    def rect(self, across: Range, along: Range, css: str, radius: int = 0) -> None:
        """A rectangle between two values on each axis."""
        top, base = sorted((self.py(along[0]), self.py(along[1])))
        x, width = self.px(across[0]), self.px(across[1]) - self.px(across[0])
        self.add(
            f'<rect x="{number(x)}" y="{number(top)}" width="{number(max(width, 0.5))}"'
            f' height="{number(base - top)}" rx="{radius}" class="{css}"/>'
        )

    def line(self, points: Sequence[Point | None], css: str) -> None:
        """A polyline; None breaks it."""
        path, pen_up = "", True
        for point in points:
            if point is not None:
                path += f"{'M' if pen_up else 'L'}{number(self.px(point[0]))} {number(self.py(point[1]))}"
            pen_up = point is None
        self.add(f'<path class="l {css}" d="{path}"/>')

    def area(self, low: Sequence[Point], high: Sequence[Point], css: str) -> None:
        """The area between two polylines."""
        points = [*high, *reversed(low)]
        path = "L".join(f"{number(self.px(x))} {number(self.py(y))}" for x, y in points)
        self.add(f'<path class="{css}" d="M{path}Z"/>')

    def rule(self, start: Point, end: Point, css: str) -> None:
        """A straight line between two values."""
        (x1, y1), (x2, y2) = start, end
        self.add(
            f'<line class="{css}" x1="{number(self.px(x1))}" x2="{number(self.px(x2))}"'
            f' y1="{number(self.py(y1))}" y2="{number(self.py(y2))}"/>'
        )

    def dot(self, x: float, y: float, css: str, radius: float = 5.5) -> None:
        """A marked point."""
        self.add(
            f'<circle cx="{number(self.px(x))}" cy="{number(self.py(y))}" r="{number(radius)}" class="point {css}"/>'
        )

    def svg(self, title: str, css: str) -> str:
        """The whole drawing, with its title for screen readers."""
        return (
            f'<svg class="{css}" viewBox="0 0 {self.width} {self.height}" role="img"'
            f' aria-label="{escape(title)}">{"".join(self.parts)}</svg>'
        )


def hours(start: int, words: Words, length: int, *, small: bool) -> list[tuple[float, str]]:
    """Labels of a local day's axis in slots since its midnight, where the clocks show them."""
    labels, end = [], words.next_day(start)
    for hour in (0, 12) if small else (0, 6, 12, 18):
        at = next((s for s in range(start, end, length) if words.clock(s) >= f"{hour:02d}:00"), start)
        labels.append(((at - start) / length, f"{hour:02d}" if small else f"{hour:02d}:00"))
    return [*labels, ((end - start) / length, "24" if small else "24:00")]


def both(draw: Callable[[int, int], Plot], title: str, wide: tuple[int, int], narrow: tuple[int, int]) -> Markup:
    """Both sizes of one chart; `draw` takes width and height."""
    return Markup(draw(*wide).svg(title, "wide") + draw(*narrow).svg(title, "narrow"))  # noqa: S704 - ours


def steps(values: Sequence[float | None], width: float = 1.0) -> list[Point | None]:
    """Points of a step line: one value per interval of `width` from 0, None where there is none."""
    points: list[Point | None] = []
    for index, value in enumerate(values):
        if value is None:
            points.append(None)
        else:
            points += [(index * width, value), ((index + 1) * width, value)]
    return points


def ticks(high: float, most: int) -> list[float]:
    """Round values from 0 on that reach at least `high`, in at most `most` intervals."""
    size = 10 ** math.floor(math.log10(max(high, 1e-6) / most))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor * most >= high)
    return [round(step * k, 9) for k in range(math.ceil(high / step - 1e-9) + 1)]
