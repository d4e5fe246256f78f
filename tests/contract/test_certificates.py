"""Certificates as tokens: how they come in, by root or directly, what holders can do, and what nobody can."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contract.certificate_world import (
    BUNDLES,
    FOREST,
    MEMBERS,
    NOTHING,
    PROJECT,
    REGISTERS_OF,
    VALIDITY,
    CertificateWorld,
)
from tests.contract.world import (
    ARBITER,
    CANDIDATE,
    GATEWAY,
    NOBODY,
    OFF,
    ON,
    OPERATOR,
    OWNER,
    SLOT,
    STRANGER,
    reason_of,
    refused,
)
from tests.twins.certificates import MemberSlotTwin, token_id
from transactive.chain.artifact import artifact, source
from transactive.core.proofs.merkle import ZERO
from transactive.core.proofs.signed_orders import split
from transactive.metering import gateway

BENEFICIARY, ELSEWHERE = b"house 2, June".ljust(32, b"\0"), b"another registry".ljust(32, b"\0")
SERIAL = b"serial".ljust(32, b"\0")


@pytest.fixture
def w() -> CertificateWorld:
    """A slot with certificates, settled."""
    world = CertificateWorld.made()
    world.commit_carbon()
    world.finish()
    return world


@pytest.fixture
def direct() -> CertificateWorld:
    """A slot with certificates, issued."""
    world = CertificateWorld.made(direct=True)
    world.issued = world.now // SLOT
    world.now = (world.issued + 1) * SLOT
    world.act(STRANGER, "issue", *world.issue_arguments(world.issued))
    return world


def pv(w: CertificateWorld) -> int:
    """Id of what the first home made."""
    return token_id(0, w.slot_of_final, 0)


# -- leaving a root


def test_a_leaf_leaves_once_and_its_unused_bundles_become_tokens_of_their_owners(w):
    twin = w.twin()
    for index in range(MEMBERS):
        w.release(index)
        twin.release(w.told(index), w.period - 1, counts=True)
        with refused("certificates: already out"):
            w.release(index)
        book = w.certificate("books", w.slot_of_final, index)
        assert book == twin.books[w.slot_of_final, index].word
    held = {(account, token): wh for (account, token), wh in twin.tokens.balances.items() if wh}
    assert held == {(w.members[3].address, pv(w)): 400, (w.members[0].address, pv(w)): 100}
    assert (w.held(3, pv(w)), w.held(0, pv(w))) == (400, 100)
    assert w.certificate("released", w.slot_of_final) == 500
    assert twin.books[w.slot_of_final, 2] == MemberSlotTwin(700, 600, 0, 0, 0)


def test_nothing_leaves_before_its_period_is_final():
    w = CertificateWorld.made()
    w.commit_carbon()
    w.final = w.opening()
    with refused("certificates: not final"):
        w.release(0)
    w.propose()
    with refused("certificates: not final"):
        w.release(0)


def test_what_leaves_is_what_was_committed(w):
    other = replace(w.final, commitment=replace(w.final.commitment, certificates=w.final.commitment.root))
    with refused("certificates: not final"):
        w.release(0, opening=other)
    shown, record = w.carbon_shown(0), w.carbon.record(0)
    for wrong in (
        (*shown[:2], replace(w.carbon_tree.leaf(0), energy=1).content, shown[3]),
        (1, *shown[1:]),
        (*shown[:3], shown[3][:-1]),
        (16, *shown[1:]),
    ):
        with refused("bundles: bad proof"):
            w.act(STRANGER, "release", w.final.content, wrong, record)
    with refused("bundles: no leaf"):
        w.act(STRANGER, "release", w.final.content, w.carbon_shown(12, blank=True), record)
    with refused("bundles: other record"):
        w.act(STRANGER, "release", w.final.content, shown, (record[0], record[1][:-1]))
    with refused("bundles: other record"):
        w.act(STRANGER, "release", w.final.content, shown, (ZERO, record[1]))


def test_trade_certificates_and_levy_settle_together_or_not_at_all():
    """They are one commitment: a conviction takes all of it back, and what is committed anew counts as a whole."""
    w = CertificateWorld.made()
    w.commit_carbon(leaves={0: w.forged(0, issued_wh=1_001)})
    bad, lied = w.opening(), w.carbon_tree
    w.evidence("challengeLeaf", bad.content, w.carbon_shown(0))
    assert not w.read("isCommitted", bad.content)
    w.back()
    w.commit_carbon()
    w.finish()
    honest, w.carbon_tree = w.carbon_tree, lied
    with refused("certificates: not final"):
        w.release(0, opening=bad)
    w.carbon_tree = honest
    w.release(0)
    assert w.held(3, pv(w)) == 400


LIES = {
    "more issued than metered": {"issued_wh": 1_001},
    "more claimed than issued": {"claimed_wh": 1_001},
    "another issue than the bundles": {"issued_wh": 999},
    "other claims than the bundles": {"claimed_wh": 501},
    "received what nobody gave": {"received_wh": 199},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_leaf_that_nobody_challenged_still_does_not_leave_if_it_contradicts_itself(lie):
    w = CertificateWorld.made()
    w.commit_carbon(leaves={0: w.forged(0, **LIES[lie])})
    w.finish()
    with refused("certificates: leaf contradicts itself"):
        w.release(0)


def test_no_more_leaves_than_the_slot_has():
    """A neighbour's node says that more was claimed; on the way of this leaf everything adds up."""
    for more, reason in ((50, None), (51, "certificates: more than the slot has")):
        w = CertificateWorld.made()
        honest = w.forged(1)
        w.commit_carbon(lies={(0, 2): (honest.money + (more << 128) + (more << 192), honest.energy + more)})
        w.finish()
        assert reason_of(w.release, 0) == reason


