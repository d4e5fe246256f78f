"""`transactive compare --agents`: markets of agents with induced values, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from transactive.cli.compare.mechanisms import progress
from transactive.insight.studies.agent_scores import FIRST, LAST, AgentFigures
from transactive.studies.agents import Design, compare_agents
from transactive.trading.agents import registry

if TYPE_CHECKING:
    from rich.table import Table

MECHANISMS = ("uniform", "continuous")


def run_compare_agents(
    names: Sequence[str],
    mechanisms: Sequence[str] | None,
    sizes: Sequence[int],
    rounds: int,
    seeds: int,
    *,
    json: bool,
) -> None:
    """Compare and print."""
    agents = list(dict.fromkeys(names)) or list(registry.names())
    under = list(dict.fromkeys(mechanisms or MECHANISMS))
    design = Design(tuple(dict.fromkeys(sizes)), rounds, seeds=seeds)
    total = len(agents) * len(under) * sum(design.seeds_of(size) for size in design.sizes)
    with progress(total, "markets of agents") as done:
        found = compare_agents(agents, under, design, done)
    if json:
        print(msgspec.json.encode({"rounds": rounds, "last": LAST, "figures": found}).decode())
    else:
        show(found, design)


def show(found: Sequence[AgentFigures], design: Design) -> None:
    """Print a table for each mechanism and size; what is most efficient is bold."""
    from rich.console import Console

    console = Console(highlight=False)
    for mechanism, size in dict.fromkeys((each.mechanism, each.per_side) for each in found):
        shown = [each for each in found if (each.mechanism, each.per_side) == (mechanism, size)]
        draws = f"{shown[0].seeds} draw{'s' * (shown[0].seeds > 1)}"
        console.print(f"[bold]{mechanism}[/], {size} a side, {draws}, {design.rounds} rounds")
        console.print(_table(shown))
    console.print("  docs/concepts/agents.md says what each column means, with its source", soft_wrap=True)


def _table(shown: Sequence[AgentFigures]) -> Table:
    """Agents of one mechanism and size, one a line."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    columns = (f"last {LAST}", "least", f"first {FIRST}", "price", "regret", "shock", "back")
    table.add_column("", no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    best = max(each.efficiency for each in shown)
    for each in shown:
        last = f"{each.efficiency:.3f}"
        error = "–" if each.price_error is None else f"{each.price_error:.1f} %"
        recovered = "–" if each.recovery_rounds is None else str(each.recovery_rounds)
        table.add_row(
            each.agent,
            f"[bold]{last}[/]" if each.efficiency == best else last,
            f"{each.least_efficiency:.3f}",
            f"{each.first_rounds:.3f}",
            error,
            f"{each.regret:.1f} %",
            f"{each.after_shock:.3f}",
            recovered,
        )
    return table
