# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Corrections
@notice Corrected readings of earlier slots, as a leaf of a slot's certificates commits them.
@dev The leaf's `orders` is the hash of the member's lines, zero without any, so that a slot without corrections costs
     nothing more:

         lines   "transactive corrections 1" | hash of each line
         line    member | its fifteen words

     A line names the commitment that holds the reading it replaces, so that the lines of one meter and slot form a chain
     that begins at the slot's own leaf. The gateway signs each one in its own domain, as another type than readings, so
     that a corrected reading is no evidence against the slot in which the first one was settled:

         Correction(uint256 slot,uint256 meter,uint256 previous,uint256 was,uint256 now)
"""

from modules import readings
from modules import signed

struct Line:
    origin: uint256  # start of the slot that was metered, Unix s
    previous: uint256  # start of the slot whose commitment holds `was`: the origin itself at first
    was: uint256  # registers as in `readings.vy`
    now: uint256
    supply: int256  # n¤/Wh, prices of the origin
    feedIn: int256
    first: uint256  # Wh of certificates: issued from `first` on
    issued: uint256
    withdrawn: uint256  # before they left the producer
    short: uint256  # of what had left
    repaid: uint256  # not issued, for an earlier shortfall
    metered: uint256  # 1, or 0 for an estimate, which issues nothing
    r: bytes32  # signature of the gateway
    s: bytes32
    v: uint256

struct Lines:  # all of a leaf, and one of them
    hashes: DynArray[bytes32, MAX_LINES]
    place: uint256
    line: Line

MAX_LINES: constant(uint256) = 500
HEAD: constant(Bytes[25]) = b"transactive corrections 1"
CORRECTION_TYPE: constant(bytes32) = keccak256(
    "Correction(uint256 slot,uint256 meter,uint256 previous,uint256 was,uint256 now)"
)


@internal
@pure
def _check(orders: bytes32, index: uint256, lines: Lines):
    """
    @dev Require that a leaf of member `index` commits these lines, and the one that is shown among them.
    """
    hashes: uint256 = 32 * len(lines.hashes)
    hash: bytes32 = sha256(concat(HEAD, slice(abi_encode(lines.hashes), 64, hashes)))
    assert hash == orders, "corrections: other lines"
    assert lines.place < len(lines.hashes), "corrections: no such line"
    line: bytes32 = sha256(abi_encode(index, lines.line))
    assert line == lines.hashes[lines.place], "corrections: other line"


@internal
@view
def _signer(index: uint256, line: Line) -> address:
    """
    @dev Who signed a line of meter `index`; zero if nobody can have.
    """
    if line.v != 27 and line.v != 28:
        return empty(address)
    told: bytes32 = keccak256(abi_encode(CORRECTION_TYPE, line.origin, index, line.previous, line.was, line.now))
    signature: signed.Signature = signed.Signature(v=convert(line.v, uint8), r=line.r, s=line.s)
    return signed._metering(told, signature)


@internal
@pure
def _isPossible(line: Line, start: uint256) -> bool:
    """
    @dev Whether a line of the slot that starts at `start` is of an earlier one, with no negative use, and with
         certificates for no more than was generated, taken back for no less.
    """
    inTime: bool = line.origin <= line.previous and line.previous < start
    was: uint256 = readings._register(line.was, 2)
    made: uint256 = readings._register(line.now, 2)
    less: uint256 = 0
    if made < was:
        less = was - made
    limit: uint256 = made
    if line.metered != 1:
        limit = 0
    isIssued: bool = line.issued <= limit and line.repaid <= limit and line.issued + line.repaid <= limit
    isTaken: bool = line.withdrawn <= less and line.short <= less and line.withdrawn + line.short <= less
    return inTime and isIssued and isTaken and self._used(line.was) and self._used(line.now)


@internal
@pure
def _used(sums: uint256) -> bool:
    """
    @dev Whether registers leave no negative use.
    """
    inflow: uint256 = readings._register(sums, 0) + readings._register(sums, 2) + readings._register(sums, 4)
    return readings._register(sums, 1) + readings._register(sums, 3) <= inflow
