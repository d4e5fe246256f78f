"""A line that loses energy, seen from the node above it: what arrives of what is sent, and at which price.

Energy. Of x Wh that enter the line, x·loss_ppm / 10⁶ rounded down are lost; so what arrives grows by 0 or 1 Wh with
each Wh sent, and every whole number can arrive.

Price. The receiving end pays for what was lost: with k = 1 − loss, its price is at least the sending end's price / k.
As a function of the parent's price a, a branch that takes energy in therefore has the price ⌈a / k⌉, one that gives
energy ⌊a·k⌋. Below zero lost energy earns nothing: both are a, or wasting energy would pay. Rounded this way, what
receivers pay is never less than what senders get.

Positions (see `curves`) are 2 x price for a sell and one more for a buy, prices in whole µ¤/kWh. A step of the branch
lies, for its parent, at the last position at which it is not yet taken.
"""

from __future__ import annotations

import numpy as np

from transactive.core.units import PPM, IntArray

MOST_PRICE = 9 * 10**12
"""Largest price [µ¤/kWh] of either sign: a million times it stays inside 64 bits."""
BEYOND = 2 * MOST_PRICE + 2
"""Position above all prices: what line after line would raise further has no buyer and stays here."""


def arriving(sent: IntArray, keep: int) -> IntArray:
    """What arrives of `sent` >= 0 [Wh]; keep: millionths that a line does not lose."""
    whole, rest = np.divmod(sent, PPM)
    arrives: IntArray = whole * keep - -rest * keep // PPM
    return arrives


def needed(arrives: IntArray, keep: int) -> IntArray:
    """Least that must be sent so that `arrives` >= 0 [Wh] do."""
    whole, rest = np.divmod(np.maximum(arrives - 1, 0), keep)
    sent: IntArray = np.where(arrives > 0, whole * PPM + rest * PPM // keep + 1, 0)
    return sent


def price_in(parent: int, keep: int) -> int:
    """Least price [µ¤/kWh] of a branch that takes energy in, at its parent's price."""
    return -(-parent * PPM // keep) if parent > 0 else parent


def price_out(parent: int, keep: int) -> int:
    """Largest price [µ¤/kWh] of a branch that gives energy, at its parent's price."""
    return parent * keep // PPM if parent > 0 else parent


def position_in(parent: int, keep: int) -> int:
    """Position of a branch that takes energy in, at its parent's position."""
    return 2 * price_in(parent // 2, keep) + parent % 2


def position_out(parent: int, keep: int) -> int:
    """Position of a branch that gives energy, at its parent's position.

    Several prices of the parent may mean one of the branch; from the second on that price's sells are in.
    """
    price = parent // 2
    here = price_out(price, keep)
    return 2 * here + (parent % 2 or here == price_out(price - 1, keep))


def steps_in(places: IntArray, keep: int) -> IntArray:
    """Positions for the parent of a branch's steps at `places` where it takes energy in."""
    price, is_buy = places // 2, places % 2
    above = price * keep // PPM
    exact = -(-above * PPM // keep) == price
    return np.where(price > 0, 2 * above + np.where(exact, is_buy, 1), places)


def steps_out(places: IntArray, keep: int) -> IntArray:
    """Positions for the parent of a branch's steps at `places` where it gives energy."""
    price, is_buy = places // 2, places % 2
    sells, buys = -(-price * PPM // keep), -(-(price + 1) * PPM // keep)
    return np.minimum(np.where(price >= 0, np.where(is_buy, 2 * buys - 1, 2 * sells), places), BEYOND)