def test_absurd_energy_does_not_leave():
    w = CertificateWorld.made()
    w.commit_carbon(leaves={0: w.forged(0, consumed_wh=2**52)})
    w.finish()
    with refused("certificates: too much energy"):
        w.release(0)


# -- what holders do


def test_claims_count_against_what_the_member_consumed_in_that_slot(w):
    for index in (0, 3):
        w.release(index)
    holder = w.members[3]
    with refused("certificates: beyond consumption"):
        w.act(holder, "claim", 3, BENEFICIARY, [pv(w)], [501])
    with refused("multitoken: balance too low"):
        w.act(holder, "claim", 3, BENEFICIARY, [pv(w)], [401])
    w.act(holder, "claim", 3, BENEFICIARY, [pv(w), pv(w)], [150, 150])
    assert w.held(3, pv(w)) == 100
    assert (w.certificate("books", w.slot_of_final, 3) >> 52) % 2**52 == 300
    w.act(w.members[0], "transfer", holder.address, pv(w), 100)
    w.act(holder, "claim", 3, BENEFICIARY, [pv(w)], [200])
    with refused("certificates: beyond consumption"):  # all 500 Wh are claimed
        w.act(holder, "claim", 3, BENEFICIARY, [pv(w)], [1])
    w.act(holder, "claim", 3, BENEFICIARY, [], [])


def test_what_was_received_in_the_slot_cannot_be_claimed_for_again(w):
    """Home 2 consumed 700 Wh, 600 of them certified in the slot already."""
    for index in (0, 2):
        w.release(index)
    w.act(w.members[3], "transfer", w.members[2].address, pv(w), 400)
    with refused("certificates: beyond consumption"):
        w.act(w.members[2], "claim", 2, BENEFICIARY, [pv(w)], [101])
    w.act(w.members[2], "claim", 2, BENEFICIARY, [pv(w)], [100])


