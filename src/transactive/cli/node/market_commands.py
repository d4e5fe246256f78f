"""`transactive node invite`, `confirm` and `limit`: the operator's commands, where the market runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from transactive.cli.report import report

Flag = Annotated[bool, Parameter(negative="")]


def invite(
    community: Path,
    member: str,
    *,
    broker: str,
    state: Path | None = None,
    minutes: int = 30,
    confirm: Flag = False,
    account: str | None = None,
    json: Flag = False,
) -> None:
    """Invite a member's meter: prints what is typed at its box. The operator's command, where the market runs.

    Example: transactive node invite c/community.toml ada --broker mqtt://192.168.1.10

    Parameters
    ----------
    community
        Community file.
    member
        Whose meter it is.
    broker
        Where boxes report: mqtt://HOST, or mqtts://HOST with TLS.
    state
        Folder of the live market; without it a folder beside the community file.
    minutes
        How long the invitation holds; it is used once.
    confirm
        The code alone is not enough: the box is let in by `node confirm`, once its address was compared.
    account
        Address of the member's own account, as `node account` prints it: its box trades, and the market has no key of
        it. Only before the market opens.
    json
        Print it as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.node.actions import invite_member

    made = invite_member(community, member, broker, state, minutes * 60, confirm=confirm, account=account)
    report(made, json=json)


def confirm(community: Path, member: str, meter: str, *, state: Path | None = None, json: Flag = False) -> None:
    """Let a meter in that was invited with --confirm. The operator's command, where the market runs.

    Parameters
    ----------
    community
        Community file.
    member
        Whose meter it is.
    meter
        Address that its box shows (`node init` prints it).
    state
        Folder of the live market; without it a folder beside the community file.
    json
        Print it as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.node.actions import confirm_meter

    report(confirm_meter(community, member, meter, state), json=json)


def limit(
    community: Path, member: str, watts: int, *, minutes: int = 60, state: Path | None = None, json: Flag = False
) -> None:
    """Limit what a member's home takes from the grid, from now on: its box keeps to it before every plan.

    The operator's command, where the market runs, as the grid's operator asks (in Germany by § 14a EnWG).
    Example: transactive node limit c/community.toml ada 4200 --minutes 120

    Parameters
    ----------
    community
        Community file.
    member
        Whose home.
    watts
        Most that it takes from the grid.
    minutes
        How long; the box keeps it to its end, also without a line.
    state
        Folder of the live market; without it a folder beside the community file.
    json
        Print it as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.node.actions import limit_import

    report(limit_import(community, member, watts, minutes, state), json=json)
