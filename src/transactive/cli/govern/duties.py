"""`transactive govern …`: what is done once, by anybody, or by the guardian."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from transactive.cli.govern.commands import govern
from transactive.cli.report import report

__all__ = ["govern"]
Flag = Annotated[bool, Parameter(negative="")]


@govern.command
def adopt(
    community: Path,
    *,
    node: str,
    guardian: str | None = None,
    season_days: int = 30,
    quiet_days: int = 2,
    grace_days: int = 14,
    deployment: Path = Path("deployment.json"),
    keys: Path | None = None,
    password_file: Path | None = None,
    seed: str = "transactive",
    json: Flag = False,
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
    node
        Chain: embedded:FILE, http(s)://, ws(s):// or ipc:PATH.
    deployment
        File that `chain deploy` wrote.
    keys
        Folder of your own keys; it needs to hold no other than yours.
    password_file
        File whose first line is the password of the keys; otherwise TRANSACTIVE_PASSWORD, or it is asked for.
    seed
        Seed of the demo keys that sign, without --keys: on embedded and development chains only.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.govern.actions import Wanted, Where, run_adopt

    wanted = Wanted(guardian, season_days, quiet_days, grace_days)
    report(run_adopt(community, Where(node, deployment, keys, password_file, seed), wanted), json=json)


@govern.command
def execute(
    number: int,
    *,
    node: str,
    by: Annotated[str, Parameter(name="--as")] = "operator",
    deployment: Path = Path("deployment.json"),
    keys: Path | None = None,
    password_file: Path | None = None,
    seed: str = "transactive",
    json: Flag = False,
) -> None:
    """Do what was decided, once its delay is over; anybody may.

    Example: transactive govern execute 0 --node http://127.0.0.1:8545

    Parameters
    ----------
    number
        Number of the proposal, as `govern show` lists it.
    by
        Name of the key that sends: anybody may.
    node
        Chain: embedded:FILE, http(s)://, ws(s):// or ipc:PATH.
    deployment
        File that `chain deploy` wrote.
    keys
        Folder of your own keys; it needs to hold no other than yours.
    password_file
        File whose first line is the password of the keys; otherwise TRANSACTIVE_PASSWORD, or it is asked for.
    seed
        Seed of the demo keys that sign, without --keys: on embedded and development chains only.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.govern.actions import Where, run_execute

    report(run_execute(Where(node, deployment, keys, password_file, seed), number, by), json=json)


@govern.command
def stop(
    number: int,
    *,
    node: str,
    by: Annotated[str, Parameter(name="--as")] = "arbiter",
    deployment: Path = Path("deployment.json"),
    keys: Path | None = None,
    password_file: Path | None = None,
    seed: str = "transactive",
    json: Flag = False,
) -> None:
    """Guardian: let members vote again for seven days on what is not executed, once a proposal.

    Example: transactive govern stop 0 --as arbiter --node http://127.0.0.1:8545

    Parameters
    ----------
    number
        Number of the proposal, as `govern show` lists it.
    by
        Name of the guardian's key.
    node
        Chain: embedded:FILE, http(s)://, ws(s):// or ipc:PATH.
    deployment
        File that `chain deploy` wrote.
    keys
        Folder of your own keys; it needs to hold no other than yours.
    password_file
        File whose first line is the password of the keys; otherwise TRANSACTIVE_PASSWORD, or it is asked for.
    seed
        Seed of the demo keys that sign, without --keys: on embedded and development chains only.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.govern.actions import Where, run_stop

    report(run_stop(Where(node, deployment, keys, password_file, seed), number, by), json=json)


@govern.command
def show(
    number: int | None = None,
    *,
    node: str,
    deployment: Path = Path("deployment.json"),
    keys: Path | None = None,
    password_file: Path | None = None,
    seed: str = "transactive",
    json: Flag = False,
) -> None:
    """Show all proposals, the numbers that hold and the keys that work; or one proposal and who voted how.

    Example: transactive govern show --node http://127.0.0.1:8545

    Parameters
    ----------
    number
        Number of a proposal; without it all.
    node
        Chain: embedded:FILE, http(s)://, ws(s):// or ipc:PATH.
    deployment
        File that `chain deploy` wrote.
    keys
        Folder of your own keys; it needs to hold no other than yours.
    password_file
        File whose first line is the password of the keys; otherwise TRANSACTIVE_PASSWORD, or it is asked for.
    seed
        Seed of the demo keys that sign, without --keys: on embedded and development chains only.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.govern.actions import Where, run_show

    report(run_show(Where(node, deployment, keys, password_file, seed), number), json=json)
