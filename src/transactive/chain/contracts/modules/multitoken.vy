# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Many tokens in one contract
@notice ERC-6909: balances by holder and id, allowances by id, operators for all ids. No callback to anybody.
@dev Written from the EIP text. The contract that uses it alone creates (`_mint`) and destroys (`_burn`).
"""

ERC165: constant(bytes4) = 0x01ffc9a7
ERC6909: constant(bytes4) = 0x0f632fb3

balanceOf: public(HashMap[address, HashMap[uint256, uint256]])
allowance: public(HashMap[address, HashMap[address, HashMap[uint256, uint256]]])
isOperator: public(HashMap[address, HashMap[address, bool]])

event Transfer:
    caller: address
    sender: indexed(address)
    receiver: indexed(address)
    id: indexed(uint256)
    amount: uint256

event OperatorSet:
    owner: indexed(address)
    spender: indexed(address)
    approved: bool

event Approval:
    owner: indexed(address)
    spender: indexed(address)
    id: indexed(uint256)
    amount: uint256


@external
def transfer(receiver: address, id: uint256, amount: uint256) -> bool:
    """
    @notice Send `amount` of token `id`.
    """
    self._move(msg.sender, receiver, id, amount)
    return True


@external
def transferFrom(sender: address, receiver: address, id: uint256, amount: uint256) -> bool:
    """
    @notice Send tokens of `sender` as its operator or within the caller's allowance; the maximum is never used up.
    """
    self._spend(sender, id, amount)
    self._move(sender, receiver, id, amount)
    return True


@external
def approve(spender: address, id: uint256, amount: uint256) -> bool:
    """
    @notice Let `spender` take up to `amount` of token `id` from the caller.
    """
    self.allowance[msg.sender][spender][id] = amount
    log Approval(owner=msg.sender, spender=spender, id=id, amount=amount)
    return True


@external
def setOperator(spender: address, approved: bool) -> bool:
    """
    @notice Let `spender` move all tokens of the caller, or stop that.
    """
    self.isOperator[msg.sender][spender] = approved
    log OperatorSet(owner=msg.sender, spender=spender, approved=approved)
    return True


@external
@pure
def supportsInterface(interfaceId: bytes4) -> bool:
    """
    @notice ERC-165.
    """
    return interfaceId in [ERC165, ERC6909]


@internal
def _spend(sender: address, id: uint256, amount: uint256):
    """
    @dev Require that the caller may move tokens of `sender`, and use its allowance up.
    """
    if sender != msg.sender and not self.isOperator[sender][msg.sender]:
        allowed: uint256 = self.allowance[sender][msg.sender][id]
        if allowed != max_value(uint256):
            assert allowed >= amount, "multitoken: allowance too low"
            self.allowance[sender][msg.sender][id] = allowed - amount


@internal
def _move(sender: address, receiver: address, id: uint256, amount: uint256):
    """
    @dev Refuses the zero address and this contract as receivers: both would lose the tokens.
    """
    assert receiver != empty(address) and receiver != self, "multitoken: bad receiver"
    self._take(sender, id, amount)
    self.balanceOf[receiver][id] += amount
    log Transfer(caller=msg.sender, sender=sender, receiver=receiver, id=id, amount=amount)


@internal
def _mint(receiver: address, id: uint256, amount: uint256):
    """
    @dev New tokens.
    """
    assert receiver != empty(address) and receiver != self, "multitoken: bad receiver"
    self.balanceOf[receiver][id] += amount
    log Transfer(caller=msg.sender, sender=empty(address), receiver=receiver, id=id, amount=amount)


@internal
def _burn(holder: address, id: uint256, amount: uint256):
    """
    @dev Tokens that are used up.
    """
    self._take(holder, id, amount)
    log Transfer(caller=msg.sender, sender=holder, receiver=empty(address), id=id, amount=amount)


@internal
def _take(holder: address, id: uint256, amount: uint256):
    """
    @dev Takes no more than there is.
    """
    balance: uint256 = self.balanceOf[holder][id]
    assert balance >= amount, "multitoken: balance too low"
    self.balanceOf[holder][id] = balance - amount
