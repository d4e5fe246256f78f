"""The life of a model: trained, tested, promoted, watched, replaced when the world changes, and well again."""

from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from transactive.core.errors import DataError, StateError
from transactive.engine.models.active_models import DayTold, ForecastTarget
from transactive.engine.models.maintenance import ModelMaintenance
from transactive.engine.models.model_files import ModelFiles
from transactive.forecasting.evaluation.contest import Rhythm
from transactive.forecasting.series import History
from transactive.store import Store
from transactive.store.read import models as kept

DAY, HOUR = 86_400, 3_600
START = 1_496_620_800  # a Monday
HOMES = 12
MEMBERS = tuple(f"home-{k}" for k in range(HOMES))
SHIFT = 91  # first day of another life
LAST = 130


def loads():
    """Homes whose use of a day goes on into the next one; from a day on they use twice as much, and at noon.

    What comes tomorrow is half told by today, so that there is something to learn.
    """
    draw = np.random.default_rng(5)
    level = np.zeros((LAST, HOMES))
    for day in range(1, LAST):
        level[day] = 0.8 * level[day - 1] + draw.normal(0, 0.25, HOMES) + draw.normal(0, 0.04)
    hours = np.arange(24)
    evening = 300 + 500 * np.exp(-(((hours - 19) / 3) ** 2))
    noon = 900 + 1500 * np.exp(-(((hours - 12) / 3) ** 2))
    shape = np.stack([noon if day >= SHIFT else evening for day in range(LAST)])
    values = shape[:, :, None] * np.exp(level)[:, None] * draw.gamma(30, 1 / 30, (LAST, 24, HOMES))
    return np.round(values.reshape(-1, HOMES))


TARGET = ForecastTarget("consumption", MEMBERS, Rhythm(1, 24), 25, ("regression",), "Wh")