def test_claims_that_are_refused(w):
    w.release(0)
    holder = w.members[3]
    for reason, sender, arguments in (
        ("no reading", holder, (3, BENEFICIARY, [pv(w)], [1])),
        ("not the member", holder, (2, BENEFICIARY, [pv(w)], [1])),
        ("not the member", holder, (99, BENEFICIARY, [pv(w)], [1])),
        ("no beneficiary", holder, (3, ZERO, [pv(w)], [1])),
        ("one amount for each", holder, (3, BENEFICIARY, [pv(w)], [1, 1])),
        ("no reading", holder, (3, BENEFICIARY, [token_id(0, w.slot_of_final + 1, 0)], [1])),
        ("beyond consumption", w.members[0], (0, BENEFICIARY, [pv(w)], [0])),
    ):
        with refused(f"certificates: {reason}"):
            w.act(sender, "claim", *arguments)


def test_a_claim_for_a_member_by_its_operator(w):
    for index in (0, 2):
        w.release(index)
    w.act(w.members[2], "setOperator", w.members[3].address, ON)
    w.act(w.members[3], "claim", 2, BENEFICIARY, [pv(w)], [10])
    w.act(w.members[2], "setOperator", w.members[3].address, OFF)
    with refused("certificates: not the member"):
        w.act(w.members[3], "claim", 2, BENEFICIARY, [pv(w)], [10])


def test_a_zone_that_is_out_of_reach():
    """Homes 0 and 3 in zones 1 and 2; zones stay with a slot as they were when its leaf left."""
    w = CertificateWorld.made()
    w.act(OWNER, "setZones", 0, 1 | 2 << 24)
    w.commit_carbon()
    w.finish()
    for index in (0, 3):
        w.release(index)
    token = token_id(1, w.slot_of_final, 0)
    w.act(OWNER, "setZones", 0, 0)
    for zones in (0, 1 << 1, 1 << 3):
        w.act(OWNER, "setReach", 1, zones)
        with refused("certificates: out of reach"):
            w.act(w.members[3], "claim", 3, BENEFICIARY, [token], [1])
    w.act(OWNER, "setReach", 1, 1 << 2)
    w.act(w.members[3], "claim", 3, BENEFICIARY, [token], [1])


def test_d5_what_was_withdrawn_claimed_or_revoked_moves_no_more(w, direct):
    w.release(0)
    holder = w.members[3]
    w.act(holder, "withdraw", pv(w), 400, ELSEWHERE)
    with refused("certificates: bad amount"):
        w.act(holder, "withdraw", pv(w), 0, ELSEWHERE)
    with refused("multitoken: balance too low"):
        w.act(holder, "transfer", STRANGER.address, pv(w), 1)
    with refused("multitoken: balance too low"):
        w.act(holder, "withdraw", pv(w), 1, ELSEWHERE)
    token, home = token_id(0, direct.issued, 0), direct.members[0]
    direct.act(home, "approve", STRANGER.address, token, 5)
    direct.act(GATEWAY, "revoke", direct.issued, 0)
    assert not direct.certificate("isLive", token)
    moves: list[tuple[Any, ...]] = [
        (home, "transfer", STRANGER.address, token, 1),
        (STRANGER, "transferFrom", home.address, STRANGER.address, token, 1),
        (home, "claim", 0, BENEFICIARY, [token], [1]),
        (home, "withdraw", token, 1, ELSEWHERE),
    ]
    for sender, function, *arguments in moves:
        with refused("certificates: expired or revoked"):
            direct.act(sender, function, *arguments)
    assert direct.held(0, token) == 1_000


def test_certificates_expire(w):
    w.release(0)
    end = (w.slot_of_final + 1) * SLOT + VALIDITY
    w.now = end - 1
    w.act(w.members[3], "transfer", w.members[4].address, pv(w), 1)
    w.now = end
    with refused("certificates: expired or revoked"):
        w.act(w.members[3], "transfer", w.members[4].address, pv(w), 1)
    with refused("certificates: expired or revoked"):
        w.act(w.members[3], "claim", 3, BENEFICIARY, [pv(w)], [1])


