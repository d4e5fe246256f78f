# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Logarithmic market scoring rule
@notice C(q) = b ln(sum exp(q_i / b)) in whole numbers (Hanson 2003), rounded so that who sells shares by it can always pay.
@dev Fixed point with 112 fraction bits, ulp = 2**-112. Bounds, absolute, tested against arbitrary precision:

       exp(-x)  within 2**-101. x = k ln 2 + r: the floor of ln 2 costs k <= 112 ulp and the shift of r 256 ulp. Ten terms of
                the series leave out r**11 / 11! < 2**-118 for r < 0.0028 and round by 2 ulp; each of eight squarings
                doubles that and adds an ulp, which makes 767. For k > 112 the result is below an ulp, and zero
       ln(x)    within 2**-106 for 1 <= x <= 8: z <= 0.1716, so twenty terms leave out 2 z**41 / 41 < 2**-108

     The sum has at most eight terms and is at least one, so ln of it is within 2**-98 + 2**-106; with b <= 2**62 that is
     2**-35 n¤ of C. `_cost` rounds down, so it is less than 1 n¤ below C and at most 2**-35 above it.
     Who starts with `_cost` + MARGIN, takes at least `_cost` after - `_cost` before + MARGIN for shares and pays at most
     `_cost` before - `_cost` after - MARGIN for them, always holds _cost + MARGIN > C(q) >= max(q_i).
"""

MOST_OUTCOMES: constant(uint256) = 8
MOST_SHARES: constant(uint256) = 2**62
MARGIN: constant(uint256) = 2
BITS: constant(uint256) = 112
ONE: constant(uint256) = 2**112
LN2: constant(uint256) = 3599025928123676973540407451845618  # floor(ln 2 * 2**112)
SQRT2: constant(uint256) = 7343016637207168931428032607349397  # floor(sqrt 2 * 2**112)
MILLION: constant(uint256) = 10**6


@internal
@pure
def _cost(q: uint256[MOST_OUTCOMES], n: uint256, b: uint256) -> uint256:
    """
    @dev max + b ln(sum exp((q_i - max) / b)), n¤: the largest term is one, so that nothing overflows.
    """
    top: uint256 = self._top(q)
    total: uint256 = 0
    for i: uint256 in range(n, bound=MOST_OUTCOMES):
        total += self._exp((top - q[i]) * ONE // b)
    return top + ((b * self._ln(total)) >> BITS)


@internal
@pure
def _price(q: uint256[MOST_OUTCOMES], n: uint256, b: uint256, outcome: uint256) -> uint256:
    """
    @dev Marginal price of an outcome, in millionths: exp(q_i / b) / sum exp(q_j / b).
    """
    top: uint256 = self._top(q)
    total: uint256 = 0
    for i: uint256 in range(n, bound=MOST_OUTCOMES):
        total += self._exp((top - q[i]) * ONE // b)
    return self._exp((top - q[outcome]) * ONE // b) * MILLION // total


@internal
@pure
def _top(q: uint256[MOST_OUTCOMES]) -> uint256:
    """
    @dev Largest entry; outcomes that a question has not are zero and do no harm.
    """
    top: uint256 = 0
    for x: uint256 in q:
        top = max(top, x)
    return top


@internal
@pure
def _exp(x: uint256) -> uint256:
    """
    @dev exp(-x) = 2**-k * exp(-r / 256)**256 with x = k ln 2 + r.
    """
    k: uint256 = x // LN2
    if k > BITS:
        return 0
    r: uint256 = (x - k * LN2) >> 8
    y: uint256 = ONE  # 1 - r/1 (1 - r/2 (1 - r/3 (…))), from inside
    for i: uint256 in range(10):
        y = unsafe_sub(ONE, unsafe_div(unsafe_mul(r, y) >> BITS, unsafe_sub(10, i)))
    for i: uint256 in range(8):
        y = unsafe_mul(y, y) >> BITS
    return y >> k


@internal
@pure
def _ln(x: uint256) -> uint256:
    """
    @dev ln(x) = k ln 2 + 2 artanh((m - 1) / (m + 1)) with m between sqrt(1/2) and sqrt(2), for x from 1 to 8.
    """
    k: uint256 = 0
    m: uint256 = x
    for i: uint256 in range(3):
        if m > SQRT2:
            m = m >> 1
            k += 1
    below: bool = m < ONE
    z: uint256 = ((ONE - m if below else m - ONE) << BITS) // (m + ONE)
    square: uint256 = (z * z) >> BITS
    total: uint256 = 0
    for i: uint256 in range(20):  # from the term 1 / 39 up to 1
        total = unsafe_add(unsafe_mul(total, square) >> BITS, unsafe_div(ONE, unsafe_sub(39, unsafe_mul(2, i))))
    series: uint256 = (2 * z * total) >> BITS
    return k * LN2 - series if below else k * LN2 + series
