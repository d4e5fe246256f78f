"""`transactive grid …`: what the lines of a network carry. Commands import what they need when they run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

grid = App(
    name="grid", help="Loads of network lines: what keeping them within limits costs, and how much of them is shown."
)


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


@grid.command
def privacy(
    *,
    state: Path,
    homes: int | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Show how many homes each figure of a grid token covers at least, or choose it; each choice is kept with its time.

    Lines are put into groups of so many homes. A grid token sees what flows between groups, and of the lines inside
    whether each is within, near or beyond its limit. A server that is running follows at once.

    Parameters
    ----------
    state
        Folder of the run.
    homes
        Choose this number; without it nothing changes. It begins with 5.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.grid.privacy import show_privacy

    show_privacy(state, homes, json=json)
