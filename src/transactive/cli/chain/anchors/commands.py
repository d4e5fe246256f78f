"""Options and help of `transactive chain anchor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from transactive.cli.report import report

Flag = Annotated[bool, Parameter(negative="")]


def anchor(
    *states: Path,
    node: str,
    contract: str | None = None,
    output: Annotated[Path, Parameter(alias="-o")] = Path(),
    by: Annotated[str, Parameter(name="--as")],
    keys: Path | None = None,
    password_file: Path | None = None,
    seed: str = "transactive",
    json: Flag = False,
) -> None:
    """Note the newest blocks of communities' own chains on another chain, under one root.

    Nobody can read from the root which communities it is of, or how many. Each gets a file that shows its head in it.
    Example: transactive chain anchor my-community/community.state --node https://node.example --as me --keys keys

    Parameters
    ----------
    states
        State folders of runs that settle on the chain in their folder.
    node
        Chain that notes the root: http(s)://, ws(s)://, ipc:PATH or embedded:FILE.
    contract
        Address of the contract of anchors there; without it a new one is deployed.
    output
        Folder for the files of anchors, NAME.anchor.json by the name of each state folder.
    by
        Publisher: a key in the folder of --keys, or a demo key.
    keys
        Folder of your own keys.
    password_file
        File whose first line is the password of the keys; otherwise TRANSACTIVE_PASSWORD, or it is asked for.
    seed
        Seed of the demo keys that sign, without --keys: on embedded and development chains only.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.chain.anchors.actions import run_anchor

    facts = run_anchor(
        states, node=node, contract=contract, output=output, by=by, keys=keys, password_file=password_file, seed=seed
    )
    report(facts, json=json)
