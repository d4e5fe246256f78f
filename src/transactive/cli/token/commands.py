"""`transactive token …`: who may look at a state. Commands import what they need when they run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

token = App(name="token", help="Who may look at a state: tokens, made, listed and revoked.")


@token.command
def create(
    *,
    state: Path,
    scope: Literal["member", "operator", "grid", "auditor", "forecaster"],
    member: str | None = None,
    forecaster: str | None = None,
    name: str = "",
    days: int | None = None,
    acts: Annotated[bool, Parameter(negative="")] = False,
    assistant: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Make a token and print it once; only its hash is kept.

    Parameters
    ----------
    state
        Folder of the run.
    scope
        A member sees its own figures and community totals, grid sees lines and no member's figures or names
        (`transactive grid privacy`), an auditor and the operator see everything. A forecaster sees published totals and
        submits forecasts of them.
    member
        Whose figures a member's token shows.
    forecaster
        By which name of the community's `[[forecasters]]` a forecaster's token submits.
    name
        What it is for, in your words: shown by `token list`.
    days
        How long it holds; without it until it is revoked.
    acts
        Let a member's token do things for its home as well: limits, pauses. Without it a token only looks.
    assistant
        For a program that answers questions (`transactive mcp`): it reads the API, proposes drafts that the member
        answers on its page, and all it asks is logged. Needs --days.
    """
    from transactive.cli.token.actions import create_token

    rights = {"acts": acts, "assistant": assistant}
    print(create_token(state, scope, member, name, days, forecaster=forecaster, **rights))


@token.command(name="list")
def list_(*, state: Path, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """List the tokens of a state: id, scope, what for, until when, when used last. No token itself is kept.

    Parameters
    ----------
    state
        Folder of the run.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.token.actions import list_tokens

    list_tokens(state, json=json)


@token.command(name="revoke")
def revoke_(id: str, *, state: Path) -> None:  # noqa: A002 - the word of `token list`
    """Take a token back: whoever has it is out with the next request.

    Parameters
    ----------
    id
        As `token list` shows it, or its beginning.
    state
        Folder of the run.
    """
    from transactive.cli.token.actions import revoke_token

    revoke_token(state, id)


@token.command
def log(id: str = "", *, state: Path, json: Annotated[bool, Parameter(negative="")] = False) -> None:  # noqa: A002
    """Show what assistants asked with their tokens: when, and which address.

    Parameters
    ----------
    id
        Of one token, as `token list` shows it; without it of all.
    state
        Folder of the run.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.token.actions import show_log

    show_log(state, id, json=json)
