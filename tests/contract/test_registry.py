"""Registry: members, roles, lost keys, meters; every reason is met here; `tests/fuzz` has its random lives."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from eth_utils.address import to_checksum_address

from tests.contract.world import (
    ARBITER,
    CANDIDATE,
    MEMBERS,
    NOBODY,
    OPERATOR,
    OWNER,
    STRANGER,
    Anchored,
    new_client,
    reason_of,
    refused,
)
from transactive.chain.artifact import artifact, source
from transactive.chain.twins.registry import (
    CONSUMER,
    FIXED,
    KEPT,
    MAX_METERS,
    PRODUCER,
    STORAGE,
)

REGISTRAR = ARBITER
DELAY = 1000
START = 1_000_000
A, B, C = (key.address for key in MEMBERS[:3])
FOR_EVER = 2**64 - 1


def numbered(number: int) -> str:
    """One of many accounts."""
    return to_checksum_address(f"0x{number + 1:040x}")


class Registry:
    """A registry with a registrar, an operator and two members."""

    def __init__(self) -> None:
        self.client = new_client()
        self.c = self.client.deploy(OWNER, "registry", DELAY)
        self.client.send(OWNER, self.c, "setRegistrar", REGISTRAR.address)
        self.client.send(OWNER, self.c, "offerOperator", OPERATOR.address)
        self.client.send(OPERATOR, self.c, "acceptOperator")
        self.client.send(REGISTRAR, self.c, "register", A, PRODUCER)
        self.client.send(REGISTRAR, self.c, "register", B, CONSUMER | STORAGE)
        self.client.block(START)
        self.anchored = Anchored(self.client)
        self.begin()

    def begin(self) -> None:
        self.now = START + 1

    def do(self, sender, function, *arguments):
        self.client.send(sender, self.c, function, *arguments)
        self.now = max(self.now, self.client.head_timestamp + 1)
        return self.client.block(self.now)

    def read(self, function, *arguments):
        return self.client.read(self.c, function, *arguments)


@pytest.fixture(scope="module")
def shared() -> Registry:
    return Registry()


@pytest.fixture
def r(shared):
    shared.anchored.restore()
    shared.begin()
    return shared


def test_members_have_a_stable_index_and_roles(r):
    assert r.read("memberCount") == 2
    assert r.read("standing", A) == [1, PRODUCER]
    assert r.read("standing", B) == [2, CONSUMER | STORAGE]
    assert r.read("standing", C) == [0, 0]
    assert r.read("accountOf", 1) == B
    with refused("registry: already a member"):
        r.do(REGISTRAR, "register", A, PRODUCER)
    with refused("registry: no account"):
        r.do(REGISTRAR, "register", NOBODY, PRODUCER)
    for roles in (FIXED | PRODUCER, 2**200):
        with refused("registry: bad roles"):
            r.do(REGISTRAR, "register", C, roles)
        with refused("registry: bad roles"):
            r.do(REGISTRAR, "setRoles", 0, roles)
    r.do(REGISTRAR, "setRoles", 0, STORAGE)
    assert r.read("standing", A) == [1, STORAGE]
    with refused("registry: no such member"):
        r.do(REGISTRAR, "setRoles", 2, STORAGE)


def test_a_suspension_hides_roles_and_keeps_them(r):
    r.do(REGISTRAR, "suspend", 1)
    assert r.read("standing", B) == [2, 0]
    assert (r.read("isSuspended", 1), r.read("isSuspended", 0)) == (True, False)
    assert r.read("rolesOf", 1) == CONSUMER | STORAGE
    with refused("registry: suspended already"):
        r.do(REGISTRAR, "suspend", 1)
    r.do(REGISTRAR, "setRoles", 1, PRODUCER)
    assert r.read("standing", B) == [2, 0]
    r.do(REGISTRAR, "readmit", 1)
    assert r.read("standing", B) == [2, PRODUCER]
    with refused("registry: not suspended"):
        r.do(REGISTRAR, "readmit", 1)


def test_a_lost_key_is_replaced_after_the_delay_by_the_new_key(r):
    r.do(REGISTRAR, "startRecovery", 0, C)
    ready_at = r.read("recoveries", 0)[1]
    assert ready_at == r.now + DELAY
    with refused("registry: not the candidate"):
        r.do(REGISTRAR, "finishRecovery", 0)
    r.now = ready_at - 1
    with refused("registry: delay running"):
        r.do(MEMBERS[2], "finishRecovery", 0)
    r.now = ready_at  # to the second
    r.do(MEMBERS[2], "finishRecovery", 0)
    assert (r.read("standing", A), r.read("standing", C)) == ([0, 0], [1, PRODUCER])
    assert (r.read("accountOf", 0), r.read("memberCount")) == (C, 2)
    with refused("registry: not the candidate"):  # once only
        r.do(MEMBERS[2], "finishRecovery", 0)
    r.do(REGISTRAR, "register", A, CONSUMER)  # a stranger like any other
    assert r.read("standing", A) == [3, CONSUMER]


def test_the_member_vetoes_to_the_last_second_even_if_suspended(r):
    r.do(REGISTRAR, "startRecovery", 0, C)
    r.do(REGISTRAR, "suspend", 0)
    r.now += DELAY
    with refused("registry: not allowed"):
        r.do(MEMBERS[1], "stopRecovery", 0)
    r.do(MEMBERS[0], "stopRecovery", 0)
    with refused("registry: not the candidate"):
        r.do(MEMBERS[2], "finishRecovery", 0)
    with refused("registry: nothing to stop"):
        r.do(MEMBERS[0], "stopRecovery", 0)
    r.do(REGISTRAR, "startRecovery", 0, C)
    r.do(REGISTRAR, "stopRecovery", 0)


def test_a_fixed_place_is_never_given_to_another_key(r):
    """Whatever its registrar says of its roles: it trades nowhere, and no recovery begins."""
    r.do(REGISTRAR, "register", C, FIXED)
    assert r.read("standing", C) == [3, 0]
    for _ in "ab":
        with refused("registry: place is fixed"):
            r.do(REGISTRAR, "startRecovery", 2, OPERATOR.address)
        r.do(REGISTRAR, "setRoles", 2, PRODUCER)
    assert (r.read("standing", C), r.read("rolesOf", 2)) == ([3, PRODUCER], PRODUCER)
    with refused("registry: bad roles"):
        r.do(REGISTRAR, "setRoles", 0, FIXED)


def test_a_recovery_names_an_account_that_is_free_now_and_later(r):
    with refused("registry: no account"):
        r.do(REGISTRAR, "startRecovery", 0, NOBODY)
    with refused("registry: already a member"):
        r.do(REGISTRAR, "startRecovery", 0, B)
    with refused("registry: no such member"):
        r.do(REGISTRAR, "startRecovery", 7, C)
    r.do(REGISTRAR, "startRecovery", 0, C)
    r.do(REGISTRAR, "register", C, PRODUCER)
    r.now += DELAY
    with refused("registry: already a member"):
        r.do(MEMBERS[2], "finishRecovery", 0)


def test_a_new_announcement_waits_the_whole_delay(r):
    r.do(REGISTRAR, "startRecovery", 0, C)
    r.now += DELAY
    r.do(REGISTRAR, "startRecovery", 0, CANDIDATE.address)
    with refused("registry: not the candidate"):
        r.do(MEMBERS[2], "finishRecovery", 0)
    with refused("registry: delay running"):
        r.do(CANDIDATE, "finishRecovery", 0)


def test_meters(r):
    key = STRANGER.address
    r.do(REGISTRAR, "addMeter", 1, key, 7, 100, 200)
    assert r.read("meters", 0) == (key, 1, 7, 100, 200)
    assert r.read("meterFor", 0, 100, 200) == [key, 1]
    assert r.read("meterOfKey", key) == 1
    for start, end in ((99, 150), (150, 201)):
        with refused("registry: meter not valid then"):
            r.read("meterFor", 0, start, end)
    with refused("registry: no such meter"):
        r.read("meterFor", 1, 100, 200)
    with refused("registry: no such meter"):
        r.do(REGISTRAR, "endMeter", 1, 5)
    assert [r.read("metersFor", 1, *span) for span in ((100, 200), (99, 200), (100, 201))] == [1, 0, 0]
    for bad in (key, NOBODY):
        with refused("registry: bad key"):
            r.do(REGISTRAR, "addMeter", 0, bad, 7, 100, 200)
    for dates in ((200, 200), (100, 2**64)):
        with refused("registry: bad dates"):
            r.do(REGISTRAR, "addMeter", 0, A, 7, *dates)
    with refused("registry: bad node"):
        r.do(REGISTRAR, "addMeter", 0, A, 2**64, 100, 200)
    with refused("registry: no such member"):
        r.do(REGISTRAR, "addMeter", 2, A, 7, 100, 200)
    for until in (99, 200, 201):  # earlier only, and not before it began
        with refused("registry: bad dates"):
            r.do(REGISTRAR, "endMeter", 0, until)
    r.do(REGISTRAR, "endMeter", 0, 150)
    with refused("registry: meter not valid then"):
        r.read("meterFor", 0, 100, 200)
    assert r.read("meterFor", 0, 100, 150) == [key, 1]


def test_long_ended_meters_make_place(r):
    def add(number, until=FOR_EVER):
        r.do(REGISTRAR, "addMeter", 0, numbered(number), 2**64 - 1, FOR_EVER - 1 if number == 3 else 0, until)

    ended = r.now + 100
    add(0, ended)
    for number in range(1, MAX_METERS):
        add(number)
    assert r.read("meters", 15)[2] == 2**64 - 1
    r.now = ended + KEPT - 1
    with refused("registry: too many meters"):
        add(16)
    r.now = ended + KEPT
    add(16)
    assert r.read("metersFor", 0, 1, 2) == MAX_METERS - 1
    with refused("registry: too many meters"):
        add(17)
    r.do(REGISTRAR, "endMeter", 3, FOR_EVER - 1)  # never counts: its place is free at once
    add(17)


def test_owner_and_operator_change_in_two_steps(r):
    r.do(OWNER, "offerOperator", CANDIDATE.address)
    assert r.read("operator") == OPERATOR.address
    with refused("registry: not the candidate"):
        r.do(STRANGER, "acceptOperator")
    r.do(CANDIDATE, "acceptOperator")
    assert (r.read("operator"), r.read("pendingOperator")) == (CANDIDATE.address, NOBODY)
    r.do(OWNER, "offerOwnership", CANDIDATE.address)
    with refused("registry: not the candidate"):
        r.do(OWNER, "acceptOwnership")
    r.do(CANDIDATE, "acceptOwnership")
    assert (r.read("owner"), r.read("pendingOwner")) == (CANDIDATE.address, NOBODY)
    with refused("registry: not the owner"):
        r.do(OWNER, "setRegistrar", OWNER.address)


def test_no_registry_without_a_delay(r):
    with refused("registry: no delay"):
        r.client.deploy(OWNER, "registry", 0)
        r.client.block(r.client.head_timestamp + 1)


ALLOWED = {
    "register": ({"registrar"}, (CANDIDATE.address, PRODUCER)),
    "setRoles": ({"registrar"}, (0, STORAGE)),
    "suspend": ({"registrar"}, (0,)),
    "readmit": ({"registrar"}, (1,)),
    "startRecovery": ({"registrar"}, (1, CANDIDATE.address)),
    "stopRecovery": ({"registrar", "member"}, (0,)),
    "finishRecovery": ({"candidate"}, (0,)),
    "addMeter": ({"registrar"}, (0, C, 1, 0, 9)),
    "endMeter": ({"registrar"}, (0, 5)),
    "setRegistrar": ({"owner"}, (A,)),
    "offerOperator": ({"owner"}, (A,)),
    "acceptOperator": ({"candidate"}, ()),
    "offerOwnership": ({"owner"}, (A,)),
    "acceptOwnership": ({"candidate"}, ()),
}
PEOPLE = {
    "owner": OWNER,
    "operator": OPERATOR,
    "registrar": REGISTRAR,
    "member": MEMBERS[0],
    "other member": MEMBERS[1],
    "candidate": CANDIDATE,
    "stranger": STRANGER,
}
ROLE_REASONS = {
    "registry: not the owner",
    "registry: not the registrar",
    "registry: not the candidate",
    "registry: not allowed",
}


def test_every_function_tried_by_every_role(r):
    written = {f["name"] for f in artifact("registry").abi if f.get("stateMutability") == "nonpayable" and "name" in f}
    assert written == set(ALLOWED)
    for call in (
        (REGISTRAR, "suspend", 1),
        (REGISTRAR, "startRecovery", 0, CANDIDATE.address),
        (REGISTRAR, "addMeter", 0, B, 1, 0, 9),
        (OWNER, "offerOperator", CANDIDATE.address),
        (OWNER, "offerOwnership", CANDIDATE.address),
    ):
        r.do(*call)
    r.now += DELAY
    for function, (allowed, arguments) in ALLOWED.items():
        for who, key in PEOPLE.items():
            mark = r.anchored.chain.snapshot()
            reason = reason_of(r.do, key, function, *arguments)
            assert (reason is None) == (who in allowed), (function, who)
            assert reason is None or reason in ROLE_REASONS
            assert r.anchored.chain.revert(mark)
            r.client.forget()


def test_every_reason_is_met_by_a_test_here():
    reasons = set(re.findall(r'"registry: ([^"]+)"', source("registry")))
    here = Path(__file__).read_text(encoding="utf-8")
    assert len(reasons) > 15
    assert [reason for reason in sorted(reasons) if f"registry: {reason}" not in here] == []
