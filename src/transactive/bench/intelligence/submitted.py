"""What submitted forecasts of the total are worth: the demo's homes, the first of which submits from totals alone.

It submits twice: a regression on published totals, as known a quarter of an hour before each gate, and what was a week
before. Both run beside the market's own pool, which sees each home. The reference is the market's own forecast of the
same total, from the samples that orders are made of. No chain: it changes no forecast.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np

from transactive.bench.report import Row
from transactive.config.forecasters import SubmittedFiles
from transactive.config.setting import Setting, load_setting
from transactive.config.shipped import DEMO
from transactive.core.community.rules import ForecasterRules, ForecastRules
from transactive.core.postings import PostingKind
from transactive.core.slot_book import SlotBook
from transactive.core.slots import parse_time
from transactive.core.units import NANO
from transactive.engine.models.said_of_total import SaidOfTotal, heard_in
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import slots_of
from transactive.forecasting import registry
from transactive.forecasting.evaluation.scores import crps, diebold_mariano, mean
from transactive.forecasting.series import LEVELS, FloatArray, History
from transactive.store import Store
from transactive.store.read.models import said

START, DAYS = "2017-06-05T00:00Z", 7
SUBMITTED = ("regression", "last-week")
AHEAD = 3
"""Slots from the newest total that is known as forecasts are sealed to the slot itself."""


@dataclass(slots=True, eq=False)
class HeardRun:
    """What a run said of each slot's total, what came, and what was paid."""

    said: list[SaidOfTotal] = field(default_factory=list)
    came: list[int] = field(default_factory=list)
    paid_n: int = 0


def submitted_rows() -> Iterator[Row]:
    """The pool with submissions beside the market's own forecast, and what was paid for it."""
    setting = load_setting(DEMO)
    slots = slots_of(setting, parse_time(START), DAYS)
    heard = _run(_submitted(setting, slots), slots)
    came = np.array(heard.came, np.float64)[:, None]
    own, made = (crps(_quantiles(heard, row), came)[:, 0] for row in ("own", "made"))
    per_day = len(slots) // DAYS
    days = [loss.reshape(-1, per_day).mean(axis=1) for loss in (made, own)]
    statistic, p = diebold_mariano(*days)
    yield Row(
        name="total at the gate, CRPS of the pool with submissions", value=mean(made), unit="Wh",
        reference=f"the market's own forecast; DM {statistic:+.1f}, p {p:.1g}", reference_value=mean(own),
        ratio=mean(made) / mean(own),
    )  # fmt: skip
    yield Row(name="paid for submissions in a week", value=heard.paid_n / NANO, unit="USD")


def _submitted(setting: Setting, slots: range) -> Setting:
    """The demo with the pool, and with the first home submitting."""
    named = tuple(ForecasterRules(name=name, account=setting.community.ids[0]) for name in SUBMITTED)
    files = SubmittedFiles({name: _forecasts(setting, slots, name) for name in SUBMITTED})
    rules = ForecastRules(model="pool", maintain="off")
    community = msgspec.structs.replace(setting.community, forecast=rules, forecasters=named)
    return replace(setting, community=community, submitted=files)


def _forecasts(setting: Setting, slots: range, name: str) -> dict[int, tuple[int, ...]]:
    """What a forecaster says of each slot's total from those known as it is sealed, without the first home."""
    measured = setting.measured
    total = (measured.consumption_wh - measured.generation_wh)[:, 1:].sum(axis=1, keepdims=True).astype(np.float64)
    length = slots.step
    first = (slots[0] - setting.first_slot) // length
    known = History(setting.first_slot, length, total)
    model = registry.load(name).train(known.until(first - AHEAD, AHEAD), AHEAD, np.random.default_rng(1))
    found = {}
    for number, slot in enumerate(slots):
        made = model.predict(known.until(first + number - AHEAD + 1, AHEAD), AHEAD).values[-1, 0]
        found[slot] = tuple(np.rint(made).astype(np.int64).tolist())
    return found


def _run(setting: Setting, slots: range) -> HeardRun:
    """Walk the slots, and note what was said and what came of it."""
    found = HeardRun()

    def note(book: SlotBook) -> None:
        found.paid_n += int(book.postings.only(PostingKind.BONUS).amount_n.sum())
        found.came.append(int((book.readings.consumption_wh - book.readings.generation_wh).sum()))

    with TemporaryDirectory() as folder, closing(Store(Path(folder))) as store:
        recorded_run(setting, slots, store=store).run(note)
        found.said = [of for _, of in heard_in(said(store, slots[0], slots[-1]))]
    return found


def _quantiles(heard: HeardRun, row: str) -> FloatArray:
    """Quantiles of all slots, (slots, 1, levels), by the market or the pool."""
    values: FloatArray = np.array([getattr(of, row)[: len(LEVELS)] for of in heard.said], np.float64)[:, None]
    return values
