"""Mechanisms by name: ours and those of others, through one group of entry points.

A package offers a mechanism in its pyproject.toml::

    [project.entry-points."transactive.mechanisms"]
    uniform = "transactive.market.auction.uniform:clear"

A plain function finds one price a slot. One whose orders, trades or nodes have prices of their own is wrapped in
`ByOrder`, `ByTrade` or `ByNode`, one in which members agree themselves in `ByDeal`; `market.mechanisms` takes any of
them, so a community may name any.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast

from transactive.core import installed
from transactive.core.errors import ConfigError
from transactive.core.tables import Clearing, Orders
from transactive.core.tariff import PriceGrid

if TYPE_CHECKING:
    from transactive.core.community.limits import Limits
    from transactive.core.community.network import Network
    from transactive.core.community.rules import DirectRules
    from transactive.core.units import IntArray
    from transactive.market.deals import Negotiated
    from transactive.market.fills import OrderFills
    from transactive.market.nodal import NodalClearing
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
class ByOrder:
    """A mechanism in which orders trade with the market as a whole, each at prices of its own.

    `clear` satisfies `market.fills.check_fills`, refuses bad orders with DataError and gives the same result for the
    same columns.
    """

    clear: Callable[[Orders, PriceGrid, int], OrderFills]


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

    `clear` satisfies `market.network.locational.check_nodal`, refuses bad orders with DataError and gives the
    same result for the same columns.
    """

    clear: Callable[[Orders, PriceGrid, int, IntArray, Network], NodalClearing]


@dataclass(frozen=True, slots=True)
class ByDeal:
    """A mechanism in which members agree on deals with each other, final one by one.

    `clear` gives deals in which nobody is worse off by its orders and nobody buys or sells beyond its limits, refuses
    bad orders with DataError and gives the same result for the same columns. under: the same by a community's rules for
    direct trading.
    """

    clear: Callable[[Orders, PriceGrid, int, Limits], Negotiated]
    under: Callable[[DirectRules], ByDeal]
    rest: str = "supplier"


AnyMechanism: TypeAlias = Mechanism | ByOrder | ByTrade | ByNode | ByDeal


def names() -> tuple[str, ...]:
    """Names of the installed mechanisms, sorted; nothing is imported."""
    return installed.names(GROUP)


def load(name: str) -> AnyMechanism:
    """Import the mechanism called `name`, of whatever kind. Raises ConfigError naming the known ones."""
    offer = installed.find(GROUP, name, "market.mechanism")
    mechanism = offer.load()
    if not callable(mechanism) and not isinstance(mechanism, ByOrder | ByTrade | ByNode | ByDeal):
        raise ConfigError(f"market.mechanism {name!r}: {offer.value} is not a function")
    return cast("AnyMechanism", mechanism)
