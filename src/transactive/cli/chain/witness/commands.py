"""Options and help of `transactive chain witness` and `chain freeze`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from transactive.cli.report import report

Flag = Annotated[bool, Parameter(negative="")]


def witness(
    state: Path,
    *,
    node: str,
    contract: str | None = None,
    governor: str | None = None,
    output: Annotated[Path, Parameter(alias="-o")] = Path("witness.json"),
    by: Annotated[list[str], Parameter(name="--as")],
    keys: Path | None = None,
    password_file: Path | None = None,
    seed: str = "transactive",
    json: Flag = False,
) -> None:
    """Sign the newest block of a run's own chain, and prove the head of its newest period on another chain.

    Contracts there can then check every leaf under that head. Sign only blocks that are final.
    Example: transactive chain witness c.state --node https://node.example --as one --as two --keys keys

    Parameters
    ----------
    state
        State folder of a run that settles on the chain in its folder.
    node
        Chain of the witness: http(s)://, ws(s)://, ipc:PATH or embedded:FILE.
    contract
        Address of the witness there; without it a new one is deployed, for which all these signers have to sign.
    governor
        Who may change signers of a new witness and thaw it; without it the first signer.
    output
        File to write, which `chain freeze` takes as evidence.
    by
        Signers: keys in the folder of --keys, or demo keys; the first sends.
    keys
        Folder of your own keys.
    password_file
        File whose first line is the password of the keys; otherwise TRANSACTIVE_PASSWORD, or it is asked for.
    seed
        Seed of the demo keys that sign, without --keys: on embedded and development chains only.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.chain.witness.actions import WitnessKeys, run_witness

    signers = WitnessKeys(tuple(by), keys, password_file, seed)
    report(run_witness(state, node, signers, contract=contract, governor=governor, output=output), json=json)


def freeze(
    one: Path,
    other: Path,
    *,
    node: str,
    by: Annotated[str, Parameter(name="--as")],
    keys: Path | None = None,
    password_file: Path | None = None,
    seed: str = "transactive",
    json: Flag = False,
) -> None:
    """Show a witness that a signer signed two hashes of one block: it takes no new heads until its governor thaws it.

    Parameters
    ----------
    one
        File that `chain witness` wrote.
    other
        Another one, of the same block with another hash.
    node
        Chain of the witness.
    by
        Who sends: a key in the folder of --keys, or a demo key.
    keys
        Folder of your own keys.
    password_file
        File whose first line is the password of the keys; otherwise TRANSACTIVE_PASSWORD, or it is asked for.
    seed
        Seed of the demo keys that sign, without --keys: on embedded and development chains only.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.chain.witness.actions import WitnessKeys, run_freeze

    report(run_freeze(one, other, node, WitnessKeys((by,), keys, password_file, seed)), json=json)
