"""The governor and the rules: a proposal's life, and what each attack on it comes to."""

from __future__ import annotations

import pytest

from tests.contract.governed_world import (
    AT_ONCE,
    BOUNDS,
    GRACE,
    GUARDIAN,
    KINDS,
    LEAD_SECONDS,
    QUIET,
    SEASON,
    SUPPLIER,
    VALUES,
    GovernedWorld,
)
from tests.contract.world import (
    CANDIDATE,
    DEPTH,
    FIRST,
    LEAD,
    NOBODY,
    NOTICE,
    OPERATOR,
    OWNER,
    PERIOD,
    RECOVERY,
    REGISTRAR,
    SILENCE,
    SLOT,
    STRANGER,
    WINDOW,
    refused,
)
from tests.fuzz.bound import Bound, Person
from tests.fuzz.machine import PyEvm, raw
from tests.twins.governor import BASIC, BRAKE, DAY, ORDINARY, Kind
from transactive.chain.twins.registry import ALL_ROLES
from transactive.core.errors import ContractRevert
from transactive.core.governance.ballots import SignedBallot


@pytest.fixture
def gov():
    return GovernedWorld.again()


@pytest.fixture
def quick():
    """No seconders and no delay but what leaving takes."""
    return GovernedWorld.again(AT_ONCE)


