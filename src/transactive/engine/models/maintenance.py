"""Maintenance of forecasts: models are trained, tested, promoted, monitored, and fall back to quantiles on drift.

One model forecasts each target; until a trained one wins, untrained empirical quantiles do.
A candidate takes over only if it was significantly better than the active model on the same days. It learns from
what was known before these days, so that what is tested is the very file that then forecasts. All that is decided
follows from what was known at that time and from the decisions before it, each with its time: an interrupted run finds
them in its database and goes on as if nothing had been.

Source of the cycle: champion and challenger with a paired test, Diebold and Mariano 1995, as in `contest`; monitors as
in `monitor`; what lasts of both is in `store.models`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np

from transactive import __version__
from transactive.core.errors import DataError
from transactive.core.slots import DAY
from transactive.engine.models.active_models import (
    LEAST_TEST_DAYS,
    TEST_DAYS,
    ActiveModelState,
    DayTold,
    ForecastTarget,
    after_day,
    days_before,
)
from transactive.engine.models.model_book import ModelBook
from transactive.engine.models.model_files import ModelFiles
from transactive.forecasting import registry
from transactive.forecasting.evaluation.conformal import Tracker
from transactive.forecasting.evaluation.contest import Rhythm, TrackRecord, compared, followed, served
from transactive.forecasting.evaluation.monitor import Monitor
from transactive.forecasting.models import features
from transactive.forecasting.models.baselines import Empirical
from transactive.forecasting.models.model_file import Learnt, digest, pack
from transactive.forecasting.registry import Model
from transactive.forecasting.series import History, Quantiles, lowest_of
from transactive.store.model_records import ActiveModelRecord, ModelRecord

EMPIRICAL = "empirical"
MOST_HISTORY_DAYS = 365
"""Days that a model may learn from."""
Source = Callable[[str, int], History | None]
"""History of a target that ends at a time [Unix s]; None while nothing is known of it."""


class ModelMaintenance(ModelBook):
    """The forecasts of some targets. files: where models are kept."""

    def __init__(self, targets: Sequence[ForecastTarget], source: Source, files: ModelFiles) -> None:
        super().__init__(targets)
        self.files = files
        self._source = source

    # -- who forecasts --------------------------------------------------------------------------

    def model(self, active: ActiveModelRecord) -> Model:
        """The active model. Raises StateError where its file is not what was recorded."""
        return Empirical() if active.model is None else self.files.load(self.models[active.model])

    def forecaster(self, active: ActiveModelRecord) -> str:
        """Name of the active model, for people."""
        return EMPIRICAL if active.model is None else self.title(self.models[active.model])

    @staticmethod
    def title(model: ModelRecord) -> str:
        """Name of a model, for people."""
        return f"{model.learnt.forecaster} no. {model.number}"

    def forecast(self, name: str, now: int, slots: int, homes: slice = slice(None)) -> Quantiles | None:
        """Quantiles of the `slots` slots after `now` as they are served, of some series; None while none can be told.

        Raises StateError where the model's file is not what was recorded.
        """
        history = self._source(name, now)
        if history is None or len(history.values) < history.per_day:
            return None
        active, rhythm = self.active(name, now), Rhythm(0, slots)
        shift = np.array(ActiveModelState.of(active).shift, np.float64)[:, homes]
        own = History(history.first_slot, history.length, history.values[:, homes], history.ahead, history.calendar)
        return served(self.model(active), own, rhythm, Tracker(shift), lowest_of(own))

    # -- day by day -----------------------------------------------------------------------------

    def open(self, now: int) -> None:
        """Make the empirical quantiles active for every target without an active model."""
        for name, target in self.targets.items():
            if not self._courses[name].active_records:
                state = target.state(None, None, Monitor())
                self._put(ActiveModelRecord(target=name, since=now, model=None, state=state.text))

    def begin(self, now: int, trusted: Mapping[str, str]) -> None:
        """Give every target an active model, and train for the first time.

        trusted: targets whose candidate becomes active untested, as it won in money, and why.
        """
        self.open(now)
        for name, target in self.targets.items():
            history = self._source(name, now)
            if history is None:
                continue
            if name in trusted:
                self._trust(target, history, now, trusted[name])
            else:
                self._train(target, history, now)

    def day_over(self, now: int, told: Mapping[str, DayTold], *, train: bool) -> None:
        """Judge the forecasts of a day that ends at `now`, by target, and with `train` begin another week.

        A day that was told before the active model changed is kept, and not scored.
        """
        for name, target in self.targets.items():
            active = self.active(name, now)
            state, day = ActiveModelState.of(active), None
            if name in told:
                calibrated = active.model is not None or not target.as_it_is
                after, day = after_day(state, told[name], calibrated=calibrated)
                state = after if told[name].model == active.model else state
            self._put(ActiveModelRecord(target=name, since=now, model=active.model, day=day, state=state.text))
            if day is not None:
                self._watch(target, now)
            history = self._source(name, now) if train else None
            if history is not None:
                self._train(target, history, now)
            self._forget(name)

    def _watch(self, target: ForecastTarget, now: int) -> None:
        """Act on what the monitors say."""
        active = self.active(target.name, now)
        state = ActiveModelState.of(active)
        alarm = state.monitor.alarm
        if alarm is not None:
            drifting = msgspec.structs.replace(state.monitor, drifting=True, up=0.0, down=0.0)
            self.tell(target.name, now, "drift", f"{self.forecaster(active)}: {alarm}", active.model)
            if active.model is None:
                self._set_active(active, None, ActiveModelState(state.shift, drifting))
            else:
                self._fall_back(target, active, self.models[active.model], drifting)
        elif state.monitor.drifting and state.monitor.well:
            well = Monitor.of(list(state.monitor.week))
            self._set_active(active, active.model, ActiveModelState(state.shift, well))
            covered = state.monitor.covered or 0.0
            text = f"{self.forecaster(active)}: a week with {covered:.0%} inside the 90 % interval"
            self.tell(target.name, now, "recovered", text, active.model)

    def _fall_back(
        self, target: ForecastTarget, active: ActiveModelRecord, model: ModelRecord, monitor: Monitor
    ) -> None:
        """Retire the active model; empirical quantiles take over, calibrated on the days before."""
        self._keep(msgspec.structs.replace(model, status="retired"))
        history = self._source(target.name, active.since)
        days = days_before(target, history, LEAST_TEST_DAYS) if history is not None else None
        record = followed(Empirical(), history, days, target.rhythm) if history is not None and days else None
        self._set_active(active, None, target.state(record, None, msgspec.structs.replace(monitor, week=())))
        text = f"{self.title(model)} retired; empirical quantiles until a model wins again"
        self.tell(target.name, active.since, "fell back", text, model.number)

    # -- training -------------------------------------------------------------------------------

    def _train(self, target: ForecastTarget, history: History, now: int) -> None:
        """Train every candidate, test them against the active model, and promote the best of those that won."""
        active = self.active(target.name, now)
        state = ActiveModelState.of(active)
        days = days_before(target, history, LEAST_TEST_DAYS if state.monitor.drifting else TEST_DAYS)
        if days is None:
            return
        try:
            own = followed(self.model(active), history, days, target.rhythm)
        except DataError:
            return
        if active.day is None and active.model is None and not state.monitor.drifting:  # the first time: calibrate
            state = target.state(own, None, Monitor.of(own.days))
            self._set_active(active, None, state)
        tested = [
            trained
            for name in target.challengers
            if (trained := self.challenger(target, name, history, days, own, active, now)) is not None
        ]
        won = [one for one in tested if one[0].contest is not None and one[0].contest.won]
        best = min(won, key=lambda one: one[1].pinball) if won else None
        for model, record in tested:
            promoted = best is not None and model is best[0]
            text = f"{self.title(model)}: {model.contest.text if model.contest else 'not tested'}"
            self.tell(target.name, now, "promoted" if promoted else "trained", text, model.number)
            if promoted:
                self.promote(target.name, model, record, now, drifting=state.monitor.drifting)

    def challenger(
        self,
        target: ForecastTarget,
        name: str,
        history: History,
        days: range,
        own: TrackRecord,
        active: ActiveModelRecord,
        now: int,
    ) -> tuple[ModelRecord, TrackRecord] | None:
        """Train one challenger on what was known before the days of the test, keep it, and test it."""
        known = days[0] - target.rhythm.offset
        before = history.until(known, target.learnt).last(MOST_HISTORY_DAYS)
        made = self.learn(target, name, before, now)
        if made is None:
            return None
        model, found = made
        record = followed(model, history, days, target.rhythm)
        contest = compared(record, own, self.forecaster(active))
        return self._keep(msgspec.structs.replace(found, contest=contest)), record

    def learn(self, target: ForecastTarget, name: str, history: History, now: int) -> tuple[Model, ModelRecord] | None:
        """Train a model and keep it as a candidate; the one before it of the same kind retires. None if it cannot."""
        seed = zlib.crc32(f"{target.name} {name} {now // DAY}".encode())
        try:
            recipe = registry.load(name)
            model = recipe.train(history, target.learnt, np.random.default_rng(seed))
            learnt = Learnt(
                forecaster=name, target=target.name, members=target.members, slot_seconds=history.length,
                horizon=target.learnt, since=history.first_slot, until=history.issued, seed=seed,
            )  # fmt: skip
            data = pack(model, recipe, learnt)
        except DataError as error:
            self._not_trained(target, now, f"{name}: {error}")
            return None
        for other in list(self.models.values()):
            if (other.target, other.status, other.learnt.forecaster) == (target.name, "candidate", name):
                self._keep(msgspec.structs.replace(other, status="retired"))
        record = ModelRecord(
            number=max(self.models, default=0) + 1, target=target.name, status="candidate", made_at=now,
            hash=digest(data), program=__version__, features=features.VERSION, learnt=learnt,
        )  # fmt: skip
        self.files.keep(record, data, model)
        return model, self._keep(record)

    def promote(
        self, name: str, model: ModelRecord, record: TrackRecord | None, now: int, *, drifting: bool = False
    ) -> None:
        """Make a model active, with the calibration of its test; the one before it retires."""
        active = self.active(name, now)
        if active.model is not None:
            self._keep(msgspec.structs.replace(self.models[active.model], status="retired"))
        self._keep(msgspec.structs.replace(model, status="champion"))
        monitor = Monitor.of(record.days if record else [], drifting=drifting)
        if drifting:  # well again after a good week, whoever told it
            monitor = msgspec.structs.replace(monitor, week=ActiveModelState.of(active).monitor.week)
        state = self.targets[name].state(record, model.number, monitor)
        self._set_active(active, model.number, state, since=now)

    def stand_in(self, name: str, now: int) -> None:
        """Make the empirical quantiles active; the model before them retires."""
        active = self.active(name, now)
        if active.model is not None:
            self._keep(msgspec.structs.replace(self.models[active.model], status="retired"))
        state = self.targets[name].state(None, None, Monitor())
        self._set_active(active, None, state, since=now)

    def _trust(self, target: ForecastTarget, history: History, now: int, why: str) -> None:
        """Make a candidate active that won in money, trained on all that is known."""
        for name in target.challengers:
            made = self.learn(target, name, history.last(MOST_HISTORY_DAYS), now)
            if made is not None:
                self.promote(target.name, made[1], None, now)
                self.tell(target.name, now, "promoted", f"{self.title(made[1])}: {why}", made[1].number)
