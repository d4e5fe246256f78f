# ruff: noqa: D417 - `where` is flattened: its fields have help of their own
"""`transactive govern …`: what is done once, by anybody, or by the guardian."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from transactive.cli.govern.commands import govern
from transactive.cli.report import report
from transactive.cli.signing_options import ChainOptions, Flag

__all__ = ["govern"]


@govern.command
def adopt(
    community: Path,
    *,
    guardian: str | None = None,
    season_days: int = 30,
    quiet_days: int = 2,
    grace_days: int = 14,
    where: ChainOptions,
) -> None:
    """Found a governor: every owner's role goes to it, no key keeps one, and the deployment names it from then on.

    Example: transactive govern adopt community.toml --node http://127.0.0.1:8545 --guardian arbiter

    Parameters
    ----------
    community
        Community file: where the numbers that members decide on stand today.
    guardian
        Name of the key that may stop a proposal for seven days, once each; without it nobody may.
    season_days
        Days that somebody has to be a member before a vote begins.
    quiet_days
        Days at the end of a vote in which a turn of its result prolongs it, once.
    grace_days
        Days in which what was decided can be executed.
    """
    from transactive.cli.govern.actions import Wanted, run_adopt

    wanted = Wanted(guardian, season_days, quiet_days, grace_days)
    report(run_adopt(community, where, wanted), json=where.json)


@govern.command
def execute(
    number: int,
    *,
    by: Annotated[str, Parameter(name="--as")] = "operator",
    where: ChainOptions,
) -> None:
    """Do what was decided, once its delay is over; anybody may.

    Example: transactive govern execute 0 --node http://127.0.0.1:8545

    Parameters
    ----------
    number
        Number of the proposal, as `govern show` lists it.
    by
        Name of the key that sends: anybody may.
    """
    from transactive.cli.govern.actions import run_execute

    report(run_execute(where, number, by), json=where.json)


@govern.command
def stop(
    number: int,
    *,
    by: Annotated[str, Parameter(name="--as")] = "arbiter",
    where: ChainOptions,
) -> None:
    """Guardian: let members vote again for seven days on what is not executed, once a proposal.

    Example: transactive govern stop 0 --as arbiter --node http://127.0.0.1:8545

    Parameters
    ----------
    number
        Number of the proposal, as `govern show` lists it.
    by
        Name of the guardian's key.
    """
    from transactive.cli.govern.actions import run_stop

    report(run_stop(where, number, by), json=where.json)


@govern.command
def show(
    number: int | None = None,
    *,
    where: ChainOptions,
) -> None:
    """Show all proposals, the numbers that hold and the keys that work; or one proposal and who voted how.

    Example: transactive govern show --node http://127.0.0.1:8545

    Parameters
    ----------
    number
        Number of a proposal; without it all.
    """
    from transactive.cli.govern.actions import run_show

    report(run_show(where, number), json=where.json)


@govern.command
def consequences(
    community: Path,
    number: int | None = None,
    *,
    sets: Annotated[list[str] | None, Parameter(name="--set", negative="")] = None,
    days: int | None = None,
    start: str | None = None,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    lines: Path | None = None,
    state: Path | None = None,
    keep: Flag = False,
    node: str | None = None,
    deployment: Path = Path("deployment.json"),
    json: Flag = False,
) -> None:
    """Replay the last weeks under other numbers: what all, and each member, would have paid. No forecast.

    Behaviour is held as it was, or re-planned by the same agents: both are told.
    Example: transactive govern consequences community.toml --set network-fee=28000 --output consequences.json

    Parameters
    ----------
    community
        Community file, with its readings.
    number
        Number of a proposal, whose numbers are replayed; needs --node. What it binds is compared.
    sets
        Number that changes, NAME=VALUE, as for `govern propose`; may be given several times.
    days
        Days that are replayed; without it the last 28, or as many as there are.
    start
        First slot that is replayed, RFC 3339; without it the last days.
    output
        File that a proposal binds with --document: totals, spread, and the root of all lines.
    lines
        Folder for each member's own line, and for the secret that salts them; the same folder gives the same root.
    state
        Folder of the run, whose decisions are part of today's rules; without it COMMUNITY.state beside the file.
    keep
        Keep it in the run's folder, too: the page shows it beside a proposal that binds it, to each member its line.
    node
        Chain of the proposal: embedded:FILE, http(s)://, ws(s):// or ipc:PATH.
    deployment
        File that `chain deploy` wrote, for the proposal.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.govern.foresight import ReplayAsked, run_consequences

    asked = ReplayAsked(sets or [], number, node, deployment, days, start)
    report(run_consequences(community, asked, output, lines, state, keep=keep), json=json)


@govern.command
def line(line: Path, document: Path, *, json: Flag = False) -> None:
    """Check your own line of a proposal's consequences: that it is bound, and that all lines add up.

    Example: transactive govern line 3.json consequences.json

    Parameters
    ----------
    line
        Your line, as `govern consequences --lines` wrote it.
    document
        What the proposal binds.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.govern.foresight import run_line

    report(run_line(line, document), json=json)
