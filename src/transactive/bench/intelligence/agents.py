"""How well agents trade: markets with induced values, the default agent beside ZI-C in the same markets."""

from __future__ import annotations

from collections.abc import Iterator

from transactive.bench.measure import BenchTimer
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.insight.studies.agent_scores import AgentFigures
from transactive.studies.agents import Design, compare_agents

DESIGN = Design((5, 20, 200), seeds=3)
DEFAULT, TRIVIAL = "curves", "zic"


@bench("agents", summary="the default agent beside zero intelligence, uniform and continuous")
def agents(meter: BenchTimer) -> Iterator[Row]:  # noqa: ARG001 - nothing here is timed
    """Efficiency of the last rounds before a shock and the first after it, price error and regret."""
    found = compare_agents([DEFAULT, TRIVIAL], ["uniform", "continuous"], DESIGN)
    by_market: dict[str, dict[str, AgentFigures]] = {}
    for each in found:
        by_market.setdefault(f"{each.mechanism}, {each.per_side} a side", {})[each.agent] = each
    for name, pair in by_market.items():
        own, other = pair[DEFAULT], pair[TRIVIAL]
        yield _row(f"{name}, efficiency", own.efficiency, other.efficiency, "of the best")
        yield _row(f"{name}, efficiency after a shock", own.after_shock, other.after_shock, "of the best")
        yield _row(f"{name}, regret", own.regret, other.regret, "%")


def _row(name: str, own: float, other: float, unit: str) -> Row:
    """A figure beside that of zero intelligence."""
    return Row(name=name, value=own, unit=unit, reference=TRIVIAL, reference_value=other, ratio=own / other)
