"""`transactive chain challenge` and `answer`: their options and help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from transactive.cli.report import report

Flag = Annotated[bool, Parameter(negative="")]
Files = Annotated[list[Path] | None, Parameter(negative="")]


def challenge(
    leaf: Path,
    *,
    node: str,
    before: Path | None = None,
    receipt: Files = None,
    reading: Path | None = None,
    own: Path | None = None,
    other: Files = None,
    deal: Files = None,
    by: Annotated[str | None, Parameter(name="--as")] = None,
    keys: Path | None = None,
    password_file: Path | None = None,
    seed: str = "transactive",
    json: Flag = False,
) -> None:
    """Look for fraud in a leaf that the operator gave you; with --as, bring the evidence on chain and be paid.

    Example: transactive chain challenge leaf.json --node http://127.0.0.1:8545 --receipt receipt.json --as 3

    Parameters
    ----------
    leaf
        File of your leaf, as `chain prove --output` writes it, or of your certificates, as `chain certificates` does.
    node
        Chain: embedded:DIR, http(s)://, ws(s):// or ipc:PATH.
    before
        File of your leaf in the commitment before, to check running totals.
    receipt
        File of an order with the operator's receipt; may be given again.
    reading
        File of your meter's registers in the tree that the gateway signed.
    own
        With a file of certificates: file of your leaf of the same slot, to check their energy.
    other
        With a file of certificates: another member's of the same slot, to check that no Wh is in both; may be given
        again.
    deal
        File of a deal of yours in the leaf's slot, to check that it was settled; may be given again.
    by
        Sender of the challenge: a key in the folder of --keys, or the number of a demo account; without it nothing is
        sent.
    keys
        Folder of your own keys.
    password_file
        File whose first line is the password of the keys; otherwise TRANSACTIVE_PASSWORD, or it is asked for.
    seed
        Seed of the demo keys that sign, without --keys: on embedded and development chains only.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.chain.challenge import Evidence, run_challenge

    facts = run_challenge(
        leaf,
        Evidence(before, tuple(receipt or ()), reading, own, tuple(other or ()), tuple(deal or ())),
        node=node,
        account=by,
        keys=keys,
        password_file=password_file,
        seed=seed,
    )
    report(facts, json=json)


def answer(
    leaf: Path,
    *,
    node: str,
    by: Annotated[str | None, Parameter(name="--as")] = None,
    keys: Path | None = None,
    password_file: Path | None = None,
    seed: str = "transactive",
    json: Flag = False,
) -> None:
    """Answer a member's demand on chain: show its leaf, and the orders and trades behind it.

    Of a member in a group also what it asked of the whole, if the file has the way there. The operator has a quarter
    of a window for it; anybody who has the file may do it.
    Example: transactive chain answer leaf.json --node http://127.0.0.1:8545 --as operator

    Parameters
    ----------
    leaf
        File of the leaf that was asked for, as `chain prove --output` writes it.
    node
        Chain: embedded:FILE, http(s)://, ws(s):// or ipc:PATH.
    by
        Sender: a key in the folder of --keys, or a demo key; without it nothing is sent.
    keys
        Folder of your own keys.
    password_file
        File whose first line is the password of the keys; otherwise TRANSACTIVE_PASSWORD, or it is asked for.
    seed
        Seed of the demo keys that sign, without --keys: on embedded and development chains only.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.chain.challenge import run_answer

    facts = run_answer(leaf, node=node, account=by, keys=keys, password_file=password_file, seed=seed)
    report(facts, json=json)


def check_deal(deal: Path, *, node: str, json: Flag = False) -> None:
    """Say whether both parties signed a deal, and what binds the operator to settle it.

    Example: transactive chain deals check deal.json --node http://127.0.0.1:8545

    Parameters
    ----------
    deal
        File of a deal, as each party keeps it.
    node
        Chain: embedded:DIR, http(s)://, ws(s):// or ipc:PATH.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.chain.challenge import run_deal_check

    report(run_deal_check(deal, node), json=json)
