"""What the marks of a leaf keep from counting: a meter's record, and the orders of a session; before their judge."""

from __future__ import annotations

from typing import Any

from eth_utils.address import to_checksum_address
from web3.contract import Contract

from transactive.chain.commitments import Commitment, Opening
from transactive.chain.disputes import evidence
from transactive.chain.disputes.fraud import Fraud, has_function
from transactive.chain.disputes.leaf_file import LeafFile
from transactive.chain.disputes.receipt_file import RecordReceiptFile
from transactive.chain.named_judges import demands_judge
from transactive.chain.nodes.client import ChainClient
from transactive.chain.twins import demands
from transactive.core.errors import SignatureError
from transactive.core.proofs import signing
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.leaves import Leaf
from transactive.core.proofs.merkle import ZERO, word
from transactive.core.proofs.signed_orders import split

BEGINNING = Opening(ZERO, Commitment(0, ZERO, ZERO, 0, 0, 0), ())


class KeptOut:
    """A leaf with its marks, before the judge of what is kept back. disputes: the one by way of which it convicts."""

    def __init__(self, client: ChainClient, disputes: Contract, file: LeafFile) -> None:
        self._client, self._disputes, self._file = client, disputes, file

    def void(self, earlier: LeafFile | None) -> Fraud | None:
        """A session that is marked as void, and somebody traded. earlier: the leaf of the commitment before."""
        opening = self._file.opening
        begins = not any(opening.previous)
        if not begins and earlier is None:
            return None
        before = earlier.opening if earlier and not begins else BEGINNING
        if not demands.false_void(self._file.content, opening.commitment, None if begins else before.commitment):
            return None
        return self._fraud("the session is marked as void, and somebody traded", "challengeVoid", before.content)

    def understated(self, earlier: LeafFile | None) -> Fraud | None:
        """A commitment that states less than before, or leaves this leaf out. earlier: as above."""
        opening = self._file.opening
        begins = not any(opening.previous)
        if not begins and earlier is None:
            return None
        before = earlier.opening if earlier and not begins else BEGINNING
        stated = opening.commitment, None if begins else before.commitment
        leaf, counted_wh = self._counted()
        if not demands.understated([leaf], *stated, counted_wh):
            return None
        what = "the commitment states less than was settled as if nobody had metered it"
        return self._fraud(what, "challengeStatement", before.content)

    def _counted(self) -> tuple[Leaf | None, tuple[int, int]]:
        """The leaf, None if it was shown before, and what all that were shown have taken and given [Wh]."""
        by, link = demands_judge(self._client, self._disputes), self._file.opening.head
        if not has_function(by, "showSubstituted"):
            return self._file.content, (0, 0)
        place = keccak(link + word(self._file.index))
        known = bool(self._client.read(by, "isCounted", place))
        taken, given = (int(self._client.read(by, "counted", link, side)) for side in (0, 1))
        return None if known else self._file.content, (taken, given)

    def substituted(self, held: RecordReceiptFile) -> Fraud | None:
        """A slot that is marked as not metered, and the collector had the record in time."""
        receipt, signature = held.content
        settlement = self._client.contract("settlement", self._file.settlement)
        seconds = int(self._client.read(settlement, "slotSeconds"))
        start = self._file.opening.commitment.slot * seconds
        if (receipt.slot, receipt.meter) != (start, self._file.index):
            return None
        try:
            by = signing.signer(receipt.digest(self._client.chain_id), signature, "the receipt")
        except SignatureError:
            return None
        known = bool(self._client.read(self._disputes, "wasGateway", to_checksum_address(by), start))
        if not demands.kept_out(self._file.content, receipt.time, start, seconds, by_gateway=known):
            return None
        what = "the slot was settled as if nobody had metered it, and the record had come in time"
        return self._fraud(what, "challengeReceipt", receipt.time, split(signature))

    def _fraud(self, what: str, function: str, *beside: Any) -> Fraud | None:  # noqa: ANN401 - as the ABI says
        """Evidence; None where the judge, of an earlier version, takes none."""
        by = demands_judge(self._client, self._disputes)
        shown = evidence.shown(self._file.index, self._file.content, self._file.steps)
        found = Fraud(what, function, (self._file.opening.content, shown, *beside), by)
        return found if has_function(by, function) else None
