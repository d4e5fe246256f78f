"""`transactive chain fund` and `withdraw`: money that goes into a settlement, and out of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from transactive.cli.report import report

Flag = Annotated[bool, Parameter(negative="")]


def fund(
    account: str,
    amount: str,
    *,
    node: str,
    deployment: Path = Path("deployment.json"),
    keys: Path | None = None,
    password_file: Path | None = None,
    seed: str = "transactive",
    json: Flag = False,
) -> None:
    """Create money for an account and deposit it, as the on-ramp does when a member has paid.

    Example: transactive chain fund ada 12.50 --node http://127.0.0.1:8545

    Parameters
    ----------
    account
        Member, or supplier, network, community, levy or credits.
    amount
        Money in the community's currency, up to nine decimals.
    node
        Chain: embedded:FILE, http(s)://, ws(s):// or ipc:PATH.
    deployment
        File that `chain deploy` wrote.
    keys
        Folder of your own keys.
    password_file
        File whose first line is the password of the keys; otherwise TRANSACTIVE_PASSWORD, or it is asked for.
    seed
        Seed of the demo keys that sign, without --keys: on embedded and development chains only.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.chain.funds import run_fund

    where = {"node": node, "deployment": deployment, "keys": keys, "password_file": password_file, "seed": seed}
    report(run_fund(account, amount, **where), json=json)


def withdraw(
    account: str,
    amount: str | None = None,
    *,
    node: str,
    release: Flag = False,
    deployment: Path = Path("deployment.json"),
    keys: Path | None = None,
    password_file: Path | None = None,
    seed: str = "transactive",
    json: Flag = False,
) -> None:
    """Announce a withdrawal; without an amount, pay out an announced one that is due.

    Example: transactive chain withdraw ada 5 --node http://127.0.0.1:8545, and after the notice the same without 5

    Parameters
    ----------
    account
        Member, or supplier, network, community, levy or credits.
    amount
        Money to announce, in the community's currency; leave it out to be paid.
    node
        Chain: embedded:FILE, http(s)://, ws(s):// or ipc:PATH.
    release
        As the operator, waive the notice.
    deployment
        File that `chain deploy` wrote.
    keys
        Folder of your own keys.
    password_file
        File whose first line is the password of the keys; otherwise TRANSACTIVE_PASSWORD, or it is asked for.
    seed
        Seed of the demo keys that sign, without --keys: on embedded and development chains only.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.chain.funds import run_withdraw

    where = {"node": node, "deployment": deployment, "keys": keys, "password_file": password_file, "seed": seed}
    report(run_withdraw(account, amount, release=release, **where), json=json)