@pytest.fixture
def bare():
    """A governor of three members on an EVM whose code can be changed: machine, governor, rules, members."""
    machine = PyEvm()
    machine.at = FIRST * PERIOD
    owner, members = Person.named("owner").address, [Person.named("member", i).address for i in range(3)]
    registry = Bound.deploy(machine, owner, "registry", RECOVERY)
    registry.do(owner, "setRegistrar", owner)
    for member in members:
        registry.do(owner, "register", member, ALL_ROLES)
    clock = (DEPTH, SLOT, PERIOD // SLOT, WINDOW, NOTICE, SILENCE, 0, owner, LEAD, registry.address)
    settlement = Bound.deploy(machine, owner, "settlement", registry.address, *clock)
    rules = Bound.deploy(machine, owner, "rules", LEAD_SECONDS, BOUNDS, VALUES, bytes(32))
    kinds = [kind.content for kind in AT_ONCE]
    addresses = (registry.address, settlement.address, rules.address, owner)
    governor = Bound.deploy(machine, owner, "governor", *addresses, SEASON, QUIET, GRACE, *kinds, [])
    rules.do(owner, "setGovernor", governor.address)
    return machine, governor, rules, members


def test_a_proposal_is_seconded_voted_on_and_executed(gov):
    change = gov.fee()
    proposal = gov.put(gov.members[0], ORDINARY, change)
    with refused("governor: vote closed"):
        gov.vote(proposal, [0])
    gov.act(gov.members[1], "second", proposal)
    with refused("governor: seconded already"):
        gov.act(gov.members[1], "second", proposal)
    with refused("governor: own proposal"):
        gov.act(gov.members[0], "second", proposal)
    gov.act(gov.members[2], "second", proposal)
    assert gov.ask("proposals", proposal)[0] == SUPPLIER  # fourteen electors, without the supplier
    gov.vote(proposal, [0, 1])  # twelve per cent of fourteen are two
    gov.until(gov.ends(proposal))
    assert gov.ask("hasPassed", proposal)
    gov.until(int(gov.ask("dueAt", proposal)))
    gov.execute(proposal, change)
    since = int.from_bytes(change[0][1][-32:], "big")
    assert [gov.client.read(gov.rules, "at", 0, slot) for slot in (since - 1, since)] == [30_000, 26_000]
    with refused("governor: over"):
        gov.execute(proposal, change)


def test_too_few_seconds_end_a_proposal(gov):
    proposal = gov.put(gov.members[0], ORDINARY, gov.fee())
    gov.until(gov.ends(proposal))
    with refused("governor: not to be seconded"):
        gov.act(gov.members[1], "second", proposal)
    assert gov.put(gov.members[0], ORDINARY, gov.fee()) == proposal + 1  # and its member is free for another


@pytest.mark.parametrize(("yes", "no", "passes"), [(2, 1, True), (1, 0, False), (2, 2, False), (3, 2, True)])
def test_yes_counts_against_all_and_has_to_exceed_the_majority(gov, yes, no, passes):
    proposal = gov.open(gov.fee())
    gov.vote(proposal, range(yes))
    gov.vote(proposal, range(yes, yes + no), 2)
    gov.until(gov.ends(proposal))
    assert gov.ask("hasPassed", proposal) == passes


def test_a_basic_decision_needs_a_quarter_of_all_and_two_thirds(gov):
    change = [gov.calling(gov.c, "offerOperator", CANDIDATE.address)]
    proposal = gov.open(change, BASIC)
    gov.vote(proposal, range(4))
    gov.vote(proposal, range(4, 6), 2)
    gov.until(gov.ends(proposal))
    assert not gov.ask("hasPassed", proposal)  # four of six are not more than two thirds
    proposal = gov.passed(change)
    gov.execute(proposal, change)
    assert gov.read("pendingOperator") == CANDIDATE.address


def test_an_ordinary_decision_touches_nothing_but_the_rules(gov):
    for owned, function in ((gov.c, "offerOperator"), (gov.governor, "setGuardian"), (gov.token, "offerOwnership")):
        with refused("governor: not ordinary"):
            gov.put(gov.members[0], ORDINARY, [*gov.fee(), gov.calling(owned, function, CANDIDATE.address)])


def test_sock_puppets_and_flash_members_come_too_late(gov):
    puppet, flash = STRANGER, CANDIDATE
    gov.do(REGISTRAR, "register", puppet.address, ALL_ROLES, contract=gov.registry)
    proposal = gov.open(gov.fee())
    with refused("governor: no elector"):
        gov.act(puppet, "vote", proposal, SUPPLIER + 1, 1)
    with refused("governor: no elector"):
        gov.put(puppet, ORDINARY, gov.fee())
    gov.do(REGISTRAR, "register", flash.address, ALL_ROLES, contract=gov.registry)
    ballot = gov.ballot(proposal, 0)
    own = SignedBallot(ballot.ballot, ballot.signature).ballot
    forged = type(own)(proposal, own.content, SUPPLIER + 2, 1).signed(
        bytes(flash.key), gov.client.chain_id, gov.governor.address
    )
    gov.cast(proposal, forged)
    assert gov.counted(proposal) == (0, 0)
    gov.until(gov.now + SEASON)  # the first note is of before they came, the second of after
    gov.until(gov.now + SEASON)
    assert gov.ask("isElector", SUPPLIER + 1)
    later = gov.open(gov.fee())
    gov.act(puppet, "vote", later, SUPPLIER + 1, 1)
    assert gov.counted(later) == (1, 0)


def test_accounts_that_only_settle_have_no_vote(gov):
    proposal = gov.open(gov.fee())
    with refused("governor: no elector"):
        gov.vote(proposal, [SUPPLIER])
    with refused("governor: has roles"):
        gov.found(gov.rules.address, KINDS, [0])


def test_a_suspension_takes_no_vote_away_and_silences_nobody(gov):
    proposal = gov.open(gov.fee())
    for index in range(SUPPLIER):
        gov.do(REGISTRAR, "suspend", index, contract=gov.registry)
    gov.vote(proposal, [5], 2)
    assert gov.counted(proposal) == (0, 1)
    change = [gov.calling(gov.registry, "setRegistrar", CANDIDATE.address)]
    gov.until(gov.ends(proposal))
    gov.execute(gov.passed(change), change)  # a registrar that suspends everybody is replaced
    assert gov.client.read(gov.registry, "registrar") == CANDIDATE.address


def test_a_ballot_counts_for_its_chain_contract_proposal_and_content_only(gov):
    proposal = gov.open(gov.fee())
    other = gov.open(gov.fee(27_000), by=5)
    wrong = [
        gov.ballot(proposal, 0, chain_id=56),
        gov.ballot(proposal, 1, contract=gov.rules.address),
        gov.ballot(other, 2),
        gov.ballot(proposal, 3, content=bytes(gov.ask("contents", other))),
    ]
    gov.cast(proposal, *wrong)
    assert gov.counted(proposal) == (0, 0)
    gov.cast(proposal, *(gov.ballot(proposal, index) for index in range(4)))
    assert gov.counted(proposal) == (4, 0)


def test_a_changed_ballot_is_passed_over_and_stops_no_other(gov):
    proposal = gov.open(gov.fee())
    index, _, turn, r, vs = gov.ballot(proposal, 0).content
    twin = (int.from_bytes(vs, "big") & (2**255 - 1)) | 2**255 - 2**200
    broken = [(index, 2, turn, r, vs), (1, 1, turn, r, vs), (index, 1, 63, r, vs), (index, 0, turn, r, vs)]
    broken += [(2**32, 1, turn, r, vs), (index, 1, turn, bytes(32), vs), (index, 1, turn, r, twin.to_bytes(32, "big"))]
    gov.act(OPERATOR, "castMany", proposal, [*broken, gov.ballot(proposal, 7).content])
    assert gov.counted(proposal) == (1, 0)


def test_the_later_ballot_of_a_member_counts_whichever_is_brought_first(gov):
    proposal = gov.open(gov.fee())
    first, second = gov.ballot(proposal, 0), gov.ballot(proposal, 0, 2, turn=2)
    gov.cast(proposal, second, first)
    assert gov.counted(proposal) == (0, 1)
    gov.vote(proposal, [0], 3)  # its own transaction is the last word
    gov.cast(proposal, gov.ballot(proposal, 0, 1, turn=62))
    assert gov.counted(proposal) == (0, 0)
    assert gov.ask("voteOf", proposal, 0) == [3, 63]
    gov.vote(proposal, [0])
    assert gov.counted(proposal) == (1, 0)


def test_a_late_turn_of_the_result_leaves_time_to_answer(gov):
    proposal = gov.open(gov.fee())
    gov.vote(proposal, range(4), 2)
    ends = gov.ends(proposal)
    gov.now = ends - 60
    gov.vote(proposal, range(4, 10))
    prolonged = gov.ends(proposal)
    assert prolonged >= ends - 60 + QUIET
    gov.vote(proposal, range(10, 14), 2)
    gov.until(prolonged)
    assert gov.ends(proposal) == prolonged  # once
    assert not gov.ask("hasPassed", proposal)


def test_a_key_recovered_during_a_vote_changes_it_and_adds_none(gov):
    proposal = gov.open(gov.fee())
    old = gov.members[7]
    gov.do(REGISTRAR, "startRecovery", 7, CANDIDATE.address, contract=gov.registry)
    gov.vote(proposal, [7])
    stale = gov.ballot(proposal, 7, 1, turn=62)
    gov.now += RECOVERY
    gov.do(CANDIDATE, "finishRecovery", 7, contract=gov.registry)
    with refused("governor: not the member"):
        gov.act(old, "vote", proposal, 7, 1)
    gov.cast(proposal, stale)
    gov.act(CANDIDATE, "vote", proposal, 7, 2)
    assert gov.counted(proposal) == (0, 1)


def test_nobody_represents_a_third_and_the_members_own_vote_wins(gov):
    for index in (3, 4):
        gov.act(gov.members[index], "setProxy", index, 9)
    with refused("governor: represents enough"):
        gov.act(gov.members[5], "setProxy", 5, 9)
    with refused("governor: not the member"):
        gov.act(gov.members[5], "setProxy", 6, 8)
    proposal = gov.open(gov.fee())
    for index in (3, 4):
        gov.act(gov.members[9], "vote", proposal, index, 1)
    assert gov.counted(proposal) == (2, 0)
    gov.cast(proposal, gov.ballot(proposal, 3, 2))
    assert gov.counted(proposal) == (1, 1)
    for index in (3, 4):
        with refused("governor: voted already"):
            gov.act(gov.members[9], "vote", proposal, index, 1)
    gov.act(gov.members[4], "setProxy", 4, 4)  # ends it, and makes room
    gov.act(gov.members[5], "setProxy", 5, 9)
    with refused("governor: not the member"):
        gov.act(gov.members[9], "vote", proposal, 4, 1)


def test_nothing_but_what_was_voted_on_is_executed(gov):
    change = gov.fee()
    proposal = gov.passed(change, ORDINARY)
    for other in ([*change, *change], gov.fee(26_001), [(gov.c.address, change[0][1])]):
        with refused("governor: other actions"):
            gov.execute(proposal, other)
    with refused("governor: other actions"):
        gov.execute(proposal, change, bytes(32))
    gov.execute(proposal, change)


def test_nothing_happens_early_or_late(gov):
    change = gov.fee(days=90)
    proposal = gov.open(change)
    gov.vote(proposal, range(5))
    with refused("governor: not passed"):
        gov.execute(proposal, change)
    gov.until(gov.ends(proposal))
    with refused("governor: vote closed"):
        gov.vote(proposal, [6], 2)
    with refused("governor: delay running"):
        gov.execute(proposal, change)
    due = int(gov.ask("dueAt", proposal))
    assert due == gov.ends(proposal) + KINDS[ORDINARY].delay
    gov.now = due + GRACE
    with refused("governor: too late"):
        gov.execute(proposal, change)


def test_an_action_that_calls_back_or_fails_undoes_all(gov):
    change = gov.fee()
    inner = gov.passed(change, ORDINARY)
    again = gov.calling(gov.governor, "execute", inner, change, bytes(32))
    nested = [gov.calling(gov.governor, "setGuardian", CANDIDATE.address), again]
    proposal = gov.passed(nested)
    with pytest.raises(ContractRevert):
        gov.execute(proposal, nested)
    assert gov.ask("guardian") == GUARDIAN.address
    assert not int(gov.ask("proposals", proposal)[6]) & 8
    fails = [*gov.fee(), gov.calling(gov.rules, "setRule", 0, 1, gov.now + 200 * DAY)]
    proposal = gov.passed(fails)
    with refused("rules: step too large"):
        gov.execute(proposal, fails)
    assert gov.client.read(gov.rules, "rules", 0)[2] == 0


def test_rules_keep_their_bounds_steps_and_lead(gov):
    soon = gov.now + 90 * DAY
    wrong = {
        "rules: out of bounds": gov.calling(gov.rules, "setRule", 1, 5, soon),
        "rules: step too large": gov.calling(gov.rules, "setRule", 0, 24_999, soon),
        "rules: no such rule": gov.calling(gov.rules, "setRule", 3, 0, soon),
        "rules: too soon": gov.calling(gov.rules, "setRule", 0, 29_000, gov.now + 10 * DAY),
    }
    numbers = []
    for by, action in enumerate(wrong.values()):
        numbers.append(gov.open([action], by=3 * by))
        gov.vote(numbers[-1], range(5))
    gov.until(gov.now + 7 * DAY)
    gov.until(gov.now + 3 * DAY)
    for proposal, (reason, action) in zip(numbers, wrong.items(), strict=True):
        with refused(reason):
            gov.execute(proposal, [action])
    for who in (OWNER, OPERATOR, gov.members[0]):
        with refused("rules: not the governor"):
            gov.do(who, "setRule", 0, 29_000, soon, contract=gov.rules)


def test_two_changes_before_the_first_holds_are_no_longer_step(gov):
    since = gov.now + 90 * DAY
    for amount in (25_000, 35_000):
        change = [gov.calling(gov.rules, "setRule", 0, amount, since)]
        gov.execute(gov.passed(change, ORDINARY), change)
    assert gov.client.read(gov.rules, "at", 0, since) == 35_000  # the pending one is replaced, and both start at 30,000
    change = [gov.calling(gov.rules, "setRule", 0, 20_000, since)]
    proposal = gov.passed(change, ORDINARY)
    with refused("rules: step too large"):
        gov.execute(proposal, change)


def test_code_that_was_swapped_is_not_called(bare):
    """A target whose code is another one than on the day of the vote, as after a create2 at the same address."""
    machine, governor, rules, members = bare
    change = [(rules.address, rules.data("setRule", [0, 26_000, machine.at + 60 * DAY]))]
    for code, reason in ((b"\x60\x00" * 9, "governor: other actions"), (b"", "governor: no contract")):
        proposal = governor.read("count")
        governor.do(members[proposal], "propose", BASIC, change, bytes(32))
        for index, member in enumerate(members):
            governor.do(member, "vote", proposal, index, 1)
        machine.at = governor.read("dueAt", proposal)
        mark = machine.mark()
        machine._state.set_code(raw(rules.address), code)
        with refused(reason):
            governor.do(members[0], "execute", proposal, change, bytes(32))
        machine.back(mark)
    governor.do(members[0], "execute", proposal, change, bytes(32))
    with refused("governor: no contract"):
        governor.do(members[0], "propose", BASIC, [("0x" + "ee" * 20, b"")], bytes(32))


def test_whoever_copies_a_proposal_first_gains_no_ballot(gov):
    change, own = gov.fee(), bytes(31) + b"\x01"
    gov.client.send(gov.members[9], gov.governor, "propose", ORDINARY, change, own)  # the copy comes first
    gov.client.send(gov.members[0], gov.governor, "propose", ORDINARY, change, bytes(31) + b"\x02")
    gov.mine()
    meant = gov.ask("contentOf", ORDINARY, change, bytes(31) + b"\x02")
    for by in range(1, 3):
        gov.act(gov.members[by], "second", 0)
        gov.act(gov.members[by], "second", 1)
    gov.cast(0, gov.ballot(0, 4, content=bytes(meant)))
    gov.cast(1, gov.ballot(1, 4, content=bytes(meant)))
    assert [gov.counted(number) for number in (0, 1)] == [(0, 0), (1, 0)]


def test_one_open_proposal_a_member(gov):
    gov.put(gov.members[0], ORDINARY, gov.fee())
    with refused("governor: one proposal at a time"):
        gov.put(gov.members[0], BASIC, gov.fee())
    with refused("governor: no actions"):
        gov.put(gov.members[1], ORDINARY, [])
    with refused("governor: no such kind"):
        gov.put(gov.members[1], 2, gov.fee())


def test_the_brake_stops_once_and_ends_by_itself(gov):
    change = gov.fee(days=90)
    proposal = gov.open(change)
    gov.vote(proposal, range(5))
    gov.until(gov.ends(proposal))
    with refused("governor: not the guardian"):
        gov.act(gov.members[0], "stop", proposal)
    gov.act(GUARDIAN, "stop", proposal)
    assert gov.ends(proposal) == gov.now - 1 + BRAKE
    gov.vote(proposal, [4], 2)  # who has thought again says so
    with refused("governor: not to be stopped"):
        gov.act(GUARDIAN, "stop", proposal)
    gov.until(gov.ends(proposal))
    with refused("governor: not to be stopped"):
        gov.act(GUARDIAN, "stop", proposal)
    gov.until(int(gov.ask("dueAt", proposal)))
    gov.execute(proposal, change)


def test_a_guardian_that_stops_everything_is_replaced(gov):
    change = [gov.calling(gov.governor, "setGuardian", NOBODY)]
    proposal = gov.open(change, BASIC)
    with refused("governor: not to be stopped"):
        gov.act(GUARDIAN, "stop", proposal)
    gov.vote(proposal, range(SUPPLIER))
    gov.until(gov.ends(proposal))
    with refused("governor: not to be stopped"):
        gov.act(GUARDIAN, "stop", proposal)
    gov.until(int(gov.ask("dueAt", proposal)))
    gov.execute(proposal, change)
    mixed = gov.open([*change, *gov.fee()], BASIC)  # what is bundled with it can be stopped
    with refused("governor: not the guardian"):
        gov.act(GUARDIAN, "stop", mixed)
    assert gov.ask("guardian") == NOBODY


def test_a_guardian_revives_nothing_that_failed(gov):
    proposal = gov.open(gov.fee())
    gov.vote(proposal, range(5), 2)
    gov.until(gov.ends(proposal))
    with refused("governor: not to be stopped"):
        gov.act(GUARDIAN, "stop", proposal)


def test_an_electorate_that_moved_away_holds_nobody_up(gov):
    gov.act(gov.members[0], "leave", 0)  # at its own word
    assert gov.ask("electors") == SUPPLIER - 1
    with refused("governor: has roles"):
        gov.act(STRANGER, "leave", 1)
    for index in (1, 2):
        gov.do(REGISTRAR, "setRoles", index, 0, contract=gov.registry)
        gov.act(STRANGER, "leave", index)
    with refused("governor: season running"):
        gov.act(STRANGER, "leave", 1)
    gov.act(gov.members[2], "stay", 2)  # who is still here objects
    gov.until(gov.now + SEASON)
    gov.act(STRANGER, "leave", 1)
    gov.act(STRANGER, "leave", 2)  # announced anew
    assert gov.ask("electors") == SUPPLIER - 2
    proposal = gov.open(gov.fee(), by=3)
    with refused("governor: no elector"):
        gov.vote(proposal, [1])
    gov.vote(proposal, [2])
    assert gov.ask("proposals", proposal)[0] == SUPPLIER - 2


def test_terms_do_not_change_under_a_running_vote(gov):
    tighter = Kind(2, 7 * DAY, 500_000, 800_000, 3 * DAY)
    change = [gov.calling(gov.governor, "setKind", ORDINARY, tighter.content)]
    basic = gov.passed(change)
    running = gov.open(gov.fee(), by=5)
    gov.vote(running, range(2))
    gov.execute(basic, change)
    gov.until(gov.ends(running))
    assert gov.ask("hasPassed", running)
    assert tuple(gov.ask("termsOfKind", ORDINARY)) == tighter.content


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (Kind(2, QUIET, 120_000, 500_000, 0), "bad times"),
        (Kind(2, 7 * DAY, 500_001, 500_000, 0), "bad approval"),
        (Kind(2, 7 * DAY, 120_000, 499_999, 0), "bad majority"),
        (Kind(101, 7 * DAY, 120_000, 500_000, 0), "too many seconders"),
    ],
)
def test_no_terms_under_which_nothing_or_a_minority_decides(gov, kind, reason):
    with refused(f"governor: {reason}"):
        gov.found(gov.rules.address, (kind, KINDS[BASIC]))
    calls = {"setKind": (0, KINDS[0].content), "setGuardian": (NOBODY,), "setRules": (NOBODY,)}
    for function, arguments in calls.items():
        with refused("governor: by vote only"):
            gov.act(OWNER, function, *arguments)


