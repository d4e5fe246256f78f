"""ERC-20 tokens that do not behave, and one that is merely old; compiled by the tests."""

from __future__ import annotations

HEAD = """
# pragma version 0.4.3
# pragma evm-version cancun
balanceOf: public(HashMap[address, uint256])
@external
def mint(to: address, amount: uint256):
    self.balanceOf[to] += amount
@external
def approve(spender: address, amount: uint256) -> bool:
    return True
"""

SILENT = (
    HEAD
    + """
@external
def transferFrom(sender: address, to: address, amount: uint256):
    self.balanceOf[sender] -= amount
    self.balanceOf[to] += amount
@external
def transfer(to: address, amount: uint256):
    self.balanceOf[msg.sender] -= amount
    self.balanceOf[to] += amount
"""
)
"""Moves money and returns nothing, as some well-known tokens do."""

MOODY = (
    """
interface Market:
    def withdraw(amount: uint256): nonpayable
    def deposit(amount: uint256): nonpayable
"""
    + HEAD
    + """
mode: public(uint256)
@external
def setMode(mode: uint256):
    self.mode = mode
@external
def transferFrom(sender: address, to: address, amount: uint256) -> bool:
    if self.mode == 1:
        return False
    if self.mode == 3:
        extcall Market(msg.sender).deposit(amount)
    self.balanceOf[sender] -= amount
    self.balanceOf[to] += amount - (1 if self.mode == 2 else 0)
    return True
@external
def transfer(to: address, amount: uint256) -> bool:
    if self.mode == 1:
        return False
    if self.mode == 3:
        extcall Market(msg.sender).withdraw(amount)
    self.balanceOf[msg.sender] -= amount + (1 if self.mode == 2 else 0)
    self.balanceOf[to] += amount
    return True
"""
)
"""Mode 0 behaves; 1 says no; 2 keeps a unit on the way in and takes one more on the way out; 3 calls back."""
