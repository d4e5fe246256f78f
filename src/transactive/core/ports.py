"""Ports: where a run meets the world. What time it is, what meters say, what devices are told, what members do.

The kernel walks slots with any of them: a replay hands it recorded meters and a time that passes at once, a live market
the clock on the wall and meters that report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from transactive.core.proofs.members.member_acts import MemberAct
from transactive.core.proofs.signed_orders import SignedOrder
from transactive.core.tables import Baseline, DeviceRules, Readings
from transactive.core.trades.positions import Positions
from transactive.core.units import IntArray


class Clock(Protocol):
    """What time it is, and the wait for the next step that is due."""

    @property
    def now(self) -> int:
        """The time [Unix s]."""
        ...

    def wait_until(self, due: int) -> None:
        """Return as soon as it is `due` [Unix s]; at once if that is over."""
        ...

    def close(self, gate: int, seen: int) -> bool:
        """Close a gate, with what is known of slots that ended by `seen`, both [Unix s]; whether it counts.

        It does not where it passed while nobody was there: then no order counts which was meant for it.
        """
        ...

    def is_void(self, gate: int) -> bool:
        """Whether a gate that was to be closed [Unix s] did not count."""
        ...

    def seen(self, gate: int) -> int | None:
        """End of the slots whose readings were known as a gate closed [Unix s]; None before it does."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class MeterHistory:
    """What homes used and made in consecutive slots from `first_slot` on [Wh], (slots, members).

    net_load_wh: consumption − generation, without batteries. feeder_wh: net energy that the transformer gave to all,
    (slots,), where it has a meter. quality: a `ReadingQuality` each, where one is not metered.
    """

    first_slot: int
    consumption_wh: IntArray
    generation_wh: IntArray
    net_load_wh: IntArray
    feeder_wh: IntArray | None = None
    quality: IntArray | None = None


class PastReadings(Protocol):
    """What meters have said: all that forecasts, advice and detection may look at."""

    def history(self, until: int) -> MeterHistory:
        """All slots that ended by `until` [Unix s]. Raises RuleBroken if that is later than now."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """What devices hold [Wh]: batteries, (members,), and loads that can wait, (devices,), where below 0 is owed."""

    charged_wh: IntArray
    held_wh: IntArray


class LateReading(NamedTuple):
    """A member's registers [Wh] of a slot [Unix s] that was settled without them.

    metered: 1, or 0 where nobody metered that slot by itself.
    """

    origin: int
    member: int
    import_wh: int
    export_wh: int
    generation_wh: int
    metered: int


class Meters(PastReadings, Protocol):
    """The meters of a run, and what its devices say of themselves."""

    def readings(self, slot: int, traded: Positions) -> Readings:
        """Registers of a slot [Unix s]; of a meter that is silent, those of what its member `traded`, as substituted.

        Raises RuleBroken unless the slot has ended by now.
        """
        ...

    def are_in(self, slot: int) -> bool:
        """Whether the readings of a slot are in as it ends, so that the gate of that moment sees them; waits little."""
        ...

    def late(self) -> Sequence[LateReading]:
        """Readings of settled slots that came before the slot that was read last, each once."""
        ...

    def stored(self) -> Stored:
        """What devices hold after the slot that was read last."""
        ...

    def without_market(self, slot: int) -> Baseline:
        """What the same homes would have taken and given without a market, to compare with."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Command:
    """What devices do in one slot: rules that they follow by themselves, never set-points, so a lost line does no harm.

    waiting_wh: levels of loads that can wait, (4, devices), as `batteries` has them. runs_wh: what appliances that
    begin in the slot draw, (devices,). end: when the rules are over [Unix s].
    """

    batteries: DeviceRules
    waiting_wh: IntArray
    runs_wh: IntArray
    end: int

    @property
    def slot(self) -> int:
        """Slot that the rules are for [Unix s]."""
        return self.batteries.slot


class Commands(Protocol):
    """The way to devices."""

    def send(self, command: Command) -> None:
        """Send the rules of a slot, in place of those sent for it before."""
        ...


class ReceivedOrder(NamedTuple):
    """An order that somebody sent, and that was receipted. number, received: of its entry, and when it was [Unix s]."""

    number: int
    received: int
    signed: SignedOrder


class SentOrders(Protocol):
    """Orders that members send, beside those that the run makes for them."""

    def of(self, slot: int, gate: int) -> Sequence[ReceivedOrder]:
        """All that came for a slot before its gate closed, both [Unix s], by serial; asked once that is closed."""
        ...


class NobodySends:
    """`SentOrders` of a run in which all orders are made as a gate closes."""

    def of(self, slot: int, gate: int) -> Sequence[ReceivedOrder]:  # noqa: ARG002 - as the port is asked
        """None came."""
        return ()


NOBODY_SENDS = NobodySends()


class SubmittedForecasts(Protocol):
    """Forecasts of what all members use together that others make, sealed and shown before a gate."""

    def of(self, slot: int, gate: int) -> Mapping[str, tuple[int, ...] | None]:
        """Quantiles [Wh] of everybody who sealed a forecast of a slot in time, None where it was not shown in time.

        By name; both are Unix seconds. Asked once the gate is closed.
        """
        ...


class NobodyForecasts:
    """`SubmittedForecasts` of a run that hears nobody."""

    def of(self, slot: int, gate: int) -> Mapping[str, tuple[int, ...] | None]:  # noqa: ARG002 - as the port is asked
        """None came."""
        return {}


NOBODY_FORECASTS = NobodyForecasts()


class Acts(Protocol):
    """What members do while the market is open."""

    def by(self, gate: int) -> Sequence[MemberAct]:
        """What counts from a gate [Unix s] on and is not taken up yet, in its order; what is may come again."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """The six ports of a run."""

    clock: Clock
    meters: Meters
    commands: Commands
    acts: Acts
    orders: SentOrders = NOBODY_SENDS
    forecasts: SubmittedForecasts = NOBODY_FORECASTS
