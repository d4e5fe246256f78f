"""Words of the settlement contract: four accounts to a word; a netting goes in parts of words.

Lane k of word j is account 4j + k in bits 64k to 64k + 63. A net amount is biased by 2**62, so every amount in
[-2**62, 2**62) is a number with bit 63 clear; balances are below 2**62 and not biased. Contracts from before there were
parts take a netting as a whole, in chunks of eight words.
"""

from __future__ import annotations

from collections.abc import Sequence

from transactive.core.errors import ContractRevert

LANES = 4
PART_WORDS = 256
"""Words that one call proposes or applies: less than 8 million gas if all of them were zero before."""
CHUNK = 8
CHUNK_ACCOUNTS = LANES * CHUNK
LANE_BITS = 64
BIAS = 1 << 62
MAX_BALANCE = BIAS - 1
MAX_PAID_IN = BIAS // 2 - 1
"""Most that an account has by deposits [n¤]: the upper half of a lane stays free for credits."""
MASK = (1 << LANE_BITS) - 1


def words_for(accounts: int) -> int:
    """Words that so many accounts fill."""
    return -(-accounts // LANES)


def parts_for(accounts: int) -> int:
    """Calls that propose the netting of so many accounts, and as many that apply it."""
    return -(-words_for(accounts) // PART_WORDS)


def encode_nets(nets_n: Sequence[int]) -> list[int]:
    """Words of the net amounts [n¤, received − paid] of accounts 0, 1, 2, …; the last one is filled with zeros.

    Raises ValueError for an amount that does not fit its lane.
    """
    return _pack([net + BIAS for net in _whole(nets_n)], 2 * BIAS)


def decode_nets(words: Sequence[int]) -> list[int]:
    """Net amounts [n¤] in the words. Raises ContractRevert, as the contract, for a lane with bit 63 set."""
    lanes = _unpack(words)
    if any(lane >> (LANE_BITS - 1) for lane in lanes):
        raise ContractRevert("settlement: bad lane")
    return [lane - BIAS for lane in lanes]


def encode_balances(balances_n: Sequence[int]) -> list[int]:
    """Words of balances [n¤] as the contract stores them. Raises ValueError for one that does not fit its lane."""
    return _pack(_whole(balances_n), BIAS)


def decode_balances(words: Sequence[int]) -> list[int]:
    """Balances [n¤] in stored words."""
    return _unpack(words)


def chunks_of(nets_n: Sequence[int]) -> list[list[int]]:
    """Chunks of words of the net amounts [n¤] of accounts 0, 1, 2, …, the last one filled with zeros."""
    words = encode_nets([*nets_n, *[0] * (-len(nets_n) % CHUNK_ACCOUNTS)])
    return [words[first : first + CHUNK] for first in range(0, len(words), CHUNK)]


def _whole(values: Sequence[int]) -> list[int]:
    """Values filled up with zeros to whole words."""
    return [*map(int, values), *[0] * (-len(values) % LANES)]


def _pack(lanes: Sequence[int], end: int) -> list[int]:
    """Words of whole lanes, each in [0, end)."""
    for account, lane in enumerate(lanes):
        if not 0 <= lane < end:
            raise ValueError(f"amount of account {account} does not fit its lane")
    return [
        sum(lane << (LANE_BITS * k) for k, lane in enumerate(lanes[first : first + LANES]))
        for first in range(0, len(lanes), LANES)
    ]


def _unpack(words: Sequence[int]) -> list[int]:
    """Lanes of words."""
    return [(word >> (LANE_BITS * k)) & MASK for word in words for k in range(LANES)]
