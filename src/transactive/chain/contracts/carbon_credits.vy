# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Carbon credits
@notice Audited credits as ERC-6909 tokens: token `id` is a batch, one unit is one kg CO2e removed or avoided.
@dev ENFORCED
       - a serial is written once and never freed: there is no function that clears it
       - only the auditor of a project issues for it and states reversals; its auditor never changes
       - a fixed part of each batch, rounded up, stays in the buffer: it cannot be sold or retired and answers for
         reversals, a batch's own part first; of a batch no more is reversed than was issued, whoever makes good for it
       - issued = held + in the buffer + retired + reversed, for each batch and at any time
       - retired kg never come back; each lies in exactly one receipt, whose hash stays here
       - emissions that this community's own meters avoid (`issueAvoided`): each member's slot once, never one that has
         certificates, and no more than a kWh can avoid; `certificates.vy` keeps the other half of that
     DETECTABLE
       - a reversal that the buffer cannot cover: the event says what it lacked
     TRUSTED
       - the auditor, for what the project did, and not to take in by `issue` what this community's meters avoided
       - the owner, for who audits a project
     There is no pause and no blocklist: holders can always transfer and retire.
"""

from modules import multitoken

initializes: multitoken
exports: (
    multitoken.allowance,
    multitoken.approve,
    multitoken.balanceOf,
    multitoken.isOperator,
    multitoken.setOperator,
    multitoken.supportsInterface,
    multitoken.transfer,
    multitoken.transferFrom,
)

struct Project:
    auditor: address
    removal: bool  # otherwise avoidance

struct Batch:
    project: bytes32
    vintage: uint256
    issued: uint256  # kg
    buffer: uint256  # kg
    retired: uint256  # kg
    reversed: uint256  # kg

interface Certificates:
    def credit(slot: uint256, member: uint256) -> uint256: nonpayable

MILLION: constant(uint256) = 10**6
MOST_G: constant(uint256) = 1_500  # g that a kWh can avoid: more than any power station emits
MOST_SLOTS: constant(uint256) = 256
MOST_KG: constant(uint256) = 2**62
MOST_OTHERS: constant(uint256) = 32

bufferPpm: public(immutable(uint256))

owner: public(address)
pendingOwner: public(address)
projects: public(HashMap[bytes32, Project])
batches: public(HashMap[uint256, Batch])
lost: public(HashMap[uint256, uint256])  # by batch: kg that its auditor has stated as reversed
batchCount: public(uint256)
serialUsed: public(HashMap[bytes32, bool])
receipts: public(HashMap[uint256, bytes32])
receiptCount: public(uint256)
certificates: public(address)

event ProjectRegistered:
    project: indexed(bytes32)
    auditor: indexed(address)
    removal: bool
    description: String[160]

event Issued:
    batch: indexed(uint256)
    project: indexed(bytes32)
    serial: indexed(bytes32)
    vintage: uint256
    kg: uint256
    inBuffer: uint256

event Avoided:
    batch: indexed(uint256)
    member: indexed(uint256)
    slots: DynArray[uint256, MOST_SLOTS]
    energy: uint256

event Retired:
    batch: indexed(uint256)
    holder: indexed(address)
    receipt: indexed(uint256)
    firstKg: uint256
    endKg: uint256
    beneficiary: String[64]
    reason: String[96]
    period: String[48]

event Reversed:
    batch: indexed(uint256)
    kg: uint256
    lacking: uint256

event RoleSet:
    role: indexed(String[16])
    account: indexed(address)


@deploy
def __init__(bufferPpm_: uint256):
    """
    @notice Fix the buffer's part of every batch; the deployer becomes owner.
    @param bufferPpm_ millionths of a batch, below all of it
    """
    assert bufferPpm_ < MILLION, "carbon_credits: bad buffer"
    bufferPpm = bufferPpm_
    self.owner = msg.sender
    log RoleSet(role="owner", account=msg.sender)


@external
def registerProject(project: bytes32, auditor: address, removal: bool, description: String[160]):
    """
    @notice Owner: name a project and its auditor, once.
    @param description methodology and jurisdiction in words
    """
    assert msg.sender == self.owner, "carbon_credits: not the owner"
    # batches that do not exist have the empty project; its auditor could state reversals of them
    assert project != empty(bytes32), "carbon_credits: no project"
    assert auditor != empty(address), "carbon_credits: no auditor"
    assert self.projects[project].auditor == empty(address), "carbon_credits: project exists"
    self.projects[project] = Project(auditor=auditor, removal=removal)
    log ProjectRegistered(project=project, auditor=auditor, removal=removal, description=description)


@external
def issue(project: bytes32, vintage: uint256, serial: bytes32, kg: uint256, receiver: address) -> uint256:
    """
    @notice Auditor: issue credits, less the buffer's part.
    @param serial hash of the outside serial; used once, for ever
    @return number of the batch, which is the id of its token
    """
    return self._issue(project, vintage, serial, kg, receiver)


@external
def issueAvoided(
    project: bytes32,
    vintage: uint256,
    serial: bytes32,
    kg: uint256,
    receiver: address,
    member: uint256,
    slots: DynArray[uint256, MOST_SLOTS],
) -> uint256:
    """
    @notice Auditor: issue credits for what a member's devices avoided in these slots, which can give no certificates.
    @return number of the batch, which is the id of its token
    """
    assert self.certificates != empty(address), "carbon_credits: no certificates"
    assert not self.projects[project].removal, "carbon_credits: a removal"
    batch: uint256 = self._issue(project, vintage, serial, kg, receiver)
    energy: uint256 = 0
    for slot: uint256 in slots:
        energy += extcall Certificates(self.certificates).credit(slot, member)
    assert kg * MILLION <= energy * MOST_G, "carbon_credits: more than can be avoided"
    log Avoided(batch=batch, member=member, slots=slots, energy=energy)
    return batch


@external
def setCertificates(account: address):
    """
    @notice Owner: name the contract of this community's certificates, once and for ever.
    """
    assert msg.sender == self.owner, "carbon_credits: not the owner"
    assert self.certificates == empty(address) and account != empty(address), "carbon_credits: certificates are fixed"
    self.certificates = account
    log RoleSet(role="certificates", account=account)


@external
def retire(batch: uint256, kg: uint256, beneficiary: String[64], reason: String[96], period: String[48]) -> uint256:
    """
    @notice Use up credits of the caller for ever, in the name of `beneficiary`.
    @return number of the receipt
    """
    assert kg > 0, "carbon_credits: bad amount"
    named: bool = beneficiary != "" and reason != "" and period != ""
    assert named, "carbon_credits: receipt incomplete"
    multitoken._burn(msg.sender, batch, kg)
    first: uint256 = self.batches[batch].retired
    self.batches[batch].retired = first + kg
    receipt: uint256 = self.receiptCount
    self.receiptCount = receipt + 1
    self.receipts[receipt] = keccak256(
        abi_encode(batch, first, first + kg, msg.sender, beneficiary, reason, period)
    )
    log Retired(
        batch=batch,
        holder=msg.sender,
        receipt=receipt,
        firstKg=first,
        endKg=first + kg,
        beneficiary=beneficiary,
        reason=reason,
        period=period,
    )
    return receipt


@external
def reverse(batch: uint256, kg: uint256, others: DynArray[uint256, MOST_OTHERS]) -> uint256:
    """
    @notice Auditor: what a batch removed or avoided did not last; the buffer makes good for it, its own part first. In all
            at most what was issued of the batch.
    @param others batches whose parts of the buffer follow, in this order
    @return kg that the buffer lacked
    """
    assert msg.sender == self.projects[self.batches[batch].project].auditor, "carbon_credits: not the auditor"
    lost: uint256 = self.lost[batch]
    assert kg > 0, "carbon_credits: bad amount"
    assert kg <= self.batches[batch].issued - lost, "carbon_credits: more than was issued"
    self.lost[batch] = lost + kg
    left: uint256 = kg - self._fromBuffer(batch, kg)
    for other: uint256 in others:
        left -= self._fromBuffer(other, left)
    log Reversed(batch=batch, kg=kg, lacking=left)
    return left


@external
def offerOwnership(candidate: address):
    """
    @notice First of two steps of an owner change; the zero address withdraws an offer.
    """
    assert msg.sender == self.owner, "carbon_credits: not the owner"
    self.pendingOwner = candidate


@external
def acceptOwnership():
    """
    @notice Second step: the candidate takes over.
    """
    assert msg.sender == self.pendingOwner, "carbon_credits: not the candidate"
    self.owner = msg.sender
    self.pendingOwner = empty(address)
    log RoleSet(role="owner", account=msg.sender)


@internal
def _issue(project: bytes32, vintage: uint256, serial: bytes32, kg: uint256, receiver: address) -> uint256:
    """
    @dev A batch of its project's auditor, with a serial that was never used.
    """
    assert msg.sender == self.projects[project].auditor, "carbon_credits: not the auditor"
    assert serial != empty(bytes32), "carbon_credits: no serial"
    assert not self.serialUsed[serial], "carbon_credits: serial used"
    assert 0 < kg and kg < MOST_KG, "carbon_credits: bad amount"
    self.serialUsed[serial] = True
    inBuffer: uint256 = (kg * bufferPpm + MILLION - 1) // MILLION
    batch: uint256 = self.batchCount
    self.batchCount = batch + 1
    self.batches[batch] = Batch(project=project, vintage=vintage, issued=kg, buffer=inBuffer, retired=0, reversed=0)
    multitoken._mint(receiver, batch, kg - inBuffer)
    log Issued(batch=batch, project=project, serial=serial, vintage=vintage, kg=kg, inBuffer=inBuffer)
    return batch


@internal
def _fromBuffer(batch: uint256, kg: uint256) -> uint256:
    """
    @dev Takes up to `kg` out of a batch's part of the buffer.
    """
    taken: uint256 = min(kg, self.batches[batch].buffer)
    self.batches[batch].buffer -= taken
    self.batches[batch].reversed += taken
    return taken
