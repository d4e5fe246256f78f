"""The logarithmic market scoring rule in whole numbers, to the last bit as `contracts/modules/lmsr.vy` computes it.

C(q) = b ln(sum exp(q_i / b)), Hanson (2003), "Combinatorial information market design". Shares and money in n¤; fixed
point with 112 fraction bits. The contract's header derives the bounds: `cost_n` is less than 1 n¤ below C and at most
2**-35 above it, so whoever keeps `cost_n` + `MARGIN_N` can pay whatever happens.
"""

from __future__ import annotations

from collections.abc import Sequence

BITS = 112
ONE = 1 << BITS
LN2 = 3599025928123676973540407451845618
SQRT2 = 7343016637207168931428032607349397
MARGIN_N = 2
"""What each trade is rounded against the trader [n¤]."""
MOST_OUTCOMES = 8
MOST_SHARES = 1 << 62
MILLION = 10**6
SQUARINGS, TERMS, LOG_TERMS = 8, 10, 20


def cost_n(sold: Sequence[int], liquidity: int) -> int:
    """C of the shares sold of each outcome, rounded down [n¤]."""
    return max(sold) + ((liquidity * ln(_total(sold, liquidity))) >> BITS)


def loss_n(outcomes: int, liquidity: int) -> int:
    """What a question with so many outcomes costs at most, paid in advance [n¤]: b ln n and the margin."""
    return cost_n([0] * outcomes, liquidity) + MARGIN_N


def price_ppm(sold: Sequence[int], liquidity: int, outcome: int) -> int:
    """Price of a share: the probability that the market gives to an outcome [ppm], rounded down."""
    return exp((max(sold) - sold[outcome]) * ONE // liquidity) * MILLION // _total(sold, liquidity)


def bought_n(sold: Sequence[int], liquidity: int, outcome: int, shares: int) -> int:
    """What shares cost now [n¤]."""
    return cost_n(_changed(sold, outcome, shares), liquidity) + MARGIN_N - cost_n(sold, liquidity)


def sold_back_n(sold: Sequence[int], liquidity: int, outcome: int, shares: int) -> int:
    """What shares bring now that are given back [n¤]."""
    return max(cost_n(sold, liquidity) - cost_n(_changed(sold, outcome, -shares), liquidity) - MARGIN_N, 0)


def exp(x: int) -> int:
    """Exponential of -x, within 2**-101."""
    k = x // LN2
    if k > BITS:
        return 0
    r = (x - k * LN2) >> SQUARINGS
    y = ONE
    for term in range(TERMS, 0, -1):
        y = ONE - (r * y >> BITS) // term
    for _ in range(SQUARINGS):
        y = y * y >> BITS
    return y >> k


def ln(x: int) -> int:
    """Natural logarithm of x from 1 to 8, within 2**-106."""
    k, m = 0, x
    for _ in range(3):
        if m > SQRT2:
            m, k = m >> 1, k + 1
    z = (abs(m - ONE) << BITS) // (m + ONE)
    square, total = z * z >> BITS, 0
    for term in range(LOG_TERMS):
        total = (total * square >> BITS) + ONE // (2 * (LOG_TERMS - term) - 1)
    series = 2 * z * total >> BITS
    return k * LN2 - series if m < ONE else k * LN2 + series


def _total(sold: Sequence[int], liquidity: int) -> int:
    """Sum of exp((q_i - max) / b): from 1 to the number of outcomes."""
    return sum(exp((max(sold) - one) * ONE // liquidity) for one in sold)


def _changed(sold: Sequence[int], outcome: int, shares: int) -> list[int]:
    """Shares sold after a trade."""
    return [one + shares * (place == outcome) for place, one in enumerate(sold)]
