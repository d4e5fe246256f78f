"""What of a leaf's corrected readings shows a fraud: against the gateway, the slot itself, and lines of before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from eth_utils.address import to_checksum_address

from transactive.chain.disputes import evidence
from transactive.chain.disputes.fraud import Fraud
from transactive.chain.disputes.leaf_file import CertificateFile, LeafFile, PlacedFile
from transactive.chain.nodes.client import ChainClient
from transactive.chain.twins import certificate_disputes as judge
from transactive.core.errors import InputError, SignatureError
from transactive.core.proofs.corrections import Corrections, correction_digest
from transactive.core.proofs.merkle import ZERO
from transactive.core.proofs.signing import signer

Rows = list[list[int]]


class CorrectionCase:
    """The corrected readings in a leaf of a slot's certificates, before the judge. settlement: of the slot."""

    def __init__(self, client: ChainClient, contract: Any, file: CertificateFile) -> None:  # noqa: ANN401 - a contract
        """Take the lines of the leaf; those of a file that are not its own show nothing."""
        self.client, self.contract, self.file = client, contract, file
        self.lines = _lines_of(file)
        self.rows: Rows = self.lines.rows.tolist()

    @property
    def _seconds(self) -> int:
        """Length of a slot [s]."""
        settlement = self.client.contract("settlement", self.file.settlement)
        return int(self.client.read(settlement, "slotSeconds"))

    def begins_at(self, own: LeafFile) -> bool:
        """Whether a leaf of the settlement is of a slot whose reading is corrected here, and of the member."""
        return bool(self._of(own)) and own.opening.content != self.file.opening.content

    def wrong(self) -> Iterator[Fraud]:
        """Lines that cannot be right, or that the gateway did not sign."""
        if not self.rows:
            return
        disputes = self.client.contract("disputes", self.client.read(self.contract, "getDisputes"))
        start = self.file.opening.commitment.slot * self._seconds
        for place, row in enumerate(self.rows):
            by = self._signer(place)
            known = bool(by) and self.client.read(disputes, "wasGateway", to_checksum_address(by), start)
            if judge.wrong_correction(row, start, by_gateway=bool(known)):
                yield self._fraud("a corrected reading cannot be right, or is not signed", "challengeCorrection", place)

    def starts(self, own: LeafFile) -> Iterator[Fraud]:
        """Lines that begin at another reading than the slot's own leaf has."""
        shown = evidence.shown(own.index, own.content, own.steps)
        for place in self._of(own):
            if judge.wrong_start(self.rows[place], own.content):
                beside = own.opening.content, shown, evidence.corrections(self.lines, place)
                yield self._fraud("a correction begins at another reading", "challengeCorrectionStart", place, *beside)

    def against(self, other: CertificateFile) -> Iterator[Fraud]:
        """Lines that replace what another one has replaced, or begin elsewhere than the one before them ended.

        Raises InputError for a file of another member or without corrections.
        """
        before = _lines_of(other)
        if other.index != self.file.index or not len(before):
            raise InputError("--other is of another slot and has no corrections of the member; give one that has some")
        shown, start = evidence.shown(other.index, other.content, other.steps), other.opening.commitment.slot
        for place, row in enumerate(self.rows):
            for there, earlier in enumerate(before.rows.tolist()):
                beside = other.opening.content, shown, evidence.corrections(before, there)
                if judge.corrected_twice(row, earlier):
                    yield self._fraud("a reading is replaced twice", "challengeCorrectionTwice", place, *beside)
                follows = row[1] == earlier[1] and row[2] == start * self._seconds
                if follows and judge.wrong_start(row, None, earlier):
                    yield self._fraud(
                        "a correction begins at another reading", "challengeCorrectionStart", place, *beside
                    )

    def _of(self, own: PlacedFile) -> list[int]:
        """Places of lines that replace the reading which was settled in the slot of a file."""
        start = own.opening.commitment.slot * self._seconds if self.rows else 0
        mine = own.index == self.file.index
        return [place for place, row in enumerate(self.rows) if mine and row[1] == row[2] == start]

    def _signer(self, place: int) -> str:
        """Who signed a line; nobody where it can be nobody."""
        message = correction_digest(self.rows[place], self.file.chain_id)
        try:
            return signer(message, bytes(self.lines.signature[place].tolist()), "a correction")
        except SignatureError:
            return ""

    def _fraud(self, what: str, function: str, place: int, *beside: Any) -> Fraud:  # noqa: ANN401 - as the ABI says
        """Evidence about a line."""
        shown = evidence.shown(self.file.index, self.file.content, self.file.steps)
        arguments = self.file.opening.content, shown, evidence.corrections(self.lines, place), *beside
        return Fraud(what, function, arguments)


def _lines_of(file: CertificateFile) -> Corrections:
    """Lines of a file, as far as they are those of its leaf."""
    lines = file.corrected
    its_own = lines.lines_hash() == (file.content.orders if file.content else ZERO)
    return lines if its_own else Corrections.none(lines.slot)
