"""A deal as a JSON file: what both signed, what binds the operator to it, and whose key one side is.

Each party keeps it. With its leaf of the slot beside it, it shows the judge a deal that was left out; without the
secret that opens its own allowance the file names nobody. Bytes are 0x-hex.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from transactive.chain.disputes.deals.evidence import NO_SIGNATURE, NOBODYS, BindingDeal, SignedAllowance
from transactive.core.community.validation import explained
from transactive.core.errors import InputError, SignatureError
from transactive.core.proofs.deals.allowances import Allowance
from transactive.core.proofs.deals.deal import Bid, SignedDeal
from transactive.core.proofs.signed_orders import domain

CONTENT = "docs/concepts/deals.md says what it holds"
ADDRESS = re.compile("0x[0-9a-fA-F]{40}")
HASH = re.compile("0x[0-9a-fA-F]{64}")
SIGNATURE = re.compile("0x[0-9a-fA-F]{130}")
MOST = 2**63 - 1
"""Largest number in a file."""


class AllowanceFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The operator's allowance of one side: whose key it is, hidden; most it may buy and sell in the slot [Wh]."""

    member: str
    most_bought_wh: int
    most_sold_wh: int
    signature: str


class Own(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose file it is: place in the settlement, and the salt that opens the commitment in its allowance."""

    index: int
    salt: str


class DealFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A bid and what was awarded of it; keys are addresses, price in µ¤/kWh, energy in Wh, slot its number.

    receipt: the operator's signature, if it gave one. of_buyer, of_seller: their allowances. own: secret to the party.
    """

    chain_id: int
    settlement: str
    slot: int
    round: int
    buyer: str
    seller: str
    most_wh: int
    price: int
    serial: int
    energy_wh: int
    bid: str
    award: str
    receipt: str = ""
    of_buyer: AllowanceFile | None = None
    of_seller: AllowanceFile | None = None
    own: Own | None = None

    @property
    def content(self) -> SignedDeal:
        """The deal."""
        bid = Bid(self.slot, self.round, self.buyer.lower(), self.seller.lower(), self.most_wh, self.price, self.serial)
        return SignedDeal(bid, self.energy_wh, bytes.fromhex(self.bid[2:]), bytes.fromhex(self.award[2:]))

    @property
    def domain(self) -> bytes:
        """EIP-712 domain separator in which it is signed."""
        return domain(self.chain_id, self.settlement)

    @property
    def index(self) -> int:
        """Place of the party that keeps it. Raises InputError where the file does not say whose it is."""
        if self.own is None:
            raise InputError("the file of the deal names no party; give the one that you kept, which has `own`")
        return self.own.index

    @property
    def salt(self) -> bytes:
        """What opens the own allowance. Raises InputError where the file does not say whose it is."""
        _ = self.index
        return bytes.fromhex(self.own.salt[2:]) if self.own else b""

    @property
    def sides(self) -> tuple[SignedAllowance | None, SignedAllowance | None]:
        """Allowances of buyer and seller, where they are there."""
        return self._allowance(self.of_buyer, self.buyer), self._allowance(self.of_seller, self.seller)

    def side(self) -> tuple[SignedAllowance, SignedAllowance | None]:
        """The own allowance, and the partner's. Raises InputError where the file does not say whose it is."""
        index, salt = self.index, self.salt
        for mine, other in (self.sides, self.sides[::-1]):
            if mine and mine.allowance.opens(index, salt):
                return mine, other
        raise InputError(
            "no allowance in the file of the deal is of the member that `own` names; give the one you kept"
        )

    def binding(self, *, posted: bool) -> BindingDeal | None:
        """What binds the operator: its receipt, or that the deal was posted; None for neither."""
        if self.receipt:
            return BindingDeal(self.content, bytes.fromhex(self.receipt[2:]))
        partner = self.side()[1]
        return BindingDeal(self.content, NO_SIGNATURE, partner) if posted and partner else None

    def _allowance(self, given: AllowanceFile | None, key: str) -> SignedAllowance | None:
        if given is None:
            return None
        member, most = bytes.fromhex(given.member[2:]), (given.most_bought_wh, given.most_sold_wh)
        return SignedAllowance(Allowance(self.slot, key.lower(), member, *most), bytes.fromhex(given.signature[2:]))


def deal_file(
    chain_id: int,
    settlement: str,
    deal: SignedDeal,
    *,
    receipt: bytes = b"",
    of_buyer: SignedAllowance | None = None,
    of_seller: SignedAllowance | None = None,
    own: tuple[int, bytes] | None = None,
) -> DealFile:
    """File of a deal. receipt: the operator's; own: index and salt of the party that keeps it."""
    bid = deal.bid
    return DealFile(
        chain_id=chain_id,
        settlement=settlement,
        slot=bid.slot,
        round=bid.round,
        buyer=bid.buyer,
        seller=bid.seller,
        most_wh=bid.most_wh,
        price=bid.price,
        serial=bid.serial,
        energy_wh=deal.energy_wh,
        bid=_hex(deal.bid_signature),
        award=_hex(deal.award_signature),
        receipt=_hex(receipt) if receipt else "",
        of_buyer=_allowance_file(of_buyer),
        of_seller=_allowance_file(of_seller),
        own=Own(index=own[0], salt=_hex(own[1])) if own else None,
    )


def load_deal(path: Path) -> DealFile:
    """Read a file. Raises InputError naming the field that is wrong."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=DealFile)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); {CONTENT}") from None
    except msgspec.DecodeError as error:
        raise InputError(f"{path}: {explained(str(error), DealFile)}; {CONTENT}") from None
    for name in _wrong(found):
        raise InputError(f"{path}: {name} is not what a deal has there; {CONTENT}")
    try:
        found.content.check(found.domain)
    except SignatureError as error:
        raise InputError(f"{path}: {error}") from None
    return found


def _wrong(file: DealFile) -> list[str]:
    """Fields with a number or text that cannot be."""
    texts = {name: (getattr(file, name), ADDRESS) for name in ("settlement", "buyer", "seller")}
    texts |= {name: (getattr(file, name), SIGNATURE) for name in ("bid", "award")}
    if file.receipt:
        texts["receipt"] = file.receipt, SIGNATURE
    numbers = {name: getattr(file, name) for name in ("chain_id", "slot", "round", "most_wh", "serial", "energy_wh")}
    for name in ("of_buyer", "of_seller"):
        if given := getattr(file, name):
            texts |= {f"{name}.member": (given.member, HASH), f"{name}.signature": (given.signature, SIGNATURE)}
            numbers |= {f"{name}.{field}": getattr(given, field) for field in ("most_bought_wh", "most_sold_wh")}
    if file.own:
        texts["own.salt"], numbers["own.index"] = (file.own.salt, HASH), file.own.index
    wrong = [name for name, (text, pattern) in texts.items() if not pattern.fullmatch(text)]
    wrong += [name for name, number in numbers.items() if not 0 <= number <= MOST]
    return wrong if -MOST <= file.price <= MOST else [*wrong, "price"]


def _allowance_file(given: SignedAllowance | None) -> AllowanceFile | None:
    if given is None or given is NOBODYS:
        return None
    of = given.allowance
    return AllowanceFile(
        member=_hex(of.member),
        most_bought_wh=of.most_bought_wh,
        most_sold_wh=of.most_sold_wh,
        signature=_hex(given.signature),
    )


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