class Run:
    """Days of a run that does nothing but forecast."""

    def __init__(self, values, folder=None, target=TARGET):
        self.values, self.target = values, target
        self.maintenance = ModelMaintenance([target], self.history, ModelFiles(folder))
        self.rows = []

    def history(self, _, now):
        return History(START, HOUR, self.values[: (now - START) // HOUR])

    def begin(self, day):
        self.maintenance.begin(START + day * DAY - HOUR, {})

    def walk(self, first, last):
        for day in range(first, last):
            self.day(day, train=(day + 1 - first) % 7 == 0)
            self.rows += self.maintenance.changes()

    def day(self, day, *, train):
        gate = START + day * DAY - HOUR
        forecast = self.maintenance.forecast("consumption", gate, 25)
        assert forecast is not None
        came = self.values[day * 24 : day * 24 + 24]
        told = DayTold(forecast.values[1:], came, self.maintenance.active("consumption", gate).model)
        self.maintenance.day_over(START + (day + 1) * DAY, {"consumption": told}, train=train)

    def kinds(self):
        return [event.kind for event in self.maintenance.events]


@pytest.fixture(scope="module")
def life(tmp_path_factory):
    run = Run(loads(), tmp_path_factory.mktemp("models"))
    run.begin(77)
    run.walk(77, LAST - 1)
    return run


def day_of(event):
    return (event.at - START) / DAY


def test_a_shift_goes_through_the_whole_cycle(life):
    """Detected within days, empirical quantiles at once, retrained, promoted again, and well again."""
    by_kind = {kind: [e for e in life.maintenance.events if e.kind == kind] for kind in set(life.kinds())}
    first = by_kind["promoted"][0]
    assert day_of(first) < 77
    drift, fell_back = by_kind["drift"][0], by_kind["fell back"][0]
    assert SHIFT < day_of(drift) <= SHIFT + 3
    assert "above the forecasts" in drift.text
    assert fell_back.at == drift.at
    assert life.maintenance.active("consumption", drift.at).model is None
    again = next(e for e in by_kind["promoted"] if e.at > drift.at)
    assert day_of(again) <= SHIFT + 28
    recovered = next(e for e in by_kind["recovered"] if e.at > again.at)
    assert recovered.model is not None
    last = life.maintenance.active("consumption", START + LAST * DAY)
    assert life.maintenance.models[last.model].status == "champion"


def test_coverage_breaks_with_the_shift_and_comes_back(life):
    days = {c.since: c.day for c in life.maintenance._courses["consumption"].active_records if c.day}
    covered = [days[START + (day + 1) * DAY] for day in range(77, LAST - 1)]
    share = np.array([day.inside / day.counted for day in covered])
    shift = SHIFT - 77
    assert share[:shift].mean() > 0.8
    assert share[shift] < 0.4
    assert share[-7:].mean() > 0.8


def test_only_one_model_is_champion_and_every_promotion_won_its_test(life):
    status = [model.status for model in life.maintenance.models.values()]
    assert status.count("champion") == 1
    promoted = {event.model for event in life.maintenance.events if event.kind == "promoted"}
    assert all(life.maintenance.models[number].contest.won for number in promoted)
    assert all(life.maintenance.models[n].contest.p_value < 0.05 for n in promoted)


def test_a_model_has_learnt_nothing_of_the_days_that_test_it(life):
    for model in life.maintenance.models.values():
        tested_from = model.made_at // DAY * DAY - model.contest.days * DAY
        assert model.learnt.until < tested_from


def test_nothing_that_comes_later_changes_a_decision(life):
    """A poisoned future: the same decisions, the same files, the same forecasts until then."""
    until = 98
    values = loads()
    values[until * 24 :] = 1e9
    run = Run(values)
    run.begin(77)
    run.walk(77, until)
    known = [e for e in life.maintenance.events if e.at <= START + until * DAY]
    assert run.maintenance.events == known
    assert {m.number: m.hash for m in run.maintenance.models.values()} == {
        number: life.maintenance.models[number].hash for number in run.maintenance.models
    }


def test_an_interrupted_run_goes_on_as_if_it_had_not_been(life, tmp_path):
    """After any day the rows that were kept, and the files, are all that is needed."""
    run = Run(loads(), tmp_path)
    run.begin(77)
    run.walk(77, 95)  # in the middle of a drift
    again = Run(loads(), tmp_path)
    with closing(Store(tmp_path / "state")) as store:
        store.put(run.rows)
        again.maintenance.resume(kept.models(store), kept.events(store), kept.active_records(store))
    for day in range(95, LAST - 1):
        again.day(day, train=(day + 1 - 77) % 7 == 0)
    assert again.maintenance.events == life.maintenance.events
    assert again.maintenance.models == life.maintenance.models


def test_a_tampered_file_is_refused_with_what_to_do(life):
    number = life.maintenance.active("consumption", START + LAST * DAY).model
    record = life.maintenance.models[number]
    path = life.maintenance.files.folder / record.file
    data = path.read_bytes()
    try:
        path.write_bytes(data.replace(b'"horizon":25', b'"horizon":26'))
        with pytest.raises(StateError, match=r"its SHA-256 is .* not the recorded .*roll back"):
            ModelFiles(life.maintenance.files.folder).load(record)
        path.unlink()
        with pytest.raises(StateError, match=r"cannot be read .*models rollback consumption"):
            ModelFiles(life.maintenance.files.folder).load(record)
    finally:
        path.write_bytes(data)


def test_with_too_little_history_empirical_quantiles_stay_and_nothing_fails():
    run = Run(loads())
    run.begin(20)
    run.walk(20, 30)
    assert run.maintenance.active("consumption", START + 30 * DAY).model is None
    assert "promoted" not in run.kinds()


def test_what_cannot_be_trained_is_said_once_and_the_others_go_on(monkeypatch):
    monkeypatch.setattr("transactive.forecasting.models.boosted.library", _no_library)
    target = replace(TARGET, challengers=("boosted", "regression"))
    run = Run(loads(), target=target)
    run.begin(77)
    run.walk(77, 91)
    said = [event.text for event in run.maintenance.events if event.kind == "not trained"]
    assert said == ["boosted: no trees today"]
    assert "promoted" in run.kinds()


def _no_library():
    raise DataError("no trees today")
