"""What of a member's leaf of certificates shows a fraud: against the chain, other leaves, and the gateway."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from transactive.chain.disputes import evidence
from transactive.chain.disputes.correction_findings import CorrectionCase
from transactive.chain.disputes.findings import Case, on_chain
from transactive.chain.disputes.fraud import Fraud
from transactive.chain.disputes.leaf_file import CertificateFile, LeafFile
from transactive.chain.disputes.receipt_file import ReadingFile
from transactive.chain.nodes.client import ChainClient
from transactive.chain.twins import certificate_disputes as judge
from transactive.core.errors import InputError


class CertificateCase:
    """What stands in one place of a slot's certificates, a leaf or nothing, before the judge."""

    def __init__(self, client: ChainClient, file: CertificateFile) -> None:
        """Check that the file belongs to the chain. Raises InputError."""
        self.client, self.file, self.opening = client, file, file.opening
        self.settlement = client.contract("settlement", file.settlement)
        disputes = client.contract("disputes", client.read(self.settlement, "disputes"))
        self.judge = client.contract("certificate_disputes", client.read(disputes, "certificateDisputes"))
        on_chain(client, file, self.opening.commitment.certificates)

    @property
    def shown(self) -> Any:  # noqa: ANN401 - as the ABI says
        """The leaf in its place."""
        return evidence.shown(self.file.index, self.file.content, self.file.steps)

    def findings(
        self, own: LeafFile | None = None, others: Sequence[CertificateFile] = (), read: ReadingFile | None = None
    ) -> list[Fraud]:
        """Every kind of fraud that can be shown.

        own: the settlement's leaf of the same member and slot, or of one whose reading was corrected; others: leaves of
        certificates of the slot, or the member's of an earlier one with corrections; read: signed registers. Raises
        InputError for a file that belongs to something else.
        """
        here = [each for each in others if each.opening.content == self.opening.content]
        earlier = [each for each in others if each not in here]
        corrected = CorrectionCase(self.client, self.judge, self.file)
        found: list[Fraud | None] = []
        if own:
            found += corrected.starts(own) if corrected.begins_at(own) else [self._money(own)]
        if self.file.content is not None:
            found += [self._leaf(), self._bundles(), self._reading(read) if read else None, *corrected.wrong()]
            found += [fraud for other in here for fraud in self._twice(other)]
            found += [fraud for other in earlier for fraud in corrected.against(other)]
        return [one for one in found if one]

    def _leaf(self) -> Fraud | None:
        """Sums and place of the leaf itself."""
        slot, leaf = self.opening.commitment.slot, self.file.stated
        if not judge.wrong_leaf(slot, self.file.index, leaf, self.file.steps):
            return None
        what = "sums in the tree, or the leaf itself, are wrong: more is issued, claimed or received than there was"
        return Fraud(what, "challengeLeaf", (self.opening.content, self.shown))

    def _bundles(self) -> Fraud | None:
        """The leaf against its bundles."""
        if not judge.wrong_bundles(self.file.stated, self.file.bundles):
            return None
        arguments = (self.opening.content, self.shown, self.file.record)
        return Fraud("the leaf differs from its bundles, or they hold a Wh twice", "challengeBundles", arguments)

    def _twice(self, other: CertificateFile) -> Iterator[Fraud]:
        """Bundles of two leaves that state a Wh differently."""
        for place, one in enumerate(self.file.bundles):
            for there, two in enumerate(other.bundles):
                if judge.given_twice(one, two):
                    shown = evidence.shown(other.index, other.content, other.steps)
                    arguments = (self.opening.content, self.shown, self.file.record, place, shown, other.record, there)
                    yield Fraud("a Wh was given to two", "challengeTwice", arguments)

    def _money(self, own: LeafFile) -> Fraud | None:
        """The leaf against the settlement's own of the slot."""
        case = Case(self.client, own)
        if (own.index, case.opening.content) != (self.file.index, self.opening.content):
            raise InputError("--own is not the settlement's leaf of the same slot and member; give that one")
        if not judge.wrong_money(self.file.content, own.content):
            return None
        arguments = (self.opening.content, self.shown, case.shown)
        return Fraud("energy produced or certified is not that of the settlement's leaf", "challengeMoney", arguments)

    def _reading(self, read: ReadingFile) -> Fraud | None:
        """The slot's energy against what the gateway signed."""
        if not judge.wrong_reading(self.file.stated, read.packed):
            return None
        arguments = (self.opening.content, self.shown, read.content)
        return Fraud("the gateway signed another reading", "challengeReading", arguments)
