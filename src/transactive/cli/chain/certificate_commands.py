"""`transactive chain certificates` and `chain exit`: commands that are about certificates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from transactive.cli.chain.commands import Flag, chain
from transactive.cli.report import report

__all__ = ["chain"]


@chain.command
def certificates(
    *,
    state: Path,
    member: str,
    slot: str,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    node: str | None = None,
    keys: Path | None = None,
    password_file: Path | None = None,
    json: Flag = False,
) -> None:
    """Rebuild a member's certificate leaf of a slot with its bundles, and compare it with the chain.

    With --output those that nobody used are handed over to the chain: they end in the run's own register.
    Example: transactive chain certificates --state DIR --member ada --slot 2024-06-05T12:00Z -o ada.json

    Parameters
    ----------
    state
        State folder of a run.
    member
        Whose certificates.
    slot
        Start of a committed slot, RFC 3339.
    output
        New file for the member: leaf, proof and bundles; what `chain exit` takes.
    node
        Chain of a run on a node elsewhere; without it the one in the state folder.
    keys
        Folder with the operator's key, from which salts follow; without it the run's demo keys.
    password_file
        File whose first line is the password of the keys; otherwise TRANSACTIVE_PASSWORD, or it is asked for.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.chain.certificates import hand_over, run_certificates
    from transactive.cli.chain.prove import write

    facts, made = run_certificates(state, member, slot, node=node, keys=keys, password_file=password_file)
    if output:
        hand_over(state, member, made)
        write(made, output)
        facts["written"] = str(output)
    report(facts, json=json)


@chain.command(name="exit")
def exit_(
    file: Path,
    *,
    node: str,
    by: Annotated[str | None, Parameter(name="--as")] = None,
    keys: Path | None = None,
    password_file: Path | None = None,
    seed: str = "transactive",
    json: Flag = False,
) -> None:
    """Show which certificates of a file can become tokens; with --as, release them, once, when the period is final.

    Anybody may send it: the tokens go to the owners of the bundles.
    Example: transactive chain exit ada.json --node http://127.0.0.1:8545 --as 0

    Parameters
    ----------
    file
        File of your certificates, as `chain certificates --output` writes it.
    node
        Chain: embedded:FILE, http(s)://, ws(s):// or ipc:PATH.
    by
        Sender: a key in the folder of --keys, or the number of a demo account; without it nothing is sent.
    keys
        Folder of your own keys.
    password_file
        File whose first line is the password of the keys; otherwise TRANSACTIVE_PASSWORD, or it is asked for.
    seed
        Seed of the demo keys that sign, without --keys: on embedded and development chains only.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.chain.certificates import run_exit

    facts = run_exit(file, node=node, account=by, keys=keys, password_file=password_file, seed=seed)
    report(facts, json=json)
