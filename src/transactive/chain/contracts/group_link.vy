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

     What it holds on either side is working capital of its funder, as much as groups owe each other in a period. A
     settlement knows one request of an account; the link keeps apart what its operator and its funder want.
     PREVENTED without anybody watching
       - money leaves in two ways only: from one side to the other, and to the funder, after the notice that any member has
       - stop capital that is on its way, or is needed, by asking for some of it: what the funder asks for waits behind what
         the operator shifts until it is due, and from then on is paid first, by anyone's call
       - keep capital from its funder by shifting it: what is due to it shifts no more, so it waits two notices at most
     TRUSTED
       - the operator to move capital to the side where the next netting needs it; without it no netting is proposed, and
         members wait, or leave with what they have
       - the funder to leave capital here as long as groups owe each other: it may take back all of it, after the notice
     No member's money is ever here: it is in the group's settlement, under all rights that a member has there.
"""

from ethereum.ercs import IERC20

interface Settlement:
    def currency() -> IERC20: view
    def operator() -> address: view
    def notice() -> uint256: view
    def requests(account: address) -> (uint256, uint256): view
    def requestWithdrawal(amount: uint256): nonpayable
    def withdraw() -> uint256: nonpayable
    def deposit(amount: uint256): nonpayable

from modules import tokens

currency: immutable(IERC20)
group: public(immutable(address))  # settlement of the group's members
whole: public(immutable(address))  # settlement of all groups
funder: public(immutable(address))

isShifting: public(HashMap[address, bool])  # by settlement: what is requested there goes to the other side
returning: public(HashMap[address, uint256])  # by settlement: what the funder asked for there and does not have yet
dueAt: public(HashMap[address, uint256])  # by settlement: from when on that is paid first

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
    @param amount n¤; zero cancels
    """
    assert msg.sender == staticcall Settlement(whole).operator(), "group_link: not the operator"
    side: address = self._side(fromGroup)
    if amount > 0:
        assert not self._isDue(side), "group_link: due to the funder"
    else:
        assert self.isShifting[side], "group_link: nothing to cancel"  # else the funder's notice would begin again
    self.isShifting[side] = amount > 0
    extcall Settlement(side).requestWithdrawal(amount if amount > 0 else self.returning[side])


@external
def takeBack(fromGroup: bool, amount: uint256):
    """
    @notice Funder: ask for capital of one side; `carry` pays it after the notice. What the operator shifts meanwhile goes
            before it. Once it is due, the same again takes the place of a shift that nothing comes of.
    @param amount n¤; zero cancels; no more than was asked for before keeps its time
    """
    assert msg.sender == funder, "group_link: not the funder"
    side: address = self._side(fromGroup)
    isDue: bool = self._isDue(side) and amount <= self.returning[side]
    self.returning[side] = amount
    if not isDue:
        self.dueAt[side] = block.timestamp + staticcall Settlement(side).notice()
    if isDue or not self.isShifting[side]:
        self.isShifting[side] = False
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
    rest: uint256 = (staticcall Settlement(side).requests(self))[0]
    wasShifting: bool = self.isShifting[side]
    wanted: uint256 = self.returning[side]
    back: uint256 = min(amount, wanted) if self._isDue(side) or not wasShifting else 0
    # of what the funder asked for on its own, only as much can be left as the settlement keeps for it
    wanted = wanted - back if wasShifting else rest
    self.returning[side] = wanted
    self.isShifting[side] = wasShifting and rest > 0
    if wasShifting and rest == 0 and wanted > 0:
        extcall Settlement(side).requestWithdrawal(wanted)
    if back > 0:
        log Returned(fromGroup=fromGroup, amount=back)
        tokens._push(currency, funder, back)
    if amount > back:
        other: address = self._side(not fromGroup)
        assert extcall currency.approve(other, amount - back, default_return_value=True), "group_link: not approved"
        extcall Settlement(other).deposit(amount - back)
        log Shifted(fromGroup=fromGroup, amount=amount - back)
    return amount


@internal
@view
def _isDue(side: address) -> bool:
    """
    @dev Whether the funder has waited as long as any member would.
    """
    return self.returning[side] > 0 and block.timestamp >= self.dueAt[side]


@internal
@view
def _side(isGroup: bool) -> address:
    """
    @dev One of the two settlements.
    """
    return group if isGroup else whole
