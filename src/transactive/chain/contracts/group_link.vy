# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Group link
@notice Joins the settlement of a group of members to that of the whole community: it is an account in both.
@dev A settlement has room for 4,095 accounts. A larger community has one for each group, in which this contract is the
     account of all others, and one for the whole, in which it is the account of the group. What a group's members owe
     others together, they owe this account in their own settlement, and this account owes it in that of the whole: each
     netting is zero-sum by itself, and so is all of it together. `group_disputes.vy` judges that both sides say the same.

     What it holds on either side is working capital of its funder, as much as groups owe each other in a period.
     PREVENTED without anybody watching
       - money leaves in two ways only: from one side to the other, and to the funder, after the notice that any member has
     TRUSTED
       - the operator to move capital to the side where the next netting needs it; without it no netting is proposed, and
         members wait, or leave with what they have
     No member's money is ever here: it is in the group's settlement, under all rights that a member has there.
"""

from ethereum.ercs import IERC20

interface Settlement:
    def currency() -> IERC20: view
    def operator() -> address: view
    def requests(account: address) -> (uint256, uint256): view
    def requestWithdrawal(amount: uint256): nonpayable
    def withdraw() -> uint256: nonpayable
    def deposit(amount: uint256): nonpayable

from modules import tokens

currency: immutable(IERC20)
group: public(immutable(address))  # settlement of the group's members
whole: public(immutable(address))  # settlement of all groups
funder: public(immutable(address))

returning: public(HashMap[address, bool])  # by settlement: what was requested there goes to the funder

event Shifted:
    fromGroup: bool
    amount: uint256

event Returned:
    fromGroup: bool
    amount: uint256


@deploy
def __init__(group_: address, whole_: address, funder_: address):
    """
    @notice Link of two settlements of one currency; each of them registers it as any account.
    @param funder_ whose the working capital is
    """
    assert group_ != whole_ and funder_ != empty(address), "group_link: bad account"
    currency = staticcall Settlement(whole_).currency()
    assert staticcall Settlement(group_).currency() == currency, "group_link: other currency"
    group = group_
    whole = whole_
    funder = funder_


@external
def shift(fromGroup: bool, amount: uint256):
    """
    @notice Operator of the whole: ask that capital goes to the other side; `carry` takes it there after the notice, or as
            soon as the operator of the side where it is has released it.
    """
    assert msg.sender == staticcall Settlement(whole).operator(), "group_link: not the operator"
    side: address = self._side(fromGroup)
    assert not self.returning[side], "group_link: goes to the funder"
    extcall Settlement(side).requestWithdrawal(amount)


@external
def takeBack(fromGroup: bool, amount: uint256):
    """
    @notice Funder: ask for capital of one side; `carry` pays it after the notice. Takes the place of what the operator asked.
    @param amount n¤; zero cancels
    """
    assert msg.sender == funder, "group_link: not the funder"
    side: address = self._side(fromGroup)
    self.returning[side] = amount > 0
    extcall Settlement(side).requestWithdrawal(amount)


@external
@nonreentrant
def carry(fromGroup: bool) -> uint256:
    """
    @notice Anyone: take out what was asked for on one side, and bring it where it belongs.
    @return amount in n¤
    """
    side: address = self._side(fromGroup)
    amount: uint256 = extcall Settlement(side).withdraw()
    if self.returning[side]:
        rest: uint256 = (staticcall Settlement(side).requests(self))[0]
        self.returning[side] = rest > 0
        tokens._push(currency, funder, amount)
        log Returned(fromGroup=fromGroup, amount=amount)
    elif amount > 0:
        other: address = self._side(not fromGroup)
        assert extcall currency.approve(other, amount, default_return_value=True), "group_link: not approved"
        extcall Settlement(other).deposit(amount)
        log Shifted(fromGroup=fromGroup, amount=amount)
    return amount


@internal
@view
def _side(isGroup: bool) -> address:
    """
    @dev One of the two settlements.
    """
    return group if isGroup else whole
