"""`transactive chain act`: its options and help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from transactive.cli.report import report

Flag = Annotated[bool, Parameter(negative="")]


def act(
    what: Literal[
        "pause",
        "resume",
        "veto",
        "retract",
        "close",
        "limit",
        "revoke",
        "demand",
        "overdue",
        "claim",
        "stake",
        "unstake",
        "take-stake",
    ],
    *,
    node: str,
    deployment: Path = Path("deployment.json"),
    account: str | None = None,
    amount: str | None = None,
    slot: str | None = None,
    agent: str | None = None,
    keys: Path | None = None,
    password_file: Path | None = None,
    seed: str = "transactive",
    json: Flag = False,
) -> None:
    """Do what the contracts let members, operator and arbiter do beside the run.

    The arbiter can pause, resume and veto. The operator can retract, stake, unstake and take-stake. An account can
    close (a silent operator's books), limit, revoke, demand, say that an answer is overdue, and claim.
    Example: transactive chain act limit --account ada --amount 12.50 --node http://127.0.0.1:8545
    Example: transactive chain act veto --slot 2024-06-05T12:00Z --node http://127.0.0.1:8545 --keys arbiter

    Parameters
    ----------
    what
        What to do.
    node
        Chain: embedded:FILE, http(s)://, ws(s):// or ipc:PATH.
    deployment
        File with the addresses, as `chain deploy` writes it.
    account
        Member, or supplier, network, community, levy or credits, that does it.
    amount
        Money, as in 12.50; for limit also none.
    slot
        Start of a committed slot, RFC 3339; without it the last one.
    agent
        Address of the agent whose grant is revoked.
    keys
        Folder of your own keys.
    password_file
        File whose first line is the password of the keys; otherwise TRANSACTIVE_PASSWORD, or it is asked for.
    seed
        Seed of the demo keys that sign, without --keys: on embedded and development chains only.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.chain.offices import run_act

    facts = run_act(
        what,
        amount=amount,
        slot=slot,
        account=account,
        agent=agent,
        node=node,
        deployment=deployment,
        keys=keys,
        password_file=password_file,
        seed=seed,
    )
    report(facts, json=json)
