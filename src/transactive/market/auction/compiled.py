"""The two passes over a packed book, translated to machine code by numba: for services and for countries.

Translation takes a second or two, so nobody gets it who does not ask; the results are those of `book` and `allocation`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from transactive.core.installed import named_extras
from transactive.core.units import IntArray
from transactive.market.auction.allocation import Passes
from transactive.market.auction.crossing import Crossing
from transactive.market.book import Energies, Keys

Numbers: TypeAlias = Any
"""An array, or a number of its type: numba reads and writes it by index."""

SOME = 4096
"""Orders that are filled in together, without looking which of them is rationed."""


@cache
def passes() -> Passes:
    """Translate both passes. Raises MissingExtra without numba."""
    with named_extras("clearing in machine code"):
        numba = import_module("numba")
    translate = numba.njit(nogil=True, error_model="numpy")
    add_up, fill_in = translate(add), translate(fill)

    def add_to(total: IntArray, keys: Keys, energy: Energies) -> None:
        """As `book.add_by_key`."""
        add_up(total, keys, energy)

    def serve(keys: Keys, energy: Energies, crossing: Crossing, given: Energies) -> NDArray[np.intp]:
        """As `allocation.serve_in_full`."""
        first, past = crossing.closed
        of_keys = keys.dtype.type
        marginal = np.empty(min(len(keys), crossing.offered), np.intp)  # one Wh or more each; unused pages cost nothing
        rationed = of_keys(crossing.rationed or 0)
        return marginal[: fill_in(keys, energy, of_keys(first), of_keys(past - 1), rationed, given, marginal)]

    return Passes(add_to, serve)


def add(total: Numbers, keys: Numbers, energy: Numbers) -> None:
    """Add the energy of each order to that of its key."""
    for i in range(len(keys)):
        total[keys[i]] += energy[i]


def fill(
    keys: Numbers, energy: Numbers, first: Numbers, last: Numbers, rationed: Numbers, given: Numbers, marginal: Numbers
) -> int:
    """Serve orders with keys outside first … last in full; returns how many rationed ones stand in `marginal`.

    Two loops, as only one that writes every order alike can take several at a time. Without room in `marginal` nobody
    is rationed.
    """
    found = 0
    for start in range(0, len(keys), SOME):
        key, wanted, out = keys[start : start + SOME], energy[start : start + SOME], given[start : start + SOME]
        matching = False
        for i in range(len(key)):
            closed = (key[i] >= first) & (key[i] <= last)
            out[i] = 0 if closed else wanted[i]
            matching |= key[i] == rationed
        if matching and len(marginal):
            for i in range(len(key)):
                if key[i] == rationed:
                    marginal[found] = start + i
                    found += 1
    return found
