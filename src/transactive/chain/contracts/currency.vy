# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Currency
@notice ERC-20 with EIP-2612 permit, a minter role and a supply cap. Nine decimals: one base unit is
        1 n¤ (nano currency unit).
@dev Written from the EIP texts. Trust: the owner names the minters; a minter can create money up to
     `cap`, but cannot take it from anybody (burning is by the holder only). No pause, no blocklist.
"""

from ethereum.ercs import IERC20

implements: IERC20

decimals: public(constant(uint8)) = 9
DOMAIN_TYPE: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
PERMIT_TYPE: constant(bytes32) = keccak256(
    "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
)
# Signatures with s above half the curve order are refused (each one has a valid twin).
HALF_ORDER: constant(uint256) = (
    57896044618658097711785492504343953926418782139537452191302581570759080747168
)

cap: public(immutable(uint256))
NAME_HASH: immutable(bytes32)

name: public(String[32])
symbol: public(String[8])
totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
nonces: public(HashMap[address, uint256])
owner: public(address)
pendingOwner: public(address)
isMinter: public(HashMap[address, bool])

event OwnershipOffered:
    owner: indexed(address)
    candidate: indexed(address)

event OwnershipTransferred:
    previous: indexed(address)
    owner: indexed(address)

event MinterSet:
    minter: indexed(address)
    allowed: bool


@deploy
def __init__(name: String[32], symbol: String[8], cap_: uint256):
    """
    @notice Create the currency with no supply; the deployer becomes owner.
    @param cap_ largest total supply ever, in n¤
    """
    assert cap_ > 0, "currency: zero cap"
    cap = cap_
    NAME_HASH = keccak256(name)
    self.name = name
    self.symbol = symbol
    self.owner = msg.sender
    log OwnershipTransferred(previous=empty(address), owner=msg.sender)


@external
def transfer(to: address, amount: uint256) -> bool:
    """@notice Send `amount` n¤ to `to`."""
    self._transfer(msg.sender, to, amount)
    return True


@external
def transferFrom(sender: address, to: address, amount: uint256) -> bool:
    """@notice Send `amount` n¤ of `sender` within the caller's allowance; the maximum allowance is never used up."""
    allowed: uint256 = self.allowance[sender][msg.sender]
    if allowed != max_value(uint256):
        assert allowed >= amount, "currency: allowance too low"
        self.allowance[sender][msg.sender] = allowed - amount
    self._transfer(sender, to, amount)
    return True


@external
def approve(spender: address, amount: uint256) -> bool:
    """@notice Let `spender` take up to `amount` n¤ from the caller."""
    self._approve(msg.sender, spender, amount)
    return True


@external
def permit(owner: address, spender: address, amount: uint256, deadline: uint256, v: uint8, r: bytes32, s: bytes32):
    """@notice EIP-2612: set an allowance with a signature of `owner` instead of a transaction."""
    assert block.timestamp <= deadline, "currency: permit expired"
    assert convert(s, uint256) <= HALF_ORDER, "currency: malleable signature"
    nonce: uint256 = self.nonces[owner]
    digest: bytes32 = keccak256(concat(
        b"\x19\x01",
        self._domainSeparator(),
        keccak256(abi_encode(PERMIT_TYPE, owner, spender, amount, nonce, deadline)),
    ))
    signer: address = ecrecover(digest, v, r, s)
    assert signer != empty(address) and signer == owner, "currency: bad signature"
    self.nonces[owner] = nonce + 1
    self._approve(owner, spender, amount)


@external
def mint(to: address, amount: uint256):
    """@notice Create `amount` n¤ for `to`; minters only, never above the cap."""
    assert self.isMinter[msg.sender], "currency: not a minter"
    assert to != empty(address) and to != self, "currency: bad receiver"
    assert amount <= cap - self.totalSupply, "currency: cap exceeded"
    self.totalSupply += amount
    self.balanceOf[to] += amount
    log IERC20.Transfer(sender=empty(address), receiver=to, value=amount)


@external
def burn(amount: uint256):
    """@notice Destroy `amount` n¤ of the caller."""
    assert self.balanceOf[msg.sender] >= amount, "currency: balance too low"
    self.balanceOf[msg.sender] -= amount
    self.totalSupply -= amount
    log IERC20.Transfer(sender=msg.sender, receiver=empty(address), value=amount)


@external
def setMinter(minter: address, allowed: bool):
    """@notice Give or take the minter role; owner only."""
    assert msg.sender == self.owner, "currency: not the owner"
    self.isMinter[minter] = allowed
    log MinterSet(minter=minter, allowed=allowed)


@external
def offerOwnership(candidate: address):
    """@notice First of two steps of an owner change; the zero address withdraws an offer."""
    assert msg.sender == self.owner, "currency: not the owner"
    self.pendingOwner = candidate
    log OwnershipOffered(owner=msg.sender, candidate=candidate)


@external
def acceptOwnership():
    """@notice Second step: the candidate takes over."""
    assert msg.sender == self.pendingOwner, "currency: not the candidate"
    log OwnershipTransferred(previous=self.owner, owner=msg.sender)
    self.owner = msg.sender
    self.pendingOwner = empty(address)


@external
@view
def DOMAIN_SEPARATOR() -> bytes32:
    """@notice EIP-712 domain of this contract on the current chain."""
    return self._domainSeparator()


@internal
@view
def _domainSeparator() -> bytes32:
    """@dev Computed at each use, so that a chain split makes old signatures worthless on the new chain."""
    return keccak256(abi_encode(DOMAIN_TYPE, NAME_HASH, keccak256("1"), chain.id, self))


@internal
def _approve(owner: address, spender: address, amount: uint256):
    """@dev Overwrites the allowance."""
    self.allowance[owner][spender] = amount
    log IERC20.Approval(owner=owner, spender=spender, value=amount)


@internal
def _transfer(sender: address, to: address, amount: uint256):
    """@dev Refuses the zero address and this contract as receivers: both would lose the money."""
    assert to != empty(address) and to != self, "currency: bad receiver"
    balance: uint256 = self.balanceOf[sender]
    assert balance >= amount, "currency: balance too low"
    self.balanceOf[sender] = balance - amount
    self.balanceOf[to] += amount
    log IERC20.Transfer(sender=sender, receiver=to, value=amount)
