"""What of a member's leaf shows a fraud: the file of the leaf against the chain and against what the member holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth_utils.address import to_checksum_address

from transactive.chain.disputes import evidence
from transactive.chain.disputes.fraud import Fraud, has_function
from transactive.chain.disputes.kept_out import KeptOut
from transactive.chain.disputes.leaf_file import LeafFile, PlacedFile
from transactive.chain.disputes.receipt_file import ReadingFile, ReceiptFile, RecordReceiptFile
from transactive.chain.history import pending_chunks
from transactive.chain.nodes.client import ChainClient
from transactive.chain.packing import LANES, decode_nets
from transactive.chain.releases import is_as_today
from transactive.chain.twins import disputes
from transactive.core.errors import InputError, SignatureError
from transactive.core.proofs import signing
from transactive.core.proofs.leaves import climb
from transactive.core.proofs.signed_orders import SignedOrder, domain, orders_hash

NOBODY = "0x" + "00" * 20


def on_chain(client: ChainClient, file: PlacedFile, root: bytes) -> None:
    """Check that a file belongs to the chain and its proof leads to `root` of its commitment. Raises InputError."""
    if client.chain_id != file.chain_id:
        raise InputError(f"the leaf is of chain {file.chain_id}, not {client.chain_id}; give a node of that one")
    if climb(file.content, file.index, file.steps)[0] != root:
        raise InputError("the proof does not lead to the committed root; ask the operator for a leaf that does")
    settlement = client.contract("settlement", file.settlement)
    views = [view for view in ("isCommitted", "isContestable") if has_function(settlement, view)]
    if not any(client.read(settlement, view, file.opening.content) for view in views):
        raise InputError("the commitment is not on this chain or counts no more; ask the operator for a newer file")


class Case:
    """What stands in one place, a leaf or nothing, before the judge."""

    def __init__(self, client: ChainClient, file: LeafFile) -> None:
        """Check that the file belongs to the chain. Raises InputError."""
        self.client, self.file = client, file
        self.settlement = client.contract("settlement", file.settlement)
        self.judge = client.contract("disputes", client.read(self.settlement, "disputes"))
        self.placed, self.opening = file.content, file.opening
        self.leaf = self.placed or evidence.BLANK
        self.domain = domain(client.chain_id, file.settlement)
        on_chain(client, file, self.opening.commitment.root)

    @property
    def shown(self) -> Any:  # noqa: ANN401 - as the ABI says
        """The leaf in its place."""
        return evidence.shown(self.file.index, self.placed, self.file.steps)

    def findings(
        self,
        earlier: LeafFile | None = None,
        receipts: Sequence[ReceiptFile | RecordReceiptFile] = (),
        read: ReadingFile | None = None,
    ) -> list[Fraud]:
        """Every kind of fraud that can be shown.

        earlier: the leaf of the commitment before; receipts: for orders of the slot, and for the meter's record; read:
        signed registers.
        """
        found = [self.in_netting(), self.in_leaf(), self.in_totals(earlier), self.in_trade(), self.in_serials()]
        marks = KeptOut(self.client, self.judge, self.file)
        found += [marks.void(earlier), marks.understated(earlier)]
        found += [
            self.in_orders(each) if isinstance(each, ReceiptFile) else marks.substituted(each) for each in receipts
        ]
        found += [self.in_reading(read)] if read and self.placed else []
        return [one for one in found if one]

    def in_netting(self) -> Fraud | None:
        """Net amount of a netting, pending or taken back, against the period's last leaf."""
        period = self.opening.commitment.slot // int(self.client.read(self.settlement, "slotsPerPeriod"))
        found = None if self.opening.later else self._stated(period)
        if found is None:
            return None
        index, (net, proof) = self.file.index, found
        limit = int(self.client.read(self.settlement, "limitIn", index, period))
        if not disputes.wrong_net(self.leaf, net, limit - 1 if limit else None):
            return None
        arguments = (self.opening.content, self.shown, *proof)
        return Fraud("the proposed net amount is not the leaf's, or beyond your limit", "challengeNetting", arguments)

    def _stated(self, period: int) -> tuple[int, tuple[Any, ...]] | None:
        """Net amount that can be challenged with the commitment [n¤], and its proof; None if there is none.

        The contract has it; those from before there were parts have a hash of all net amounts.
        """
        index, read = self.file.index, self.client.read
        if has_function(self.settlement, "netsOf"):
            word = int(read(self.settlement, "netsOf", self.opening.content, index // LANES))
            return (decode_nets([word])[index % LANES], ()) if word else None
        if int(read(self.settlement, "proposal")[0]) != period:
            return None
        words_hash = bytes(read(self.settlement, "wordsHash"))
        chunks = pending_chunks(self.client, self.settlement, period, words_hash)
        net = decode_nets([word for chunk in chunks for word in chunk])[index]
        return net, evidence.net_of(index, chunks)

    def in_leaf(self) -> Fraud | None:
        """Sums, place and content of the leaf itself."""
        commitment = self.opening.commitment
        since = int(self.client.read(self.settlement, "memberSince", self.file.index))
        seconds = int(self.client.read(self.settlement, "slotSeconds"))
        registered = 0 < since <= commitment.slot * seconds
        if not disputes.wrong_leaf(commitment, self.file.index, self.placed, self.file.steps, registered=registered):
            return None
        what = "sums in the tree, the leaf's place or the leaf itself are wrong, or it is missing"
        return Fraud(what, "challengeLeaf", (self.opening.content, self.shown))

    def in_totals(self, earlier: LeafFile | None) -> Fraud | None:
        """Running totals against those before. Raises InputError if `earlier` is not of the commitment before."""
        begins = not any(self.opening.previous)
        if not begins and earlier is None:
            return None
        before: Any = (bytes(32), (0, bytes(32), bytes(32), 0, 0), [])
        shown, last = evidence.shown(0, None, []), None
        if not begins and earlier:
            case = Case(self.client, earlier)
            if case.file.index != self.file.index or case.opening.head != self.opening.previous:
                raise InputError("--before is not the same account's leaf of the commitment before; give that one")
            before, shown, last = case.opening.content, case.shown, case.leaf
        if not disputes.wrong_totals(self.leaf, last):
            return None
        arguments = (self.opening.content, self.shown, before, shown)
        return Fraud("running totals are not those before plus the slot's", "challengeTotals", arguments)

    def in_trade(self) -> Fraud | None:
        """Trades against the accepted orders. Raises InputError if the file's orders or trades are not the leaf's."""
        accepted, fills, index = self.file.accepted, self.file.fills, self.file.index
        if orders_hash(accepted) != self.leaf.orders or fills.hash != self.leaf.fills:
            raise InputError("orders or trades in the file are not those of the leaf; ask the operator for them")
        revoked = 0
        if accepted and accepted[-1].grant:
            revoked = int(self.client.read(self.judge, "revokedFrom", index, accepted[-1].grant.agent))
        seconds = int(self.client.read(self.settlement, "slotSeconds"))
        rules = (self._member(accepted, seconds), self.domain, seconds, revoked - 1 if revoked else None)
        if not disputes.wrong_trade(self.leaf, fills, accepted, *rules):
            return None
        arguments = (self.opening.content, self.shown, *evidence.trade(accepted, fills))
        return Fraud("the trade has no signed order, or goes beyond it", "challengeTrade", arguments)

    def _member(self, accepted: Sequence[SignedOrder], seconds: int) -> str:
        """Who may have signed in the leaf's place: its account, or one that lost it when a gate may have closed."""
        member = str(self.client.read(self.settlement, "accountOf", self.file.index))
        if not accepted or not has_function(self.settlement, "follow"):
            return member
        last = accepted[-1]
        content, signature = (last.grant.hash, last.granted) if last.grant else (last.order.hash, last.signature)
        try:
            signer = signing.signer(signing.digest(self.domain, content), signature, "the order")
        except SignatureError:
            return member
        number = int(self.client.read(self.settlement, "memberNumber", to_checksum_address(signer)))
        lead = int(self.client.read(self.settlement, "lead"))
        return signer if disputes.may_trade(number, self.file.index, self.leaf.number, seconds, lead) else member

    def in_serials(self) -> Fraud | None:
        """An accepted order that is newer than the last one."""
        accepted = self.file.accepted
        place = disputes.outdated(self.leaf, accepted)
        if place is None or not has_function(self.judge, "challengeSerial"):
            return None
        orders = accepted[-1].order.content, place, accepted[place].order.content
        arguments = (self.opening.content, self.shown, evidence.entries(accepted), *orders)
        return Fraud("the trade follows an order that a newer one had replaced", "challengeSerial", arguments)

    def in_orders(self, held: ReceiptFile) -> Fraud | None:
        """An accepted order that is not in the leaf."""
        order, receipt = held.content
        if (order.account, order.slot) != (self.file.index, self.opening.commitment.slot):
            return None
        message, judges_ways = receipt.digest(order, self.domain), self._judges_ways
        operator = self._office(order.slot, message, receipt.signature)
        if not disputes.omitted(self.leaf, order.hash, receipt.signature, self.file.accepted, operator, message):
            return None
        if receipt.way and not judges_ways:
            return None
        entries = evidence.entries(self.file.accepted)
        shown = receipt.content if judges_ways else receipt.content[0]
        arguments = (self.opening.content, self.shown, entries, order.hash, shown)
        return Fraud("an order that the operator accepted was left out", "challengeOmission", arguments)

    @property
    def _judges_ways(self) -> bool:
        """Whether the judge reads a receipt's way to what was signed for many."""
        return is_as_today("disputes", "challengeOmission", self.client.code(str(self.judge.address)))

    def _office(self, slot: int, message: bytes, receipt: bytes) -> str:
        """Operator whose receipt counts in a slot: who signed, if the office was its own then, or who has it now."""
        operator = str(self.client.read(self.settlement, "operator"))
        if not has_function(self.judge, "wasOperator"):
            return operator
        try:
            signer = to_checksum_address(signing.signer(message, receipt, "the receipt"))
        except SignatureError:
            return operator
        begins = slot * int(self.client.read(self.settlement, "slotSeconds"))
        return signer if self.client.read(self.judge, "wasOperator", signer, begins) else NOBODY

    def in_reading(self, read: ReadingFile) -> Fraud | None:
        """The slot's energy against what the gateway signed."""
        if not disputes.wrong_reading(self.leaf, read.packed):
            return None
        arguments = (self.opening.content, self.shown, read.content)
        return Fraud("the gateway signed another reading", "challengeReading", arguments)
