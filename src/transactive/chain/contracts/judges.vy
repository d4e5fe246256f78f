# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Judges
@notice A list of judges in the one place that `disputes.vy` has for the judge of demands.
@dev Each judge is deployed with the address of this contract, as if it was `disputes`, and convicts by way of it. The list is
     fixed once: an owner that could add to it could convict an honest operator of anything. Holds no money and judges nothing.
     TRUSTED: the owner of the settlement to name contracts of this repository; compare their code (`chain status` does)
"""

from modules import commitments

interface Settlement:
    def owner() -> address: view

interface Disputes:
    def getSettlement() -> address: view
    def wasGateway(account: address, time: uint256) -> bool: view
    def wasOperator(account: address, time: uint256) -> bool: view

MOST: constant(uint256) = 8

disputes: immutable(Disputes)
settlement: immutable(Settlement)

judges: DynArray[address, MOST]
isJudge: public(HashMap[address, bool])

event JudgesSet:
    judges: DynArray[address, MOST]


@deploy
def __init__(disputes_: address):
    """
    @notice List for the settlement of `disputes_`; it counts once its owner has named it there in the place of demands.
    """
    disputes = Disputes(disputes_)
    settlement = Settlement(staticcall disputes.getSettlement())


@external
def setJudges(accounts: DynArray[address, MOST]):
    """
    @notice Owner of the settlement: name all judges, once and for ever.
    """
    assert msg.sender == staticcall settlement.owner(), "judges: not the owner"
    assert len(self.judges) == 0 and len(accounts) > 0, "judges: list is fixed"
    for account: address in accounts:
        assert account != empty(address) and not self.isJudge[account], "judges: each judge once"
        self.isJudge[account] = True
    self.judges = accounts
    log JudgesSet(judges=accounts)


@external
def convict(opening: commitments.Opening, challenger: address):
    """
    @notice Judges of the list: what was committed of a slot was shown to be wrong.
    """
    assert self.isJudge[msg.sender], "judges: not a judge"
    raw_call(disputes.address, msg.data)  # as `extcall disputes.convict(opening, challenger)`, word for word


@external
@view
def all() -> DynArray[address, MOST]:
    """
    @notice All judges of the list.
    """
    return self.judges


@external
@view
def wasGateway(account: address, time: uint256) -> bool:
    """
    @notice Whether an account was the gateway at a time.
    """
    return staticcall disputes.wasGateway(account, time)


@external
@view
def wasOperator(account: address, time: uint256) -> bool:
    """
    @notice Whether an account was the operator at a time.
    """
    return staticcall disputes.wasOperator(account, time)


@external
@view
def getDisputes() -> address:
    """
    @notice Judge of the settlement, by way of which all others convict.
    """
    return disputes.address


@external
@view
def getSettlement() -> address:
    """
    @notice Settlement whose operator is judged.
    """
    return settlement.address