def test_no_owners_key_is_left(gov):
    for owned, function in ((gov.c, "offerOperator"), (gov.registry, "setRegistrar"), (gov.token, "offerOwnership")):
        name = "settlement" if owned is gov.c else "registry" if owned is gov.registry else "currency"
        with refused(f"{name}: not the owner"):
            gov.do(OWNER, function, CANDIDATE.address, contract=owned)
    with pytest.raises(ContractRevert):
        gov.act(STRANGER, "acceptOwnership", gov.c.address)  # nothing is offered
    with refused("governor: itself"):
        gov.act(STRANGER, "acceptOwnership", gov.governor.address)


def test_who_disagrees_is_out_and_paid_before_anything_happens(quick):
    """A member with positions as far ahead as they go and a standing withdrawal; the vote ends at the worst time."""
    w, member = quick, quick.members[0]
    change = w.fee()
    w.now = (w.now // PERIOD + 2) * PERIOD - LEAD * SLOT  # a week later the furthest position begins a period
    proposal = w.open(change)
    w.vote(proposal, range(1, 6))
    ends, due = w.ends(proposal), int(w.ask("dueAt", proposal))
    assert due - ends == NOTICE + WINDOW + SLOT * (PERIOD // SLOT + LEAD + 1)
    w.until(ends)
    last = (ends // SLOT) + LEAD  # the furthest slot whose gate may have closed
    assert last % (PERIOD // SLOT) == 0
    w.period = last // (PERIOD // SLOT)
    w.new_period()
    w.do(member, "requestWithdrawal", 10**6)
    while w.slot <= last:
        w.book.trade(1, 0, 40)  # it sold, and is paid for what it delivered
        w.commit()
    w.propose()
    w.finalise()
    w.now = max(w.now, ends + NOTICE + SLOT)
    before = w.wallet(member)
    w.do(member, "withdraw")
    assert w.wallet(member) - before == 1_000 + 40 * (last % (PERIOD // SLOT) + 1)
    assert w.read("balanceOf", member.address) == 0
    assert w.now <= due
    with refused("governor: delay running"):
        w.execute(proposal, change)
    w.until(due)
    w.execute(proposal, change)
