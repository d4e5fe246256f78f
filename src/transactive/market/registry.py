"""Mechanisms by name: ours and those of others, through one group of entry points.

A package offers a mechanism in its pyproject.toml::

    [project.entry-points."transactive.mechanisms"]
    uniform = "transactive.market.uniform:clear"

A plain function finds one price a slot, which is what settlement takes; one whose trades or nodes have prices of
their own is wrapped in `ByTrade` or `ByNode`, so that nobody settles it at one price by mistake.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast

from transactive.core.errors import ConfigError
from transactive.core.tables import Clearing, Orders
from transactive.core.tariff import PriceGrid

if TYPE_CHECKING:
    from transactive.core.network import Network
    from transactive.core.units import IntArray
    from transactive.market.locational import NodalClearing
    from transactive.market.trades import Trades

GROUP = "transactive.mechanisms"


class Mechanism(Protocol):
    """A call auction: one pure function from the orders of a slot to their clearing.

    It satisfies `market.rules.check_clearing`, refuses bad orders with DataError and gives the same result for the
    same columns.
    """

    def __call__(self, orders: Orders, grid: PriceGrid, members: int, /) -> Clearing:
        """Clear one slot: limits on `grid` [µ¤/kWh], members counted from 0."""
        ...


@dataclass(frozen=True, slots=True)
class ByTrade:
    """A mechanism whose trades have prices of their own.

    `clear` satisfies `market.trades.check_trades`, refuses bad orders with DataError and gives the same result for the
    same columns.
    """

    clear: Callable[[Orders, PriceGrid, int], Trades]


@dataclass(frozen=True, slots=True)
class ByNode:
    """A mechanism with a price for each node of a network.

    `clear` satisfies `market.locational.check_nodal`, refuses bad orders with DataError and gives the same result for
    the same columns.
    """

    clear: Callable[[Orders, PriceGrid, int, IntArray, Network], NodalClearing]


AnyMechanism: TypeAlias = Mechanism | ByTrade | ByNode


def names() -> tuple[str, ...]:
    """Names of the installed mechanisms, sorted; nothing is imported."""
    return tuple(sorted({entry.name for entry in entry_points(group=GROUP)}))


def load(name: str) -> Mechanism:
    """Import the mechanism called `name`, one price a slot. Raises ConfigError naming the known ones."""
    mechanism = load_any(name)
    if not callable(mechanism):
        raise ConfigError(
            f"market.mechanism {name!r} has more than one price a slot, settlement takes one; choose uniform"
        )
    return mechanism


def load_any(name: str) -> AnyMechanism:
    """Import the mechanism called `name`, of whatever kind. Raises ConfigError naming the known ones."""
    found = tuple(entry_points(group=GROUP, name=name))
    if not found:
        raise ConfigError(f"market.mechanism {name!r} is not installed; known: {', '.join(names()) or 'none'}")
    if len({entry.value for entry in found}) > 1:
        offers = ", ".join(sorted(entry.value for entry in found))
        raise ConfigError(f"market.mechanism {name!r} is offered more than once ({offers}); uninstall all but one")
    mechanism = found[0].load()
    if not callable(mechanism) and not isinstance(mechanism, ByTrade | ByNode):
        raise ConfigError(f"market.mechanism {name!r}: {found[0].value} is not a function")
    return cast("AnyMechanism", mechanism)
