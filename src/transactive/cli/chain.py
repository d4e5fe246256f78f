"""`transactive chain …`: the chain that settlement is committed to, from the command line."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from transactive.cli.report import report

chain = App(name="chain", help="The chain that settlement is committed to.")

Flag = Annotated[bool, Parameter(negative="")]


@chain.command
def replay(*, node: str, to: str | None = None, json: Flag = False) -> None:
    """Run every transaction of an embedded chain again and compare every block hash.

    Example: transactive chain replay --node embedded:my-community/community.state

    Parameters
    ----------
    node
        Chain: embedded:DIR with the state folder of a run, or embedded:FILE.
    to
        embedded:FILE that keeps the copy; without it the copy is thrown away.
    json
        Print what was found as one JSON object on stdout.
    """
    from transactive.cli.chain_replay import run_replay

    report(run_replay(node, to), json=json)
