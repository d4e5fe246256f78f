"""Handing out the energy: all better orders in full, the marginal ones pro rata, to the last Wh."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from transactive.core.units import IntArray
from transactive.market.auction.crossing import Crossing
from transactive.market.book import Adding, Energies, Keys, add_by_key, chunks

Wh = TypeVar("Wh", bound=np.signedinteger[Any])


Serving: TypeAlias = Callable[[Keys, Energies, Crossing, Energies], NDArray[np.intp]]
"""Fills in the orders served in full and finds the rationed ones: keys, energy, crossing, given."""


@dataclass(frozen=True, slots=True)
class Passes:
    """The two passes over a packed book, plain or compiled."""

    add: Adding = add_by_key
    serve: Serving | None = None


PLAIN = Passes()


def allocate(
    keys: Keys,
    energy: NDArray[Wh],
    crossing: Crossing,
    before: int | None = None,
    out: NDArray[Wh] | None = None,
    serve: Serving | None = None,
) -> NDArray[Wh]:
    """Give each order of a book or a shard its Wh, shape (orders,), in the type of `energy`.

    Marginal orders share by largest remainder, ties by position. With `before`, the rationed Wh in earlier shards
    (see `shard_offsets`), they share by the prefix rule instead, which needs nothing else from the other shards.
    The result is written to `out` where it is given: fresh memory for a large book can cost more than the work.
    serve: how the better orders are filled, plainly unless a compiled pass is given.
    """
    given = np.empty_like(energy) if out is None else out
    if crossing.tick is None:
        given[:] = 0
        return given
    marginal = (serve or serve_in_full)(keys, energy, crossing, given)
    if len(marginal):
        wanted = energy[marginal].astype(np.int64)
        if before is None:
            given[marginal] = by_largest_remainder(wanted, crossing.given, crossing.offered)
        else:
            given[marginal] = by_prefix(wanted, crossing.given, crossing.offered, before)
    return given


def serve_in_full(keys: Keys, energy: Energies, crossing: Crossing, given: Energies) -> NDArray[np.intp]:
    """Fill in `given` for the orders served in full and return the positions of the rationed ones."""
    first, past = crossing.closed
    marginal: list[NDArray[np.intp]] = []
    for part in chunks(len(keys)):
        # Unsigned keys below `first` wrap round to large numbers: one comparison tests both ends of the interval.
        beyond = keys[part] - keys.dtype.type(first)
        np.multiply(energy[part], beyond >= past - first, out=given[part])
        if crossing.rationed is not None:
            marginal.append(np.flatnonzero(beyond == crossing.rationed - first) + part.start)
    return np.concatenate(marginal) if marginal else np.empty(0, np.intp)


def shard_offsets(histograms: Sequence[IntArray], crossing: Crossing) -> list[int]:
    """Rationed Wh before each shard: all that a shard must know of the others beside the crossing."""
    if crossing.rationed is None:
        return [0] * len(histograms)
    own = [int(histogram[crossing.rationed]) for histogram in histograms]
    return [sum(own[:shard]) for shard in range(len(own))]


def by_largest_remainder(energy: IntArray, total: int, whole: int) -> IntArray:
    """Split `total` pro rata to `energy` [Wh] of sum `whole`; the Wh lost by rounding go to the largest remainders.

    Ties by position, so the order of the book matters for exact ties only. Needs all marginal orders in one place.
    """
    share, remainder = mul_div(energy, total, whole)
    missing = total - int(share.sum())
    share[np.argsort(-remainder, kind="stable")[:missing]] += 1
    return share


def by_prefix(energy: IntArray, total: int, whole: int, before: int = 0) -> IntArray:
    """Split `total` pro rata to `energy` [Wh] of sum `whole` over all shards by rounding the running sum down.

    before: Wh in earlier shards. Each part is within 1 Wh of the exact one; the parts of all shards sum to `total`.
    """
    running = np.concatenate(([before], before + np.cumsum(energy)))
    return np.diff(mul_div(running, total, whole)[0])


def mul_div(amount: IntArray, total: int, whole: int) -> tuple[IntArray, IntArray]:
    """Quotient and remainder of amount x total / whole, exact, for 0 <= amount, total <= whole <= 2**62.

    The product may need 124 bits. Where 63 are not enough Python's own integers do it: slower by some ten times,
    and only marginal orders of enormous books come here.
    """
    most = int(amount.max(initial=0))
    if most.bit_length() + total.bit_length() <= 63:
        quotient, remainder = np.divmod(amount * total, whole)
        return quotient, remainder
    product = amount.astype(object) * total
    return (product // whole).astype(np.int64), (product % whole).astype(np.int64)