def test_tokens_move_by_allowance_and_operator(w):
    w.release(0)
    holder, other = w.members[3], w.members[5]
    with refused("multitoken: allowance too low"):
        w.act(STRANGER, "transferFrom", holder.address, other.address, pv(w), 1)
    w.act(holder, "approve", STRANGER.address, pv(w), 10)
    w.act(STRANGER, "transferFrom", holder.address, other.address, pv(w), 4)
    assert w.certificate("allowance", holder.address, STRANGER.address, pv(w)) == 6
    w.act(holder, "setOperator", STRANGER.address, ON)
    w.act(STRANGER, "transferFrom", holder.address, other.address, pv(w), 100)
    assert (w.held(3, pv(w)), w.held(5, pv(w))) == (296, 104)
    for receiver in (NOBODY, w.certificates.address):
        with refused("multitoken: bad receiver"):
            w.act(holder, "transfer", receiver, pv(w), 1)
    interfaces = (bytes.fromhex(one) for one in ("01ffc9a7", "0f632fb3", "ffffffff"))
    assert [w.certificate("supportsInterface", one) for one in interfaces] == [True, True, False]


# -- direct issue


def test_d4_a_whole_slot_is_issued_in_one_call(direct):
    w, twin = direct, direct.twin(direct=True)
    slot, packed, accounts, spared, _ = w.issue_arguments(w.issued)
    assert twin.issue(slot, packed, accounts, spared, twin.gateway, w.now) == 1_050
    for account, member in (("first home", 0), ("home that charges", 4)):
        token = token_id(0, slot, 2 * member)
        assert w.held(member, token) == twin.tokens.balances[w.members[member].address, token], account
    for member in range(len(REGISTERS_OF)):
        assert w.certificate("books", slot, member) == twin.books[slot, member].word
    w.act(w.members[0], "claim", 0, BENEFICIARY, [token_id(0, slot, 0)], [200])
    with refused("certificates: beyond consumption"):
        w.act(w.members[0], "claim", 0, BENEFICIARY, [token_id(0, slot, 0)], [1])


def test_d6_nobody_vouches_for_itself_and_nothing_is_issued_twice(direct):
    w = direct
    with refused("certificates: already out"):
        w.act(STRANGER, "issue", *w.issue_arguments(w.issued))
    more = [(0, 0, 5_000, 0, 0), *REGISTERS_OF[1:]]
    with refused("certificates: already out"):  # nor with more, even if the gateway signed it
        w.act(STRANGER, "issue", *w.issue_arguments(w.issued, more))
    following = w.issued + 1
    w.now = (following + 1) * SLOT
    for key in (OPERATOR, OWNER, w.members[0], STRANGER):
        with refused("certificates: not the gateway"):
            w.act(OPERATOR, "issue", *w.issue_arguments(following, key=key))
    with refused("certificates: not the gateway"):  # signed for another contract
        w.act(OPERATOR, "issue", *w.issue_arguments(following, contract=w.credits.address))
    arguments = list(w.issue_arguments(following))
    with refused("certificates: not the gateway"):
        w.act(OPERATOR, "issue", following, [*arguments[1][:-1], arguments[1][-1] + 1], *arguments[2:])
    w.act(STRANGER, "issue", *arguments)


def test_direct_issues_that_are_refused(direct):
    w = direct
    following = w.issued + 1
    with refused("certificates: slot not over"):
        w.act(STRANGER, "issue", *w.issue_arguments(following))
    w.now = (following + 1) * SLOT
    slot, packed, accounts, spared, signature = w.issue_arguments(following)
    for wrong in (accounts[:-1], [*accounts[1:], accounts[0]], accounts[:2]):
        with refused("certificates: not enrolled"):
            w.act(STRANGER, "issue", slot, packed, wrong, spared, signature)
    with refused("certificates: not enrolled"):
        w.act(STRANGER, "issue", *w.issue_arguments(following, []))
    for impossible in ((0, 1, 0, 0, 0), (0, 0, 0, 1, 0)):
        with refused("certificates: bad reading"):
            w.act(STRANGER, "issue", *w.issue_arguments(following, [(1, 0, 0, 0, 0), impossible]))
    with refused("certificates: bad reading"):
        beyond(w, following)
    assert w.certificate("books", following, 0) == 0


