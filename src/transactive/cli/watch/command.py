"""`transactive watch`: its options and help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

Flag = Annotated[bool, Parameter(negative="")]


def watch(
    account: str,
    *,
    node: str,
    files: Path,
    deployment: Path = Path("deployment.json"),
    send: Flag = False,
    by: Annotated[str | None, Parameter(name="--as")] = None,
    patience: int = 30,
    every: int = 30,
    most_void: int = 3,
    box: Path | None = None,
    once: Flag = False,
    keys: Path | None = None,
    password_file: Path | None = None,
    seed: str = "transactive",
    json: Flag = False,
) -> None:
    """Follow a deployment for an account: open its leaf of each slot, and bring what shows a fraud before the judge.

    A leaf that does not come is demanded on chain with the account's own key, and an answer that does not come is
    brought too. Of a member in a group also the whole is held against the group. Without --send nothing is sent. Exits
    with 5 after --once if a fraud was seen, or a leaf that says something else than the account's own box has signed.
    Example: transactive watch ada --node http://127.0.0.1:8545 --files from-the-operator --send --keys member-ada

    Parameters
    ----------
    account
        Member, or supplier, network, community, levy or credits, whose leaves are opened.
    node
        Chain: embedded:FILE, http(s)://, ws(s):// or ipc:PATH.
    files
        Folder into which the operator's files come: leaves (`chain prove`), receipts, certificates, and registers as
        reading-NUMBER.json with the number of the slot.
    deployment
        File with the addresses, as `chain deploy` writes it.
    send
        Bring what is found, and demand what does not come.
    by
        With --send: name of another key that brings what is found, as an auditor's; then nothing is demanded.
    patience
        Minutes from a commitment until its leaf is demanded.
    every
        Seconds between two looks.
    most_void
        Sessions of a period that may be void before it is told: an operator could choose them.
    box
        Folder of the account's own box: what it signed has to stand in the leaves.
    once
        Look once and end.
    keys
        Folder of your own keys; it needs to hold no other than yours.
    password_file
        File whose first line is the password of the keys; otherwise TRANSACTIVE_PASSWORD, or it is asked for.
    seed
        Seed of the demo keys that sign, without --keys: on embedded and development chains only.
    json
        Print each sight as a JSON object on a line of its own.
    """
    from transactive.cli.watch.watching import Looks, Signing, run_watch

    rhythm = Looks(patience, every, most_void, once)
    signing = Signing(send=send, by=by, keys=keys, password_file=password_file, seed=seed)
    run_watch(account, files, signing, rhythm, node=node, deployment=deployment, box=box, json=json)
