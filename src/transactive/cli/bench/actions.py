"""`transactive bench`: figures against references, as a table or as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from transactive.core.errors import InputError


def run_benches(names: Sequence[str], *, json: bool, runs: int | None = None) -> int:
    """Run benches, print their report on stdout; returns the exit code, 1 if a target does not hold.

    runs: how often a bench whose run takes minutes repeats it. Raises InputError below one.
    """
    from transactive.bench import frame
    from transactive.bench.measure import BenchTimer
    from transactive.bench.report import render_table

    if runs is not None and runs < 1:
        raise InputError(f"--runs {runs}: give 1 or more")
    report = frame.run(names, BenchTimer(runs=runs))
    if json:
        print(report.to_json())
    else:
        from rich.console import Console

        Console().print(render_table(report))
    return report.exit_code
