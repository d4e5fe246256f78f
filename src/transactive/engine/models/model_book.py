"""What lasts of the models of some targets: their records, what became of them, and which one is active since when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from transactive.engine.models.active_models import (
    ActiveModelState,
    Course,
    ForecastTarget,
)
from transactive.forecasting.evaluation.monitor import Monitor
from transactive.store.model_records import ActiveModelRecord, By, Kind, ModelEvent, ModelLog, ModelRecord

STATES_KEPT = 3
"""Days whose calibration and monitors are kept whole: a plan made for a period may be a day old."""


class ModelBook:
    """Records of models, events and active models, in memory; what has changed waits for whoever writes it down."""

    def __init__(self, targets: Sequence[ForecastTarget]) -> None:
        self.targets: Mapping[str, ForecastTarget] = {target.name: target for target in targets}
        self.models: dict[int, ModelRecord] = {}
        self.events: list[ModelEvent] = []
        self._courses = {target.name: Course() for target in targets}
        self._waiting: list[ModelRecord | ModelEvent | ActiveModelRecord] = []

    def resume(
        self, models: Sequence[ModelRecord], events: Sequence[ModelEvent], active_records: Sequence[ActiveModelRecord]
    ) -> None:
        """Go on from what was kept; where members have joined since, empirical quantiles forecast what has theirs."""
        self.models = {model.number: model for model in models}
        self.events = list(events)
        for active in active_records:
            if active.target in self._courses:
                self._courses[active.target].active_records.append(self._fitting(active))

    def _fitting(self, active: ActiveModelRecord) -> ActiveModelRecord:
        """A record that has a place for each series of its target: one from before somebody joined begins anew."""
        target = self.targets[active.target]
        if not active.state or len(ActiveModelState.of(active).shift[0]) == len(target.members):
            return active
        if active.model is not None and self.models[active.model].status == "champion":
            self._keep(msgspec.structs.replace(self.models[active.model], status="retired"))
        return msgspec.structs.replace(active, model=None, state=target.state(None, None, Monitor()).text)

    def changes(self) -> ModelLog:
        """Rows of what has changed since they were asked for last."""
        waiting, self._waiting = self._waiting, []
        return waiting

    def active(self, name: str, now: int) -> ActiveModelRecord:
        """Active model of a target at a time."""
        return self._courses[name].at(now)

    def courses(self) -> list[tuple[str, list[ActiveModelRecord]]]:
        """Charges of each target, oldest first."""
        return [(name, course.active_records) for name, course in self._courses.items() if course.active_records]

    def _put(self, active: ActiveModelRecord) -> None:
        """Write a record, in place of one of the same time."""
        active_records = self._courses[active.target].active_records
        if active_records and active_records[-1].since == active.since:
            active_records[-1] = active
        else:
            active_records.append(active)
        self._waiting.append(active)

    def _set_active(
        self, active: ActiveModelRecord, model: int | None, state: ActiveModelState, since: int | None = None
    ) -> None:
        """Change the active model, from the same time on or from another."""
        day = active.day if since in (None, active.since) else None
        changed = msgspec.structs.replace(active, model=model, state=state.text, day=day)
        self._put(changed if since is None else msgspec.structs.replace(changed, since=since))

    def _forget(self, name: str) -> None:
        """Leave out what older days remembered."""
        active_records = self._courses[name].active_records
        for place in range(len(active_records) - STATES_KEPT):
            if active_records[place].state:
                active_records[place] = msgspec.structs.replace(active_records[place], state="")
                self._waiting.append(active_records[place])

    def _keep(self, model: ModelRecord) -> ModelRecord:
        """Write a model's record."""
        self.models[model.number] = model
        self._waiting.append(model)
        return model

    def tell(
        self, name: str, now: int, kind: Kind, text: str, model: int | None = None, *, by: By = "run"
    ) -> ModelEvent:
        """Add an event."""
        event = ModelEvent(number=len(self.events) + 1, at=now, target=name, kind=kind, text=text, model=model, by=by)
        self.events.append(event)
        self._waiting.append(event)
        return event

    def _not_trained(self, target: ForecastTarget, now: int, text: str) -> None:
        """Say once why a challenger could not be trained."""
        last = next((e for e in reversed(self.events) if e.target == target.name and e.kind == "not trained"), None)
        if last is None or last.text != text:
            self.tell(target.name, now, "not trained", text)
