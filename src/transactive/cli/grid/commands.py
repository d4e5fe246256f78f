"""`transactive grid …`: what the lines of a network carry. Commands import what they need when they run."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

grid = App(name="grid", help="Measure loads of network lines, and what keeping them within limits costs.")


@grid.command
def study(
    community: str,
    *,
    days: int | None = None,
    start: str | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Run the same days three times: lines only watched, kept within limits, and with prices first.

    Prints how often lines pass their limits, what is held back and moved, what members and the network pay, and how
    good the forecast of the lines was.

    Parameters
    ----------
    community
        Community file with a [network], or `feeder` for the demo's homes on deliberately weak lines.
    days
        Days to run; without it the community's own run.
    start
        First slot, UTC; without it where the run begins.
    json
        Print the figures as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.grid.study import run_study

    run_study(community, days=days, start=start, json=json)
