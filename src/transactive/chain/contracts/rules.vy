# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Rules
@notice Which rule holds in which slot: numbers within bounds that were fixed at the start, and the hash of the rest.
@dev Only the governor writes. A change names the time from which it holds, not before `lead` seconds, so that no order in
     the market is touched. Whoever runs the market reads the rule of a slot before the slot's gate; a statement names it.

     ENFORCED
       - no number leaves its bounds, and none moves by more than its largest step at once; both are fixed for ever: what
         lies outside needs a new contract, which is a basic decision
       - nothing changes backwards, nor within `lead`
     DETECTABLE
       - a market that is run by other rules: every change is an event, and every statement names the rules of its slots
     TRUSTED
       - the founder, until it hands over to the governor
"""

struct Bound:
    low: int256
    high: int256
    step: uint256  # largest change at once

struct Rule:
    before: int256
    after: int256
    since: uint256  # Unix s of the first slot for `after`

MAX_RULES: constant(uint256) = 16
LARGEST: constant(int256) = 2**62

lead: public(immutable(uint256))
ruleCount: public(immutable(uint256))

governor: public(address)
bounds: public(HashMap[uint256, Bound])
rules: public(HashMap[uint256, Rule])
document: public(bytes32)  # SHA-256 of the canonical block of changes
documentBefore: public(bytes32)
documentSince: public(uint256)  # Unix s

event GovernorSet:
    account: indexed(address)

event RuleSet:
    rule: indexed(uint256)
    amount: int256
    since: uint256

event DocumentSet:
    document: bytes32
    since: uint256


@deploy
def __init__(
    lead_: uint256, bounds_: DynArray[Bound, MAX_RULES], values: DynArray[int256, MAX_RULES], document_: bytes32
):
    """
    @notice Fix bounds and steps for ever, and say what holds now; the deployer hands over to the governor.
    @param lead_ seconds between a change and the first slot in which it holds, at least
    """
    assert lead_ > 0, "rules: no lead"
    assert len(bounds_) == len(values), "rules: a value for each bound"
    lead = lead_
    ruleCount = len(bounds_)
    for i: uint256 in range(len(bounds_), bound=MAX_RULES):
        assert -LARGEST <= bounds_[i].low and bounds_[i].high <= LARGEST, "rules: bad bounds"
        assert bounds_[i].low <= values[i] and values[i] <= bounds_[i].high, "rules: out of bounds"
        self.bounds[i] = bounds_[i]
        self.rules[i] = Rule(before=values[i], after=values[i], since=0)
    self.document = document_
    self.documentBefore = document_
    self.governor = msg.sender
    log GovernorSet(account=msg.sender)


@external
def setGovernor(account: address):
    """
    @notice Governor: hand over to another one; nobody takes it back.
    """
    self._onlyGovernor()
    assert account != empty(address), "rules: no account"
    self.governor = account
    log GovernorSet(account=account)


@external
def setRule(rule: uint256, amount: int256, since: uint256):
    """
    @notice Governor: let a rule have another value from the slot that begins at `since`, Unix s. A change that does not hold
            yet is replaced.
    """
    self._onlyGovernor()
    assert rule < ruleCount, "rules: no such rule"
    assert since >= block.timestamp + lead, "rules: too soon"
    bound: Bound = self.bounds[rule]
    current: int256 = self._at(rule, block.timestamp)
    assert bound.low <= amount and amount <= bound.high, "rules: out of bounds"
    assert convert(abs(amount - current), uint256) <= bound.step, "rules: step too large"
    self.rules[rule] = Rule(before=current, after=amount, since=since)
    log RuleSet(rule=rule, amount=amount, since=since)


@external
def setDocument(document: bytes32, since: uint256):
    """
    @notice Governor: name the block of changes that holds from `since`, Unix s.
    """
    self._onlyGovernor()
    assert since >= block.timestamp + lead, "rules: too soon"
    if block.timestamp >= self.documentSince:
        self.documentBefore = self.document
    self.document = document
    self.documentSince = since
    log DocumentSet(document=document, since=since)


@external
@view
def at(rule: uint256, slot: uint256) -> int256:
    """
    @notice Value of a rule in the slot that begins at `slot`, Unix s; of the past only since the last change.
    """
    return self._at(rule, slot)


@external
@view
def documentAt(slot: uint256) -> bytes32:
    """
    @notice SHA-256 of the block of changes of a slot; of the past only since the last change.
    """
    return self.document if slot >= self.documentSince else self.documentBefore


@internal
@view
def _onlyGovernor():
    """
    @dev Refuses everybody else.
    """
    assert msg.sender == self.governor, "rules: not the governor"


@internal
@view
def _at(rule: uint256, slot: uint256) -> int256:
    """
    @dev Before or after its last change.
    """
    found: Rule = self.rules[rule]
    return found.after if slot >= found.since else found.before
