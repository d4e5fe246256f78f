"""`transactive notices …`: tell people what they chose to be told. Imports come when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

notices = App(name="notices", help="Tell people by e-mail or webhook what they chose on their account's page.")


@notices.command
def send(
    *,
    state: Path,
    page: str,
    mail: Path | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Send what is new and due, once; let a timer run it, every five minutes or so.

    Each event is told once. A round that fails says why, to the operator and on the person's page, and is tried again.

    Parameters
    ----------
    state
        Folder of the run.
    page
        Address of the community's page, which links in notices begin with.
    mail
        TOML file of the mail server: host, sender, port, user, password_file or password_env, security. Without it only
        webhooks are told.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.notices.actions import send_round

    send_round(state, page, mail, json=json)
