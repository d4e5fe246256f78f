"""Forecasts that were submitted, in a run on recorded data: what files say, as if sealed and shown in time."""

from __future__ import annotations

from collections.abc import Mapping

from transactive.config.forecasters import SubmittedFiles


class RecordedSubmissions:
    """`SubmittedForecasts` of a run on recorded data."""

    def __init__(self, files: SubmittedFiles) -> None:
        self._files = files

    def of(self, slot: int, gate: int) -> Mapping[str, tuple[int, ...] | None]:  # noqa: ARG002 - as the port is asked
        """Quantiles of a slot, by forecaster [Wh]."""
        found = ((name, each.get(slot)) for name, each in self._files.quantiles.items())
        return {name: quantiles for name, quantiles in found if quantiles is not None}
