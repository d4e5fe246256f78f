"""What deals show of a member's leaf: those that bind the operator and that it traded less of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from eth_utils.address import to_checksum_address
from web3.contract import Contract

from transactive.chain.disputes.deals.evidence import BindingDeal, in_order
from transactive.chain.disputes.deals.file import DealFile
from transactive.chain.disputes.evidence import shown
from transactive.chain.disputes.fraud import Fraud
from transactive.chain.disputes.leaf_file import LeafFile
from transactive.chain.named_judges import judge
from transactive.chain.nodes.client import ChainClient
from transactive.chain.twins import deals as twin
from transactive.core.errors import InputError, SignatureError
from transactive.core.proofs import signing
from transactive.core.proofs.deals.deal_receipts import DealReceipt

MOST_CLAIMS = 16
"""Deals that the judge looks at in a call."""
VOID = 2**256 - 1
"""Time of a post that binds nobody any more."""


def omitted_deals(client: ChainClient, disputes: Contract, leaf: LeafFile, deals: Sequence[DealFile]) -> list[Fraud]:
    """Deals of the leaf's member and slot that it trades less of, one finding for each price and side.

    Raises InputError for a deal of another settlement, or whose file does not say whose it is.
    """
    court = judge(client, disputes, "deals")
    if court is None:
        raise InputError("the settlement has no judge of deals; its members trade by orders alone")
    return list(_findings(client, court, disputes, leaf, deals))


def _findings(
    client: ChainClient, court: Contract, disputes: Contract, leaf: LeafFile, deals: Sequence[DealFile]
) -> Iterator[Fraud]:
    """As above."""
    groups: dict[tuple[int, str], list[tuple[DealFile, BindingDeal]]] = defaultdict(list)
    for file in deals:
        _check_place(client, leaf, file)
        if binding := binds(client, court, disputes, file):
            groups[file.price, file.side()[0].allowance.key].append((file, binding))
    for (price, key), found in groups.items():
        own, _ = found[0][0].side()
        once = {binding.deal.hash: binding for _, binding in found}.values()
        claims = in_order(sorted(once, key=lambda each: -each.deal.energy_wh)[:MOST_CLAIMS])
        if not twin.omitted(leaf.content, leaf.fills, key, [claim.deal for claim in claims]):
            continue
        placed = shown(leaf.index, leaf.content, leaf.steps)
        is_buyer = claims[0].deal.bid.buyer == key
        content = [claim.content(is_buyer=is_buyer) for claim in claims]
        opened = own.content, found[0][0].salt, is_buyer, price
        arguments = (leaf.opening.content, placed, leaf.fills.content, *opened, content)
        yield Fraud(f"a deal at {price} µ¤/kWh was left out", "challengeDeals", arguments, court)


def binds(client: ChainClient, court: Contract, disputes: Contract, file: DealFile) -> BindingDeal | None:
    """What binds the operator of a deal's slot to it, before its judge; None for nothing.

    Raises InputError where a post binds it and the file does not say whose it is.
    """
    return file.binding(posted=not file.receipt) if is_bound(client, court, disputes, file) else None


def is_bound(client: ChainClient, court: Contract, disputes: Contract, file: DealFile) -> bool:
    """Whether the operator of a deal's slot is bound to it: by its own receipt, or by the post of keys that it allowed.

    Raises InputError for a receipt or an allowance that nobody can have signed.
    """
    begins = file.slot * int(client.read(client.contract("settlement", file.settlement), "slotSeconds"))

    def operator(struct: bytes, signature: bytes, what: str) -> str | None:
        try:
            by = signing.signer(signing.digest(file.domain, struct), signature, what)
        except SignatureError as error:
            raise InputError(str(error)) from None
        return by if client.read(disputes, "wasOperator", to_checksum_address(by), begins) else None

    if file.receipt:
        receipt = DealReceipt(file.content.hash)
        return operator(receipt.hash, bytes.fromhex(file.receipt[2:]), "the receipt of the deal") is not None
    given = [side for side in file.sides if side is not None]
    if not 0 < int(client.read(court, "postedAt", file.content.hash)) < VOID or len(given) < len(file.sides):
        return False
    by = {operator(each.allowance.hash, each.signature, "an allowance of the deal") for each in given}
    most = min(given[0].allowance.most_bought_wh, given[1].allowance.most_sold_wh)
    since = int(client.read(court, "barred", file.own.index)) if file.own else 0
    is_barred = since != 0 and since <= begins < since + twin.BARRED
    return len(by) == 1 and None not in by and file.energy_wh <= most and not is_barred


def _check_place(client: ChainClient, leaf: LeafFile, file: DealFile) -> None:
    """Refuse a deal of another chain, settlement, member or slot than the leaf's. Raises InputError."""
    if file.chain_id != client.chain_id or file.settlement.lower() != leaf.settlement.lower():
        raise InputError("the deal is of another chain or settlement than the leaf; give those that belong together")
    if file.index != leaf.index or file.slot != leaf.opening.commitment.slot:
        raise InputError("the deal is of another member or slot than the leaf; give the leaf of the deal's slot")
