"""The registry of models as people use it: look, train, test, promote, roll back. A run does the same by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from transactive.config.setting import Setting
from transactive.core.errors import DataError, InputError, StateError
from transactive.core.slots import DAY, parse_time, time_text
from transactive.engine.devices.recorded_history import RecordedHistory, ReplayClock
from transactive.engine.models.active_models import TEST_DAYS, ActiveModelState, ForecastTarget, days_before
from transactive.engine.models.maintenance import EMPIRICAL, ModelMaintenance
from transactive.engine.models.model_files import FOLDER, ModelFiles
from transactive.engine.models.run_forecasts import RunForecasts
from transactive.engine.recorded import forecaster_of
from transactive.engine.replay import slots_from
from transactive.forecasting import registry
from transactive.forecasting.evaluation.contest import Contest, Rhythm, compared, followed
from transactive.forecasting.models.model_file import ModelFile
from transactive.forecasting.series import History
from transactive.store import Store, holds_state
from transactive.store.folder import hold
from transactive.store.model_records import ActiveModelRecord, ModelEvent, ModelRecord
from transactive.store.read import models as kept


@dataclass(slots=True)
class ModelService:
    """The registry in a folder: of a run, or one of its own."""

    store: Store
    models: list[ModelRecord]
    events: list[ModelEvent]
    active_records: list[ActiveModelRecord]

    @property
    def now(self) -> int:
        """Newest time [Unix s] that the registry knows of."""
        return max((active.since for active in self.active_records), default=0)

    @property
    def active_models(self) -> dict[str, ActiveModelRecord]:
        """The active model of each target."""
        return {active.target: active for active in self.active_records}

    def model(self, number: int) -> ModelRecord:
        """A model by its number. Raises InputError naming the known ones."""
        for model in self.models:
            if model.number == number:
                return model
        known = ", ".join(str(model.number) for model in self.models) or "none"
        raise InputError(f"model {number}: is not in this registry; known: {known}")

    def target(self, name: str) -> ActiveModelRecord:
        """The active model of a target. Raises InputError naming the known ones."""
        if name not in self.active_models:
            known = ", ".join(self.active_models) or "none yet"
            raise InputError(f"target {name!r}: is not forecast here; known: {known}")
        return self.active_models[name]

    def verified(self, number: int) -> ModelFile:
        """A model's file, once its hash is the recorded one. Raises StateError where it is not."""
        return self._files.opened(self.model(number))

    def promote(self, number: int, *, force: bool) -> ModelEvent:
        """Make a model active from now on. Raises InputError unless its test was won, or it is forced."""
        model = self.model(number)
        active = self.target(model.target)
        if active.model == number:
            raise InputError(f"model {number}: is the active model of {model.target} already")
        if not force and not (model.contest and model.contest.won):
            told = f"p {model.contest.p_value:.2g} against {model.contest.against}" if model.contest else "not tested"
            raise InputError(
                f"model {number}: has not won its test ({told}); test it on later days with `models test`, or --force"
            )
        self._files.load(model)  # what cannot be read is not promoted
        how = "forced" if force and not (model.contest and model.contest.won) else "its test was won"
        maintenance = self._maintenance()
        maintenance.promote(model.target, model, None, self.now)
        text = f"{ModelMaintenance.title(model)}: by hand, {how}"
        return self._save(maintenance, maintenance.tell(model.target, self.now, "promoted", text, number, by="person"))

    def rollback(self, name: str) -> ModelEvent:
        """Return to the model before, or empirical quantiles. Raises InputError where nothing was."""
        active = self.target(name)
        if active.model is None:
            raise InputError(f"target {name!r}: empirical quantiles are active; there is nothing to roll back")
        held = [event.model for event in self.events if event.target == name and event.kind == "promoted"]
        earlier = held[: len(held) - held[::-1].index(active.model) - 1] if active.model in held else []
        number = next((n for n in reversed(earlier) if n != active.model), None)
        maintenance = self._maintenance()
        if number is None:
            maintenance.stand_in(name, self.now)
        else:
            self._files.load(self.model(number))
            maintenance.promote(name, self.model(number), None, self.now)
        after = EMPIRICAL if number is None else ModelMaintenance.title(self.model(number))
        text = f"from {ModelMaintenance.title(self.model(active.model))} to {after}, by hand"
        return self._save(maintenance, maintenance.tell(name, self.now, "rolled back", text, number, by="person"))

    def _maintenance(self) -> ModelMaintenance:
        """The maintenance of what is kept here; it knows of no readings, and needs none to change the active model."""
        targets = [_blank(active) for active in self.active_models.values()]
        maintenance = ModelMaintenance(targets, lambda _name, _now: None, self._files)
        maintenance.resume(self.models, self.events, self.active_records)
        return maintenance

    def _save(self, maintenance: ModelMaintenance, event: ModelEvent) -> ModelEvent:
        """Write what has changed."""
        self.store.put(maintenance.changes())
        return event

    @property
    def _files(self) -> ModelFiles:
        return ModelFiles(self.store.path.parent / FOLDER)


