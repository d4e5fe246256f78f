"""Lines that nobody looks after: a community without a network, where devices act as they like."""

from __future__ import annotations

from collections.abc import Callable

from transactive.core.ports import Command
from transactive.core.postings import Postings
from transactive.core.tables import Forecast
from transactive.core.tariff import Tariff
from transactive.core.units import IntArray
from transactive.engine.devices.fleet import Fleet
from transactive.engine.grid.operator import Make
from transactive.insight.tally import Tally


class Unwatched:
    """A `GridOperator` of nothing: has no site, asks nothing, pays nothing, keeps nothing."""

    site = None

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self.state: dict[int, IntArray] = {}

    def take_up(self, state: dict[int, IntArray]) -> None:
        """Nothing was kept."""

    def plan(self, slots: range, look_ahead: Callable[[], Forecast], make: Make) -> None:
        """Plans stay as they are."""

    def expect(self, slot: int, expected: IntArray) -> None:
        """Nobody forecasts lines."""

    def allow(
        self,
        command: Command,  # noqa: ARG002 - as an operator is asked
        load_wh: IntArray,  # noqa: ARG002
        generation_wh: IntArray,  # noqa: ARG002
        draw_wh: IntArray,
    ) -> IntArray:
        """All that loads which can wait would draw [Wh], (members,)."""
        return draw_wh

    def deliver(
        self, command: Command, load_wh: IntArray, generation_wh: IntArray
    ) -> tuple[IntArray, IntArray, IntArray]:
        """Generation, charge and discharge [Wh], (members,), with nothing held back."""
        return generation_wh, *self._fleet.deliver(command, load_wh - generation_wh)

    def post(self, slot: int, tariff: Tariff) -> Postings:  # noqa: ARG002 - as an operator is asked
        """Nobody is paid."""
        return Postings.none(slot)

    def tell(self, tally: Tally) -> None:
        """Nothing to count."""
