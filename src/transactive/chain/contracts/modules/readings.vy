# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Readings
@notice What a gateway signed of a meter in a slot, as evidence: the registers and their place in the signed tree.
"""

from modules import leaves
from modules import signed

struct Reading:
    meters: uint256
    root: bytes32
    totals: uint256
    sums: uint256  # import | export << 51 | generation << 102 | charge << 153 | discharge << 204
    steps: DynArray[uint256[2], leaves.MAX_DEPTH]  # hash and sums of each sibling
    signature: signed.Signature

LANE: constant(uint256) = 2**51 - 1


@internal
@pure
def _register(sums: uint256, number: uint256) -> uint256:
    """
    @dev One register of a meter [Wh]: import, export, generation, charge, discharge.
    """
    return (sums >> (51 * number)) & LANE


@internal
@view
def _signer(start: uint256, index: uint256, reading: Reading) -> address:
    """
    @dev Who signed these registers for meter `index` in the slot that starts at `start`; zero if nobody can have.
    """
    assert index < reading.meters, "readings: no such meter"
    assert reading.meters <= 1 << len(reading.steps), "readings: bad reading"
    root: bytes32 = empty(bytes32)
    totals: uint256 = 0
    meter: bytes32 = self._leaf(start, index, reading.sums)
    root, totals = leaves._sumOfReadings(meter, index, reading.sums, reading.steps)
    assert root == reading.root and totals == reading.totals, "readings: bad reading"
    return signed._gateway(start, reading.meters, reading.root, reading.totals, reading.signature)


@internal
@pure
def _leaf(start: uint256, index: uint256, sums: uint256) -> bytes32:
    """
    @dev Hash of a meter's leaf; of an empty place if it read nothing.
    """
    if sums == 0:
        return empty(bytes32)
    return sha256(slice(abi_encode(empty(uint256), start, index, sums), 31, 97))
