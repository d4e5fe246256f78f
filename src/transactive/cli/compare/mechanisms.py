"""`transactive compare`: the same days under every mechanism, as a table, as JSON, and for the page."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from transactive.config.setting import Setting
from transactive.config.shipped import DEMO
from transactive.core.errors import InputError
from transactive.core.units import money_text
from transactive.engine.governance.recorded_rules import decided_setting
from transactive.insight.studies.comparison import Comparison, MechanismFigures
from transactive.insight.studies.measures import measures_of
from transactive.store import Store
from transactive.studies.asked_slots import DEMO_DAYS, DEMO_START, slots_asked
from transactive.studies.compare import able_of, compare, mechanisms_for, variants
from transactive.texts.formatting import Words

if TYPE_CHECKING:
    from rich.table import Table

MEASURE_WIDTH, FIGURE_WIDTH = 46, 14
"""Characters that names and units take, and each mechanism."""
TOLD_EVERY = 2
"""Seconds after which the page is told again how far a comparison is."""


def run_compare(
    community: str,
    span: tuple[int | None, str | None],
    *,
    names: list[str] | None,
    prices: list[str] | None,
    levies: list[str] | None,
    state: Path | None,
    profile: str | None,
    json: bool,
) -> None:
    """Compare and print; with `state` the page of that folder shows it too. span: days, and the first slot."""
    days, start = span
    setting = decided_setting(DEMO if community == "demo" else Path(community), profile=profile, folder=state)
    demo = community == "demo"
    slots = slots_asked(setting, start or (DEMO_START if demo else None), DEMO_DAYS if days is None and demo else days)
    if names is None and (prices or levies):
        names = [setting.community.market.mechanism]
    mechanisms = mechanisms_for(names, **able_of(setting.community))
    chosen = variants(mechanisms, [_price(price) for price in prices or ()] or (None,), levies or (None,))
    with progress(len(slots) * len(chosen), setting.community.name) as done:
        comparison = compare(setting, slots, chosen, done=done)
    if state:
        keep(comparison, state)
    if json:
        print(msgspec.json.encode(comparison).decode())
    else:
        show_comparison(comparison)


def compare_for_page(setting: Setting, slots: range, folder: Path) -> None:
    """Compare all mechanisms over a finished run, unless its state holds a comparison already."""
    with closing(Store(folder)) as store:
        if store.setting("comparison") is not None:
            return
    names = mechanisms_for(None, **able_of(setting.community))
    with progress(len(slots) * len(names), "comparing mechanisms for the page") as done:
        told = telling_page(folder, len(slots) * len(names), done)
        keep(compare(setting, slots, variants(names), done=told), folder)


def telling_page(folder: Path, total: int, done: Callable[[int], None]) -> Callable[[int], None]:
    """Tell the page how far a comparison is, too, as often as people can see."""
    last = 0.0

    def through(slots: int) -> None:
        nonlocal last
        done(slots)
        if time.monotonic() - last >= TOLD_EVERY:
            last = time.monotonic()
            with closing(Store(folder)) as store:
                store.set(comparing=f"{100 * slots // total} {int(time.time())}")

    return through


def _price(text: str) -> int:
    """A price of carbon as it was given. Raises InputError if it is not whole."""
    if not text.isdecimal():
        raise InputError(f"--carbon-prices {text}: give whole ¤ a tonne, with commas between")
    return int(text)


def keep(comparison: Comparison, folder: Path) -> None:
    """Put a comparison into a state, replacing an earlier one; the page and the API show it."""
    with closing(Store(folder)) as store:
        store.set(comparison=msgspec.json.encode(comparison).decode(), without="comparing")


def show_comparison(comparison: Comparison) -> None:
    """Print a measure a line, a mechanism a column, as many beside each other as fit; what is best is bold."""
    from rich.console import Console

    console = Console(highlight=False)
    orders = sorted({f"{figures.orders:,}" for figures in comparison.mechanisms})
    console.print(
        f"[bold]{comparison.community}[/]: {len(comparison.members)} members, {comparison.slots} slots from"
        f" {comparison.first_slot}, {' or '.join(orders)} orders"
    )
    beside = max((console.width - MEASURE_WIDTH) // FIGURE_WIDTH, 1)
    for first in range(0, len(comparison.mechanisms), beside):
        console.print(_table(comparison, comparison.mechanisms[first : first + beside]))
    if comparison.added:
        console.print(_added(comparison))
    console.print(f"  gas: {comparison.gas_from}", soft_wrap=True)
    console.print("  docs/concepts/compare.md says what each line means", soft_wrap=True)


def _table(comparison: Comparison, shown: Sequence[MechanismFigures]) -> Table:
    """Some of the mechanisms; what is best is best of all."""
    from rich import box
    from rich.table import Table

    words, table = Words(comparison.currency), Table(box=box.SIMPLE_HEAD)
    table.add_column("", no_wrap=True)
    table.add_column("", no_wrap=True)
    for figures in shown:
        table.add_column("\n".join((figures.name, *figures.terms)), justify="right", no_wrap=True)
    for measure in measures_of(comparison.mechanisms):
        best = measure.winner(comparison.mechanisms, words)
        texts = ((measure.show(figures, words), figures.label == best) for figures in shown)
        table.add_row(
            measure.name, measure.unit_text(words), *(f"[bold]{text}[/]" if top else text for text, top in texts)
        )
    return table


def _added(comparison: Comparison) -> Table:
    """What a market would have added to sharing, for each member and in sum."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, title_justify="left")
    table.add_column(f"a market would have added, {comparison.currency}", no_wrap=True)
    for label in comparison.added:
        table.add_column(label, justify="right", no_wrap=True)
    columns = [[int(text) for text in column] for column in comparison.added.values()]
    for member, row in zip(comparison.members, zip(*columns, strict=True), strict=True):
        table.add_row(member, *map(money_text, row))
    table.add_row("all", *(money_text(sum(column)) for column in columns), style="bold")
    return table


@contextmanager
def progress(total: int, title: str) -> Iterator[Callable[[int], None]]:
    """Give a function that is told how many slots are through; a bar on stderr where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=total)
        yield lambda through: progress.update(task, completed=through)
