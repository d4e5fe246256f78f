"""`transactive chain deals check`: whether both signed a deal, and what binds the operator to it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from transactive.cli.report import report

Flag = Annotated[bool, Parameter(negative="")]


def check(deal: Path, *, node: str, json: Flag = False) -> None:
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
    report(run_check(deal, node), json=json)


def run_check(path: Path, node: str) -> dict[str, Any]:
    """What is known of a deal. Raises InputError for a file that is none, ChainError."""
    from transactive.chain.disputes.deals.file import load_deal
    from transactive.chain.disputes.deals.findings import VOID, binds
    from transactive.chain.named_judges import judge
    from transactive.chain.nodes.client import ChainClient
    from transactive.chain.nodes.urls import existing_path, is_embedded
    from transactive.core.errors import InputError
    from transactive.core.slots import time_text
    from transactive.core.units import money_text

    file = load_deal(path)
    made = file.content
    if is_embedded(node):
        existing_path(node)
    with closing(ChainClient.open(node)) as client:
        if client.chain_id != file.chain_id:
            raise InputError(f"the deal is of chain {file.chain_id}, not {client.chain_id}; give a node of that one")
        settlement = client.contract("settlement", file.settlement)
        disputes = client.contract("disputes", client.read(settlement, "disputes"))
        court = judge(client, disputes, "deals")
        if court is None:
            raise InputError("the settlement has no judge of deals; its members trade by orders alone")
        posted = int(client.read(court, "postedAt", made.hash))
        bound = binds(client, court, disputes, file) is not None
        slot = time_text(file.slot * int(client.read(settlement, "slotSeconds")))
    told = None if posted == 0 else "void" if posted == VOID else time_text(posted)
    return {
        "slot": slot,
        "buyer": file.buyer,
        "seller": file.seller,
        "energy_wh": file.energy_wh,
        "price_micro_per_kwh": file.price,
        "amount": money_text(made.amount_n, digits=9),
        "signed_by_both": True,
        "receipt": bool(file.receipt),
        "posted": told,
        "binds_the_operator": bound,
    }
