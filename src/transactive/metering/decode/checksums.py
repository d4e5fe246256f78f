"""CRC16 with the least bit first, as P1, HDLC and SML have it, without a loop over bytes.

HDLC's is that of `binascii` with the bits of every byte turned round. For P1's there is none. But a CRC is linear, the
sum without carry of what each byte gives at its distance from the end: a table for each distance makes it one look-up.
"""

from __future__ import annotations

from binascii import crc_hqx
from functools import cache

import numpy as np

BLOCK = 1_024
POLYNOMIAL = 0xA001
TURNED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def crc_x25(data: bytes) -> int:
    """CRC16 of HDLC and SML (ISO/IEC 13239): polynomial x16+x12+x5+1 from all ones, inverted at the end."""
    crc = crc_hqx(data.translate(TURNED), 0xFFFF)
    return (TURNED[crc & 0xFF] << 8 | TURNED[crc >> 8]) ^ 0xFFFF


def crc_p1(data: bytes) -> int:
    """CRC16 of P1: polynomial x16+x15+x2+1 from zero."""
    table, places = _tables()
    crc = 0
    for begin in range(0, len(data), BLOCK):
        block = np.frombuffer(data[begin : begin + BLOCK], np.uint8)
        if crc:
            block = block.copy()
            block[0] ^= crc & 0xFF
            if len(block) > 1:
                block[1] ^= crc >> 8
        found = int(np.bitwise_xor.reduce(table[places[BLOCK - len(block) :] + block]))
        crc = found ^ (crc >> 8 if len(block) == 1 else 0)
    return crc


@cache
def _tables() -> tuple[np.ndarray, np.ndarray]:
    """What each byte gives at each distance from the end, flat, (BLOCK × 256,); and where each distance begins."""
    table = np.empty((BLOCK, 256), np.uint16)
    row = np.arange(256, dtype=np.uint16)
    for _ in range(8):
        row = np.where(row & 1, row >> 1 ^ POLYNOMIAL, row >> 1).astype(np.uint16)
    table[0] = row
    for distance in range(1, BLOCK):
        before = table[distance - 1]
        table[distance] = before >> 8 ^ row[before & 0xFF]
    return table.ravel(), np.arange(BLOCK - 1, -1, -1) * 256