@contextmanager
def opened(folder: Path, *, change: bool = False) -> Iterator[ModelService]:
    """The registry of a folder; to change it, no other process may be on it.

    Raises StateError where there is none or it is in use.
    """
    if not holds_state(folder):
        raise StateError(f"{folder}: holds no models; give the --state folder of a run, or train some first")
    if change:
        with hold(folder), closing(Store(folder)) as store:
            yield _read(store)
    else:
        with closing(Store(folder)) as store:
            yield _read(store)


def _read(store: Store) -> ModelService:
    return ModelService(store, kept.models(store), kept.events(store), kept.active_records(store))


def _blank(active: ActiveModelRecord) -> ForecastTarget:
    """A target as far as a registry alone knows it: how many series it has."""
    series = len(ActiveModelState.of(active).shift[0])
    return ForecastTarget(active.target, ("",) * series, Rhythm(0, 1), 1, (), "")


def train(folder: Path, setting: Setting, name: str, forecaster: str, until: str | None) -> ModelRecord:
    """Train a model, test it on the days before a time, which it has not seen, and keep it as a candidate.

    until: RFC 3339; without it as far as the run has come, or the end of the readings. Raises InputError for an unknown
    target or forecaster, DataError where history is too short.
    """
    registry.load(forecaster)
    with hold(folder), closing(Store(folder)) as store:
        maintenance, forecasts, reached = _with_readings(store, setting)
        now = parse_time(until) if until else reached
        target, history, days = _tested(maintenance, forecasts, name, now, TEST_DAYS)
        active = maintenance.active(name, now)
        own = followed(maintenance.model(active), history, days, target.rhythm)
        made = maintenance.challenger(target, forecaster, history, days, own, active, now)
        if made is None:
            raise DataError(maintenance.events[-1].text)
        model = made[0]
        maintenance.tell(
            name, now, "trained", f"{ModelMaintenance.title(model)}: {_result(model)}", model.number, by="person"
        )
        store.put(maintenance.changes())
        return model


def test(folder: Path, setting: Setting, number: int, until: str | None, days: int) -> Contest:
    """Test a model on days that it has not seen, beside the active one, and keep the result.

    Raises InputError where it has seen them, or they are not known.
    """
    with hold(folder), closing(Store(folder)) as store:
        maintenance, forecasts, _ = _with_readings(store, setting)
        model = _read(store).model(number)
        now = parse_time(until) if until else setting.measured_end
        target, history, rows = _tested(maintenance, forecasts, model.target, now, days)
        first = history.first_slot + rows[0] * history.length
        if model.learnt.until > first - target.rhythm.offset * history.length:
            raise InputError(
                f"model {number}: has learnt from readings up to {time_text(model.learnt.until)}, and the test would"
                f" begin at {time_text(first)}; give a later --until or fewer --days"
            )
        active = maintenance.active(model.target, now)
        records = [
            followed(m, history, rows, target.rhythm)
            for m in (maintenance.files.load(model), maintenance.model(active))
        ]
        contest = compared(records[0], records[1], maintenance.forecaster(active))
        store.put([msgspec.structs.replace(model, contest=contest)])
        return contest


def _with_readings(store: Store, setting: Setting) -> tuple[ModelMaintenance, RunForecasts, int]:
    """The maintenance of a folder with the readings of a setting, and the time that it has come to [Unix s]."""
    slots = slots_from(setting)
    reached = _read(store).now or setting.measured_end
    past = RecordedHistory.of(setting, ReplayClock(setting.measured_end))
    forecasts = RunForecasts(setting, slots, past, forecaster_of(setting, slots), store)
    return forecasts.take_up(reached), forecasts, reached


def _tested(
    maintenance: ModelMaintenance, forecasts: RunForecasts, name: str, now: int, days: int
) -> tuple[ForecastTarget, History, range]:
    """A target, what is known of it at a time, and the last days before it.

    Raises InputError for an unknown target, DataError where too little is known.
    """
    if name not in maintenance.targets:
        raise InputError(f"target {name!r}: is not forecast here; known: {', '.join(maintenance.targets)}")
    target, history = maintenance.targets[name], forecasts.history(name, now)
    rows = None if history is None else days_before(target, history, days)
    if history is None or rows is None:
        raise DataError(f"{name}: too little is known by {time_text(now)}; six weeks of readings are needed before it")
    return target, history, rows


def _result(model: ModelRecord) -> str:
    """A model's test in words."""
    return model.contest.text if model.contest else "not tested"


def last_days(service: ModelService, name: str, days: int) -> list[ActiveModelRecord]:
    """The latest judged days of a target, oldest first."""
    judged = [c for c in service.active_records if c.target == name and c.day is not None]
    newest = judged[-1].since if judged else 0
    return [c for c in judged if c.since > newest - days * DAY]
