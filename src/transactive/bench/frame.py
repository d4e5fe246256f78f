"""The one frame for every figure of this project: run benches, hold them against their targets, report.

A bench is a function in a module of this package::

    @bench("clearing", summary="uniform price against copying its input")
    def clearing(meter: Meter) -> Iterator[Row]:
        yield meter.time("clear 10^6 orders", work, Reference("copy the input", copy), repeats=20)

`registry.MODULES` lists it; targets.toml says what its rows must reach.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from transactive.bench import registry
from transactive.bench.measure import BenchTimer
from transactive.bench.report import BenchReport, BenchRows, this_machine
from transactive.bench.targets import judge, load_targets


def run(names: Sequence[str] = (), meter: BenchTimer | None = None) -> BenchReport:
    """Run the benches called `names`, or all but those on request, one after the other.

    Raises InputError for an unknown name, before anything runs.
    """
    meter = meter or BenchTimer()
    targets = load_targets(registry.names())
    usual = (name for name in registry.names() if name not in registry.ON_REQUEST)
    chosen = [registry.load(name) for name in dict.fromkeys(names or usual)]
    results = []
    for number, bench in enumerate(chosen, start=1):
        _progress(f"bench {number}/{len(chosen)} {bench.name}: {bench.summary}")
        own = (target for target in targets if target.bench == bench.name)
        results.append(BenchRows(bench.name, judge(bench.function(meter), own)))
    return BenchReport(this_machine(), tuple(results))


def _progress(line: str) -> None:
    """Tell a person at a terminal what is being measured."""
    if sys.stderr.isatty():
        print(line, file=sys.stderr, flush=True)
