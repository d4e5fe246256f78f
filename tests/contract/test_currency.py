"""Currency: ERC-20 behaviour, supply, roles, permit."""

from __future__ import annotations

import pytest
from eth_utils.crypto import keccak

from tests.contract.world import CANDIDATE, MEMBERS, NOBODY, OFF, ON, ON_RAMP, OWNER, Anchored, new_client, refused

A, B, HOLDER = MEMBERS[:3]
CAP = 10**15
CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


class Money:
    """A currency whose on-ramp may mint."""

    def __init__(self, cap: int) -> None:
        self.client = new_client()
        self.token = self.client.deploy(OWNER, "currency", "Local Energy", "LEN", cap)
        self.client.send(OWNER, self.token, "setMinter", ON_RAMP.address, ON)
        self.client.block(1000)
        self.anchored = Anchored(self.client)

    def do(self, sender, function, *arguments, at=None):
        self.client.send(sender, self.token, function, *arguments)
        return self.client.block(at or self.client.head_timestamp + 1)

    def read(self, function, *arguments):
        return self.client.read(self.token, function, *arguments)

    def events(self, block):
        """Transfers and approvals of a block: topics as addresses, and the amount."""
        return [
            ([topic[-40:] for topic in log["topics"][1:]], int(log["data"], 16))
            for log in self.client.logs(self.token, block.number)
        ]


@pytest.fixture(scope="module")
def shared() -> Money:
    return Money(CAP)


@pytest.fixture
def money(shared):
    shared.anchored.restore()
    return shared


def short(account):
    return account.address[2:].lower()


def test_metadata(money):
    assert money.read("decimals") == 9
    assert (money.read("name"), money.read("symbol"), money.read("cap")) == ("Local Energy", "LEN", CAP)
    with refused("currency: zero cap"):
        Money(0)


def test_cap_and_minter(money):
    block = money.do(ON_RAMP, "mint", A.address, CAP)
    assert money.events(block) == [(["0" * 40, short(A)], CAP)]
    with refused("currency: cap exceeded"):
        money.do(ON_RAMP, "mint", A.address, 1)
    with refused("currency: not a minter"):
        money.do(OWNER, "mint", A.address, 1)
    block = money.do(A, "burn", 5)
    assert money.events(block) == [([short(A), "0" * 40], 5)]
    money.do(ON_RAMP, "mint", A.address, 5)
    assert money.read("totalSupply") == CAP
    with refused("currency: bad receiver"):
        money.do(ON_RAMP, "mint", NOBODY, 0)
    money.do(OWNER, "setMinter", ON_RAMP.address, OFF)
    with refused("currency: not a minter"):
        money.do(ON_RAMP, "mint", A.address, 1)


def test_transfers(money):
    money.do(ON_RAMP, "mint", A.address, 100)
    with refused("currency: balance too low"):
        money.do(A, "transfer", B.address, 101)
    with refused("currency: balance too low"):
        money.do(A, "burn", 101)
    for bad in (money.token.address, NOBODY):
        with refused("currency: bad receiver"):
            money.do(A, "transfer", bad, 1)
    block = money.do(A, "transfer", B.address, 40)
    assert money.events(block) == [([short(A), short(B)], 40)]
    money.do(A, "transfer", A.address, 60)
    assert (money.read("balanceOf", A.address), money.read("balanceOf", B.address)) == (60, 40)


def test_allowances(money):
    money.do(ON_RAMP, "mint", A.address, 100)
    block = money.do(A, "approve", B.address, 30)
    assert money.events(block) == [([short(A), short(B)], 30)]
    money.do(B, "transferFrom", A.address, B.address, 20)
    with refused("currency: allowance too low"):
        money.do(B, "transferFrom", A.address, B.address, 11)
    assert money.read("allowance", A.address, B.address) == 10
    money.do(A, "approve", B.address, 2**256 - 1)
    money.do(B, "transferFrom", A.address, B.address, 11)
    assert money.read("allowance", A.address, B.address) == 2**256 - 1
    with refused("currency: balance too low"):
        money.do(B, "transferFrom", A.address, B.address, 70)


def test_ownership_in_two_steps(money):
    for function, arguments in (("setMinter", [A.address, ON]), ("offerOwnership", [A.address])):
        with refused("currency: not the owner"):
            money.do(A, function, *arguments)
    money.do(OWNER, "offerOwnership", CANDIDATE.address)
    assert money.read("owner") == OWNER.address
    with refused("currency: not the candidate"):
        money.do(OWNER, "acceptOwnership")
    money.do(CANDIDATE, "acceptOwnership")
    assert (money.read("owner"), money.read("pendingOwner")) == (CANDIDATE.address, NOBODY)
    with refused("currency: not the candidate"):
        money.do(CANDIDATE, "acceptOwnership")
    with refused("currency: not the owner"):
        money.do(OWNER, "offerOwnership", OWNER.address)


FIELDS = (
    ("owner", "address"),
    ("spender", "address"),
    ("value", "uint256"),
    ("nonce", "uint256"),
    ("deadline", "uint256"),
)
TYPES = {"Permit": [{"name": name, "type": kind} for name, kind in FIELDS]}


def signature(money, value, nonce, deadline, *, signer=HOLDER, chain_id=31337, contract=None):
    domain = {
        "name": "Local Energy",
        "version": "1",
        "chainId": chain_id,
        "verifyingContract": contract or money.token.address,
    }
    message = {
        "owner": HOLDER.address,
        "spender": B.address,
        "value": value,
        "nonce": nonce,
        "deadline": deadline,
    }
    signed = signer.sign_typed_data(domain, TYPES, message)
    return signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")


def test_permit(money):
    def permit(value, *signed, owner=HOLDER.address, at=None):
        money.do(A, "permit", owner, B.address, value, until, *signed, at=at)

    until = 2000
    permit(7, *signature(money, 7, 0, until))
    assert money.read("allowance", HOLDER.address, B.address) == 7
    assert money.read("nonces", HOLDER.address) == 1
    with refused("currency: bad signature"):  # used once
        permit(7, *signature(money, 7, 0, until))
    v, r, s = signature(money, 8, 1, until)
    twin = (CURVE_ORDER - int.from_bytes(s, "big")).to_bytes(32, "big")
    with refused("currency: malleable signature"):
        permit(8, 55 - v, r, twin)
    wrong = {
        "another amount": (9, v, r, s),
        "another signer": (8, *signature(money, 8, 1, until, signer=A)),
        "another chain": (8, *signature(money, 8, 1, until, chain_id=5)),
        "another contract": (8, *signature(money, 8, 1, until, contract=A.address)),
        "a later nonce": (8, *signature(money, 8, 2, until)),
        "no signature": (8, 0, bytes(32), bytes(32)),
    }
    for arguments in wrong.values():
        with refused("currency: bad signature"):
            permit(*arguments)
    with refused("currency: bad signature"):  # nobody's signature recovers to the zero address
        permit(8, 0, r, s, owner=NOBODY)
    with refused("currency: permit expired"):
        permit(8, v, r, s, at=until + 1)


def test_permit_holds_in_its_last_second(money):
    signed = signature(money, 8, 0, 3000)
    money.do(A, "permit", HOLDER.address, B.address, 8, 3000, *signed, at=3000)
    assert money.read("allowance", HOLDER.address, B.address) == 8


def test_domain_separator(money):
    kind = keccak(text="EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
    parts = kind + keccak(text="Local Energy") + keccak(text="1") + (31337).to_bytes(32, "big")
    assert money.read("DOMAIN_SEPARATOR") == keccak(parts + bytes(12) + bytes.fromhex(money.token.address[2:]))