def beyond(w: CertificateWorld, slot: int) -> None:
    """Registers whose lanes are all in use up to their top bits, which no meter has; the gateway signs them."""
    full = [2**255 - 1 - ((2**51 - 1) << 51) - ((2**51 - 1) << 153)]
    signed = gateway.sign_issue(slot, full, 0, bytes(GATEWAY.key), w.client.chain_id, w.certificates.address)
    w.act(STRANGER, "issue", slot, full, [one.address for one in w.members], 0, split(signed))


def test_a_community_works_in_one_of_two_ways(w, direct):
    with refused("certificates: issued by root"):
        w.act(STRANGER, "issue", *w.issue_arguments(w.slot_of_final))
    with refused("certificates: issued by root"):
        w.act(GATEWAY, "revoke", w.slot_of_final, 0)
    direct.commit_carbon()
    direct.finish()
    with refused("certificates: issued directly"):
        direct.release(0)


def test_members_that_joined_are_enrolled_before_they_count(direct):
    w = direct
    w.do(OPERATOR, "register", CANDIDATE.address)
    following = w.issued + 1
    w.now = (following + 1) * SLOT
    slot, packed, accounts, spared, signature = w.issue_arguments(following)
    w.act(STRANGER, "issue", slot, packed, accounts, spared, signature)
    w.act(STRANGER, "enrol")
    w.now = (following + 2) * SLOT
    registers = [*REGISTERS_OF, NOTHING, NOTHING, NOTHING, (0, 0, 77, 0, 0)]
    slot, packed, accounts, spared, signature = w.issue_arguments(following + 1, registers)
    with refused("certificates: not enrolled"):
        w.act(STRANGER, "issue", slot, packed, accounts, spared, signature)
    w.act(STRANGER, "issue", slot, packed, [*accounts, CANDIDATE.address], spared, signature)
    token = token_id(0, slot, 2 * MEMBERS)
    assert w.certificate("balanceOf", CANDIDATE.address, token) == 77


# -- certificates or credits, never both


def avoided(w: CertificateWorld, member: int, slots: list[int], kg: int = 1, project: bytes = PROJECT) -> None:
    arguments = (project, 2026, SERIAL, kg, OWNER.address, member, slots)
    w.do(OWNER, "issueAvoided", *arguments, contract=w.credits)


def test_i9_a_slot_gives_certificates_or_avoided_emission_credits():
    w = CertificateWorld.made(direct=True)
    slot = w.now // SLOT
    w.now = (slot + 1) * SLOT
    w.act(STRANGER, "issue", *w.issue_arguments(slot, spared=1 << 0))
    assert w.held(0, token_id(0, slot, 0)) == 0
    with refused("certificates: has certificates"):
        avoided(w, 4, [slot])
    with refused("certificates: no reading"):
        avoided(w, 0, [slot, slot + 1])
    with refused("certificates: already credited"):
        avoided(w, 0, [slot, slot])
    with refused("carbon_credits: more than can be avoided"):
        avoided(w, 0, [slot], kg=2)
    with refused("carbon_credits: a removal"):
        avoided(w, 0, [slot], project=FOREST)
    avoided(w, 0, [slot])
    with refused("carbon_credits: serial used"):
        avoided(w, 0, [slot])
    with refused("certificates: already out"):
        w.act(STRANGER, "issue", *w.issue_arguments(slot))
    with refused("certificates: not the credits"):
        w.act(OWNER, "credit", slot, 1)
    assert w.certificate("books", slot, 0) >> 217 == 1


