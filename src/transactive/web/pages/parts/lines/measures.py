"""What was done for lines, on the grid page: each measure in words, and the sums since the run began."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transactive.core.community.network import Network
from transactive.core.congestion import Measure
from transactive.core.units import kwh_text
from transactive.store.read.runs import Row, Run
from transactive.texts.formatting import Words, counted
from transactive.web.lines.seen import SeenLines


@dataclass(frozen=True, slots=True)
class Done:
    """A measure for people: when, for which line and limit, how, of how many homes, how much, for how much."""

    day: str
    span: str
    line: str
    why: str
    homes: str
    kwh: str
    paid: str

    @property
    def cells(self) -> tuple[str, ...]:
        """The same as a row of the whole table."""
        return f"{self.day}, {self.span}", self.line, self.why, self.homes, self.kwh, self.paid


def measures_done(lines: SeenLines, done: Sequence[Row], run: Run, words: Words, *kinds: Measure) -> list[Done]:
    """Measures of some kinds."""
    return [
        Done(
            day=words.short_day(row["slot"]),
            span=words.span(row["slot"], run.clock.length),
            line=lines.network.label(row["line"]),
            why=_why(lines.network, row, words),
            homes=str(row["homes"]) if row["homes"] else "–",
            kwh=kwh_text(row["energy_wh"], 2) if row["summed"] else "–",
            paid=words.money(row["amount_n"]) if row["summed"] else "–",
        )
        for row in done
        if row["kind"] in kinds
    ]


def _why(network: Network, row: Row, words: Words) -> str:
    """The limit that was at risk, and how it was asked for."""
    called, line = row["kind"] == Measure.CALL, row["line"]
    if row["hidden"]:
        return "by price" if called else "by limit"
    back = row["price"] < 0 if called else row["unlimited_wh"] < 0
    limit = kwh_text(int((network.back_wh if back else network.limit_wh)[line]))
    text = f"{limit} kWh {'from' if back else 'to'} the homes"
    if called:
        return f"{text}, at {words.price(abs(row['price']), 2)} {words.price_unit}"
    return f"{text}, by limit" if row["kind"] == Measure.MOVE else text


def sums_since(found: Mapping[int, Row], words: Words) -> list[tuple[str, str]]:
    """Sums since the run began."""
    call, move, held, left = (found[kind] for kind in (Measure.CALL, Measure.MOVE, Measure.CURTAIL, Measure.OPEN))
    return [
        ("PV held back", f"{kwh_text(held['energy_wh'])} kWh in {counted(held['slots'], 'slot')}"),
        ("Moved by price and limit", f"{kwh_text(call['energy_wh'] + move['energy_wh'])} kWh"),
        ("The network paid", words.money(call["amount_n"] + move["amount_n"] + held["amount_n"])),
        ("Slots with a line over", f"{left['slots']:,}"),
    ]
