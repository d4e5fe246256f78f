"""Values of the judge of deals, read from the files that members keep of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transactive.chain.acts.call import Call
from transactive.chain.disputes.deals import evidence
from transactive.chain.disputes.deals.evidence import SignedAllowance
from transactive.chain.disputes.deals.file import DealFile, load_deal
from transactive.core.errors import InputError

MOST_DEALS = 16
"""In one call of the judge."""


def deal(call: Call, text: str, _: Sequence[Any]) -> tuple[Any, ...]:
    """A deal with both signatures."""
    return (evidence.signed(_file(call, text).content),)


def deals_beyond(call: Call, text: str, _: Sequence[Any]) -> tuple[Any, ...]:
    """Allowance of the key that all deals have, whether it buys, and the deals in the order of their posts."""
    files = [_file(call, part.strip()) for part in text.split(",") if part.strip()]
    if not files:
        raise InputError("give the files of the deals, joined by commas")
    if len(files) > MOST_DEALS:
        raise InputError(
            f"{len(files)} deals, and a call takes {MOST_DEALS}; show them in several, the earlier ones first"
        )
    own, is_buyer = _shared(files)
    posted = {file.content.hash: int(call.client.read(call.contract, "postedAt", file.content.hash)) for file in files}
    ordered = sorted(files, key=lambda file: posted[file.content.hash])
    return own.content, is_buyer, [evidence.signed(file.content) for file in ordered]


def own_deal(call: Call, text: str, _: Sequence[Any]) -> tuple[Any, ...]:
    """Slot, allowance, index and salt of the party that a file names."""
    file = _file(call, text)
    own, _partner = file.side()
    return file.slot, own.content, file.index, file.salt


def _file(call: Call, text: str) -> DealFile:
    """A deal of the deployment. Raises InputError for one of another."""
    file = load_deal(Path(text))
    if file.chain_id != call.client.chain_id or file.settlement.lower() != str(call.settlement.address).lower():
        raise InputError(f"{text}: the deal is of another chain or settlement; give one of this deployment")
    return file


def _shared(files: Sequence[DealFile]) -> tuple[SignedAllowance, bool]:
    """Allowance of the key that sells in all deals, or buys in all, and whether it buys. Raises InputError."""
    for side, is_buyer in ((1, False), (0, True)):
        keys = {(file.buyer, file.seller)[side].lower() for file in files}
        if len(keys) == 1 and (given := files[0].sides[side]):
            return given, is_buyer
    raise InputError("no key buys in all of these deals, or sells in all, with its allowance in the first file")
