"""`transactive bench`: figures against references, as a table or as JSON."""

from __future__ import annotations

from collections.abc import Sequence


def run_benches(names: Sequence[str], *, json: bool) -> int:
    """Run benches, print their report on stdout; returns the exit code, 1 if a target does not hold."""
    from transactive.bench import frame
    from transactive.bench.report import render_table

    report = frame.run(names)
    if json:
        print(report.to_json())
    else:
        from rich.console import Console

        Console().print(render_table(report))
    return report.exit_code
