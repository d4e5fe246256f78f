# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Tokens
@notice Takes and pays ERC-20 money by what arrives and leaves, not by what the token says.
@dev A token that returns nothing is taken as one that returns true; one that returns false, keeps a fee or moves
     another amount is refused. Callers hold a reentrancy lock, because a token may call back.
"""

from ethereum.ercs import IERC20


@internal
def _pull(token: IERC20, sender: address, amount: uint256):
    """
    @dev Take exactly `amount` from `sender`.
    """
    before: uint256 = staticcall token.balanceOf(self)
    moved: bool = extcall token.transferFrom(sender, self, amount, default_return_value=True)
    assert moved, "tokens: transfer failed"
    assert staticcall token.balanceOf(self) == before + amount, "tokens: other amount came"


@internal
def _push(token: IERC20, to: address, amount: uint256):
    """
    @dev Pay exactly `amount` to `to`.
    """
    before: uint256 = staticcall token.balanceOf(self)
    moved: bool = extcall token.transfer(to, amount, default_return_value=True)
    assert moved, "tokens: transfer failed"
    assert staticcall token.balanceOf(self) + amount == before, "tokens: other amount left"
