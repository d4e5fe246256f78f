"""How much a window of readings looks like a falsified one: two opinions, of which the graver counts.

The first knows the six standard attacks, the second also other manipulations and faults. The second is wider and less
sure, so it has to say more before it counts.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from transactive.core.errors import DataError
from transactive.core.units import BoolArray
from transactive.insight.detection.learned.features import Samples, describe, names
from transactive.insight.detection.learned.forest import Forest, of_lightgbm
from transactive.insight.detection.learned.manipulations import OTHER, STANDARD, Trick
from transactive.insight.detection.learned.windows import cut
from transactive.insight.detection.meters import FloatArray

PRICE_OF_WIDTH = 3.0
"""Log odds that the wider opinion gives up: e³ ≈ 20 times the evidence, chosen on homes left out of the lessons."""
TEACHING_STRIDE = 5
"""Days between the windows that teach: no multiple of the week."""


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """Both opinions, and the SHA-256 of the file that they came from."""

    standard: Forest
    wide: Forest
    sha256: str = ""

    def scores(self, features: FloatArray) -> FloatArray:
        """Log odds of a falsified window, (samples,)."""
        return np.maximum(self.standard.margins(features), self.wide.margins(features) - PRICE_OF_WIDTH)

    def to_bytes(self) -> bytes:
        """The file: arrays of both forests and the names of the features."""
        file = io.BytesIO()
        columns = self.standard.columns("standard") | self.wide.columns("wide")
        np.savez_compressed(file, features=np.array(names()), **columns)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Judge:
        """Read a file. Raises DataError if it was made for other features or is none."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as columns:
                known = tuple(columns["features"].tolist())
                standard, wide = (Forest.of_columns(columns, name) for name in ("standard", "wide"))
        except (OSError, ValueError, KeyError) as error:
            raise DataError(
                f"the detector's file cannot be read ({error}); make it anew with transactive detect train"
            ) from None
        if known != names():
            raise DataError(
                "the detector's file was made for other features; make it anew with transactive detect train"
            )
        return cls(standard, wide, hashlib.sha256(data).hexdigest())


@dataclass(frozen=True, slots=True, eq=False)
class Lessons:
    """What a judge learns from: features (samples, features), name of the trick or "" if honest, and whose window."""

    features: FloatArray
    trick: np.ndarray
    member: np.ndarray

    def __len__(self) -> int:
        return len(self.features)

    def rows(self, chosen: BoolArray) -> Lessons:
        """Some of the lessons."""
        return Lessons(self.features[chosen], self.trick[chosen], self.member[chosen])


def lessons(days: FloatArray, rng: np.random.Generator) -> Lessons:
    """Honest days of homes (members, days, 24), each window also as each trick would report it.

    Every other window is shown without its neighbours, so that one meter alone can be judged too.
    """
    cuts = cut(days, TEACHING_STRIDE)
    honest = cuts.samples
    alone = np.arange(len(honest)) % 2 == 1
    tricks: dict[str, Trick | None] = {"": None, **STANDARD, **OTHER}
    parts = []
    for trick in tricks.values():
        window = honest.window if trick is None else _falsified(honest, trick, rng)
        shown = Samples(honest.history, window, honest.moved, honest.beside_history, honest.beside_window)
        both = describe(shown), describe(shown.alone())
        parts.append(np.where(alone[:, None], both[1], both[0]))
    label = np.repeat(np.array(list(tricks)), len(honest))
    return Lessons(np.concatenate(parts), label, np.tile(cuts.member, len(tricks)))


def _falsified(samples: Samples, trick: Trick, rng: np.random.Generator) -> FloatArray:
    pairs = zip(samples.window, samples.history, strict=True)
    return np.stack([trick(window, history, rng) for window, history in pairs])


Learner = Callable[[FloatArray, BoolArray], Forest]


def learn(taught: Lessons, learner: Learner | None = None) -> Judge:
    """Form both opinions."""
    fit = learner or boosted
    known = np.isin(taught.trick, ("", *STANDARD))
    standard = fit(taught.features[known], taught.trick[known] != "")
    return Judge(standard, fit(taught.features, taught.trick != ""))


def boosted(features: FloatArray, falsified: BoolArray) -> Forest:
    """Gradient-boosted trees [LightGBM], shallow and many; honest and falsified windows weigh the same."""
    import lightgbm

    weight = np.where(falsified, 1.0, int(falsified.sum()) / max(int((~falsified).sum()), 1))
    model = lightgbm.LGBMClassifier(
        n_estimators=300, num_leaves=8, learning_rate=0.06, min_child_samples=40, subsample=0.7, subsample_freq=1,
        colsample_bytree=0.35, reg_lambda=5.0, random_state=0, n_jobs=1, deterministic=True, force_row_wise=True,
        verbose=-1,
    )  # fmt: skip
    model.fit(features, falsified, sample_weight=weight)
    return of_lightgbm(model.booster_.dump_model())