def test_i9_holds_for_leaves_too():
    """Home 1's battery gave 300 Wh; the operator issued nothing for them, so they may count as avoided emissions."""
    w = CertificateWorld.made()
    kept = [b for b in BUNDLES if b[0] != 3]
    w.commit_carbon(kept)
    w.finish()
    with refused("certificates: no reading"):
        avoided(w, 1, [w.slot_of_final], kg=1)
    for index in (0, 1):
        w.release(index)
    with refused("certificates: has certificates"):
        avoided(w, 0, [w.slot_of_final])
    with refused("carbon_credits: more than can be avoided"):  # 300 Wh at most 1,500 g/kWh
        avoided(w, 1, [w.slot_of_final])
    assert w.certificate("books", w.slot_of_final, 1) >> 217 == 0


def test_contracts_name_each_other_once(w):
    for contract, function in ((w.certificates, "setCredits"), (w.credits, "setCertificates")):
        name = (
            "certificates: credits are fixed" if function == "setCredits" else "carbon_credits: certificates are fixed"
        )
        with refused(name):
            w.do(OWNER, function, STRANGER.address, contract=contract)
    alone = w.client.deploy(OWNER, "carbon_credits", 0)
    w.mine()
    with refused("carbon_credits: no certificates"):
        w.do(OWNER, "issueAvoided", PROJECT, 2026, SERIAL, 1, OWNER.address, 0, [], contract=alone)
    with refused("carbon_credits: not the owner"):
        w.do(STRANGER, "setCertificates", STRANGER.address, contract=alone)


# -- who may do what


def test_every_role_tries_every_function(w):
    """Reasons that say who may are met by exactly those who may not."""
    w.release(0)
    slot = w.slot_of_final
    calls = {
        "release": ((w.final.content, w.carbon_shown(1), w.carbon.record(1)), None),
        "issue": (w.issue_arguments(slot), None),
        "enrol": ((), None),
        "collect": ((pv(w), 0), None),
        "transfer": ((STRANGER.address, pv(w), 0), None),
        "transferFrom": ((OWNER.address, STRANGER.address, pv(w), 0), None),
        "approve": ((STRANGER.address, pv(w), 0), None),
        "setOperator": ((STRANGER.address, OFF), None),
        "claim": ((3, BENEFICIARY, [], []), w.members[3]),
        "withdraw": ((pv(w), 0, ELSEWHERE), None),
        "credit": ((slot, 1), "nobody"),
        "revoke": ((slot, 0), None),
        "setCredits": ((STRANGER.address,), OWNER),
        "setZones": ((0, 0), OWNER),
        "setReach": ((0, 0), OWNER),
    }
    writing = {
        entry["name"]
        for entry in artifact("certificates").abi
        if entry["type"] == "function" and entry["stateMutability"] == "nonpayable"
    }
    assert set(calls) == writing
    guards = {"certificates: not the member", "certificates: not the owner", "certificates: not the credits"}
    for function, (arguments, allowed) in calls.items():
        for key in (OWNER, OPERATOR, ARBITER, GATEWAY, w.members[3], STRANGER):
            met = reason_of(w.act, key, function, *arguments)
            assert (met in guards) == (allowed is not None and key is not allowed), (function, met)


def test_only_the_gateway_revokes(direct):
    for key in (OWNER, OPERATOR, ARBITER, STRANGER):
        with refused("certificates: not the gateway"):
            direct.act(key, "revoke", direct.issued, 0)
    with refused("certificates: no reading"):
        direct.act(GATEWAY, "revoke", direct.issued + 1, 0)


def test_certificates_need_a_validity(w):
    with refused("certificates: no validity"):
        w.client.deploy(OWNER, "certificates", w.c.address, OFF, 0, 0)
        w.mine()
    assert w.certificate("getSettlement") == w.c.address


def test_every_reason_is_met_by_a_test_here():
    reasons = set(re.findall(r'"(certificates: [^"]+)"', source("certificates")))
    here = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_[ac]*.py"))
    assert len(reasons) > 20
    assert [reason for reason in sorted(reasons) if reason.split(": ")[1] not in here] == []
