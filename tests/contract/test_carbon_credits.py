"""Carbon credits: every reason, every role, serials for ever; `tests/fuzz` has their random lives."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode as abi_encode
from eth_utils.crypto import keccak

from tests.contract.world import (
    CANDIDATE,
    MEMBERS,
    NOBODY,
    OFF,
    ON,
    OWNER,
    Anchored,
    new_client,
    refused,
)
from tests.twins.carbon_credits import CarbonCreditsTwin
from transactive.chain.artifact import artifact

A, B, AUDITOR, OTHER_AUDITOR = MEMBERS[:4]
FOREST, STOVES = b"forest".ljust(32, b"\0"), b"stoves".ljust(32, b"\0")
WORDS = ("house-04", "home", "2024")
BUFFER_PPM = 200_000


def serial(number: int) -> bytes:
    return keccak(number.to_bytes(4, "big"))


class Credits:
    """The contract with two projects and their auditors."""

    def __init__(self) -> None:
        self.client = new_client()
        self.c = self.client.deploy(OWNER, "carbon_credits", BUFFER_PPM)
        self.client.send(OWNER, self.c, "registerProject", FOREST, AUDITOR.address, ON, "VM0047, DE")
        self.client.send(OWNER, self.c, "registerProject", STOVES, OTHER_AUDITOR.address, OFF, "VMR0006, KE")
        self.client.block(1_000)
        self.anchored = Anchored(self.client)

    def do(self, sender, function, *arguments):
        self.client.send(sender, self.c, function, *arguments)
        return self.client.block(self.client.head_timestamp + 1)

    def read(self, function, *arguments):
        return self.client.read(self.c, function, *arguments)

    def twin(self) -> CarbonCreditsTwin:
        twin = CarbonCreditsTwin(owner=OWNER.address, buffer_ppm=BUFFER_PPM, own=(NOBODY, self.c.address))
        twin.register_project(OWNER.address, FOREST, AUDITOR.address)
        twin.register_project(OWNER.address, STOVES, OTHER_AUDITOR.address)
        return twin


@pytest.fixture(scope="module")
def shared() -> Credits:
    return Credits()


@pytest.fixture
def book(shared):
    shared.anchored.restore()
    return shared


def test_issue_retire_and_receipt(book):
    book.do(AUDITOR, "issue", FOREST, 2024, serial(1), 1_001, A.address)
    assert book.read("balanceOf", A.address, 0) == 800
    assert book.read("batches", 0) == (FOREST, 2024, 1_001, 201, 0, 0)
    book.do(A, "retire", 0, 300, *WORDS)
    block = book.do(A, "retire", 0, 100, *WORDS)
    types = ["uint256", "uint256", "uint256", "address", "string", "string", "string"]
    assert book.read("receipts", 1) == keccak(abi_encode(types, [0, 300, 400, A.address, *WORDS]))
    assert len(book.client.logs(book.c, block.number)) == 2
    assert book.read("balanceOf", A.address, 0) == 400


def test_d9_a_serial_is_written_once_and_nothing_frees_it(book):
    book.do(AUDITOR, "issue", FOREST, 2024, serial(1), 5, A.address)
    for sender, project in ((AUDITOR, FOREST), (OTHER_AUDITOR, STOVES)):
        with refused("carbon_credits: serial used"):
            book.do(sender, "issue", project, 2024, serial(1), 5, A.address)
    names = {entry["name"] for entry in artifact("carbon_credits").abi if entry["type"] == "function"}
    assert not {name for name in names if "unset" in name.lower() or "remove" in name.lower()}


def test_every_reason(book):
    with refused("carbon_credits: not the owner"):
        book.do(A, "registerProject", b"x".ljust(32), A.address, ON, "")
    with refused("carbon_credits: no project"):
        book.do(OWNER, "registerProject", bytes(32), A.address, ON, "")
    with refused("carbon_credits: no auditor"):
        book.do(OWNER, "registerProject", b"x".ljust(32), NOBODY, ON, "")
    with refused("carbon_credits: project exists"):
        book.do(OWNER, "registerProject", FOREST, A.address, ON, "")
    with refused("carbon_credits: not the auditor"):
        book.do(OTHER_AUDITOR, "issue", FOREST, 2024, serial(1), 5, A.address)
    with refused("carbon_credits: no serial"):
        book.do(AUDITOR, "issue", FOREST, 2024, bytes(32), 5, A.address)
    for kg in (0, 2**62):
        with refused("carbon_credits: bad amount"):
            book.do(AUDITOR, "issue", FOREST, 2024, serial(1), kg, A.address)
    for bad in (NOBODY, book.c.address):
        with refused("multitoken: bad receiver"):
            book.do(AUDITOR, "issue", FOREST, 2024, serial(1), 5, bad)
    book.do(AUDITOR, "issue", FOREST, 2024, serial(1), 5, A.address)
    with refused("carbon_credits: bad amount"):
        book.do(A, "retire", 0, 0, *WORDS)
    for missing in range(3):
        with refused("carbon_credits: receipt incomplete"):
            book.do(A, "retire", 0, 1, *("" if i == missing else word for i, word in enumerate(WORDS)))
    with refused("multitoken: balance too low"):
        book.do(A, "retire", 0, 5, *WORDS)  # one of the five is the buffer's
    with refused("carbon_credits: not the auditor"):
        book.do(OTHER_AUDITOR, "reverse", 0, 1, [])
    with refused("carbon_credits: bad amount"):
        book.do(AUDITOR, "reverse", 0, 0, [])
    with refused("carbon_credits: not the owner"):
        book.do(A, "offerOwnership", A.address)
    with refused("carbon_credits: not the candidate"):
        book.do(A, "acceptOwnership")
    with refused("carbon_credits: bad buffer"):
        book.client.deploy(OWNER, "carbon_credits", 10**6)
        book.client.block(book.client.head_timestamp + 1)


def test_owner_changes_in_two_steps(book):
    book.do(OWNER, "offerOwnership", CANDIDATE.address)
    assert book.read("owner") == OWNER.address
    book.do(CANDIDATE, "acceptOwnership")
    assert (book.read("owner"), book.read("pendingOwner")) == (CANDIDATE.address, NOBODY)
    with refused("carbon_credits: not the owner"):
        book.do(OWNER, "offerOwnership", A.address)


def test_operators_and_unlimited_allowances(book):
    book.do(AUDITOR, "issue", FOREST, 2024, serial(1), 100, A.address)
    with refused("multitoken: allowance too low"):
        book.do(B, "transferFrom", A.address, B.address, 0, 1)
    book.do(A, "setOperator", B.address, ON)
    book.do(B, "transferFrom", A.address, B.address, 0, 10)
    book.do(A, "setOperator", B.address, OFF)
    book.do(A, "approve", B.address, 0, 2**256 - 1)
    book.do(B, "transferFrom", A.address, B.address, 0, 10)
    assert book.read("allowance", A.address, B.address, 0) == 2**256 - 1
    assert book.read("balanceOf", B.address, 0) == 20
    assert [book.read("supportsInterface", bytes.fromhex(i)) for i in ("01ffc9a7", "0f632fb3", "ffffffff")] == [
        True,
        True,
        False,
    ]
