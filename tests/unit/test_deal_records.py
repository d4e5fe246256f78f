"""Records of direct trading: the digests that a wallet computes, and what each check refuses."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from transactive.core.errors import SignatureError
from transactive.core.proofs import signing
from transactive.core.proofs.deals import allowances, deal, quotes
from transactive.core.proofs.deals.allowances import Allowance, Roll, member_commitment, slot_key, slot_salt
from transactive.core.proofs.deals.deal import Award, Bid, SignedDeal
from transactive.core.proofs.deals.quotes import DemandCurve, Quote
from transactive.core.proofs.signed_orders import NAME

SLOT, CONTRACT, CHAIN = 472_000, "0x" + "5e" * 20, 31_337
DOMAIN = signing.domain(NAME, CHAIN, CONTRACT)
SECRETS = [sha256(b"member %d" % k).digest() for k in range(3)]
KEYS = [slot_key(secret, SLOT) for secret in SECRETS]
BUYER, SELLER, OTHER = (signing.address_of(key) for key in KEYS)
OPERATOR_KEY = sha256(b"operator").digest()
OPERATOR = signing.address_of(OPERATOR_KEY)

BID = Bid(SLOT, 2, BUYER, SELLER, 1_500, -20_100, 7)
AWARD = Award(BID.hash, 900)
ALLOWANCE = Allowance(SLOT, BUYER, member_commitment(4, slot_salt(SECRETS[0], SLOT)), 5_000, 1_000)
CURVE = DemandCurve(SLOT, SELLER, bytes(range(32)), b"here", -2_000, (190_000, 80_000, -100), (300, 1, 2_500))
QUOTE = Quote(SLOT, 1, SELLER, CURVE.hash, -900, (OTHER,), (BID.hash, AWARD.hash), (900, 0))
ROLL = Roll.of(SLOT, [replace(ALLOWANCE, key=key) for key in (SELLER, BUYER)])


def signed_deal() -> SignedDeal:
    bid, award = (
        signing.sign(signing.digest(DOMAIN, struct.hash), key) for struct, key in ((BID, KEYS[0]), (AWARD, KEYS[1]))
    )
    return SignedDeal(BID, 900, bid, award)


def fields(kind: bytes) -> tuple[str, list[dict[str, str]]]:
    """Name and fields of a type, as a wallet wants them."""
    name, _, rest = kind.decode().partition("(")
    parts = [part.split(" ") for part in rest.partition(")")[0].split(",")]
    return name, [{"name": name, "type": type_} for type_, name in parts]


def values(kind: bytes, content: tuple[Any, ...]) -> dict[str, Any]:
    return {field["name"]: value for field, value in zip(fields(kind)[1], content, strict=True)}


@pytest.mark.parametrize(
    ("kind", "record", "content"),
    [
        (deal.BID_TYPE, BID, BID.content),
        (deal.AWARD_TYPE, AWARD, (AWARD.bid, AWARD.energy_wh)),
        (allowances.ALLOWANCE_TYPE, ALLOWANCE, ALLOWANCE.content),
        (
            quotes.CURVE_TYPE,
            CURVE,
            (CURVE.slot, CURVE.key, CURVE.salt, CURVE.contact, CURVE.top, list(CURVE.prices), list(CURVE.energies)),
        ),
        (
            quotes.QUOTE_TYPE,
            QUOTE,
            (SLOT, 1, QUOTE.key, QUOTE.curve, -900, list(QUOTE.complaints), list(QUOTE.bids), list(QUOTE.awarded)),
        ),
        (
            allowances.ROLL_TYPE,
            ROLL,
            (SLOT, [values(allowances.ALLOWANCE_TYPE, each.content) for each in ROLL.allowances]),
        ),
    ],
    ids=("bid", "award", "allowance", "curve", "quote", "roll"),
)
def test_a_wallet_signs_the_same_digest(kind: bytes, record: Any, content: tuple[Any, ...]) -> None:
    name, own = fields(kind)
    types = {name: own, "Allowance": fields(allowances.ALLOWANCE_TYPE)[1]} if name == "Roll" else {name: own}
    domain = {"name": NAME.decode(), "version": "1", "chainId": CHAIN, "verifyingContract": CONTRACT}
    message = encode_typed_data(domain, types, values(kind, content))
    signature = Account.sign_message(message, KEYS[2]).signature
    assert signing.signer(signing.digest(DOMAIN, record.hash), bytes(signature), "it") == OTHER


def test_a_deal_needs_both_and_keeps_to_its_bid() -> None:
    made = signed_deal()
    made.check(DOMAIN)
    assert made.amount_n == -900 * 20_100
    assert made.hash == AWARD.hash
    turned = replace(made, bid_signature=made.award_signature, award_signature=made.bid_signature)
    for bad, message in (
        (turned, "its bid is not signed by"),
        (replace(made, award_signature=made.bid_signature), "its award is not signed by"),
        (replace(made, bid=replace(BID, price=-20_000)), "its bid is not signed by"),
        (replace(made, energy_wh=899), "its award is not signed by"),
        (replace(made, energy_wh=1_501), "award what was bid at most"),
        (replace(made, energy_wh=0), "award what was bid at most"),
    ):
        with pytest.raises(SignatureError, match=message):
            bad.check(DOMAIN)
    with pytest.raises(SignatureError, match="its bid is not signed by"):
        made.check(signing.domain(NAME, CHAIN + 1, CONTRACT))


def test_two_bids_with_one_serial_contradict_each_other() -> None:
    assert BID.contradicts(replace(BID, most_wh=1))
    assert BID.contradicts(replace(BID, seller=OTHER))
    assert not BID.contradicts(replace(BID))
    assert not BID.contradicts(replace(BID, serial=8, price=0))
    assert not BID.contradicts(replace(BID, buyer=OTHER))


def test_an_allowance_tells_its_member_only_to_who_has_the_salt() -> None:
    salt = slot_salt(SECRETS[0], SLOT)
    assert ALLOWANCE.opens(4, salt)
    assert not ALLOWANCE.opens(5, salt)
    assert not ALLOWANCE.opens(4, slot_salt(SECRETS[0], SLOT + 1))
    ALLOWANCE.check(ALLOWANCE.sign(OPERATOR_KEY, DOMAIN), OPERATOR.upper().replace("0X", "0x"), DOMAIN)
    with pytest.raises(SignatureError, match="not the operator's"):
        ALLOWANCE.check(ALLOWANCE.sign(KEYS[0], DOMAIN), OPERATOR, DOMAIN)


def test_keys_and_salts_of_two_slots_have_nothing_in_common() -> None:
    made = [make(secret, slot) for make in (slot_key, slot_salt) for secret in SECRETS for slot in (SLOT, SLOT + 1)]
    assert len(set(made)) == len(made)


def test_a_roll_is_the_operators_and_has_each_key_once() -> None:
    signature = ROLL.sign(OPERATOR_KEY, DOMAIN)
    ROLL.check(signature, OPERATOR, DOMAIN)
    assert [each.key for each in ROLL.allowances] == sorted((BUYER, SELLER))
    assert ROLL.seats == {key: seat for seat, key in enumerate(sorted((BUYER, SELLER)))}
    more = replace(ROLL.allowances[0], most_sold_wh=10**9)
    for bad, message in (
        (Roll(SLOT, (more, ROLL.allowances[1])), "not signed by the operator"),
        (Roll(SLOT, ROLL.allowances[::-1]), "by rising address"),
        (Roll(SLOT, ROLL.allowances[:1] * 2), "each key once"),
        (Roll(SLOT + 1, ROLL.allowances), "all for this slot"),
    ):
        with pytest.raises(SignatureError, match=message):
            bad.check(signature, OPERATOR, DOMAIN)


def test_a_curve_falls_and_says_what_is_wanted_at_each_price() -> None:
    assert CURVE.is_meant
    assert [CURVE.at(price) for price in (190_001, 190_000, 189_999, 0, -100, -101)] == [
        (-2_000, -2_000), (-2_000, -1_700), (-1_700, -1_700), (-1_699, -1_699), (-1_699, 801), (801, 801),
    ]  # fmt: skip
    for bad in (replace(CURVE, prices=(1, 1, 0)), replace(CURVE, energies=(1, 0, 1)), replace(CURVE, energies=(1, 2))):
        assert not bad.is_meant
