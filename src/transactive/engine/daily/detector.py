"""The judge that ships with the program: where it is kept, and from what it was taught."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from transactive.config.setting import load_setting
from transactive.config.shipped import DATA, DEMO
from transactive.core.errors import DataError
from transactive.insight.detection.learned.judge import Judge, learn, lessons
from transactive.insight.detection.meters import FloatArray, MeterSeries

FILE = DATA / "detection" / "judge.npz"
SEED = 1_000
"""Seed of the tricks in the lessons; the back-test's trials have others."""


def load_judge(path: Path = FILE) -> Judge:
    """Read a judge. Raises DataError naming the file."""
    try:
        return Judge.from_bytes(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); make it with transactive detect train") from None
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def demo_days() -> FloatArray:
    """Days of the demo's sound homes, (homes, days, 24) [Wh]."""
    from transactive.insight.detection.folded import fold

    setting = load_setting(DEMO)
    measured = setting.measured
    length = setting.community.clock.length
    return fold(MeterSeries(measured.first_slot, length, measured.consumption_wh.astype(np.float64))).consumption


def teach(days: FloatArray, seed: int = SEED) -> Judge:
    """Teach a judge on honest days of homes, (homes, days, 24) [Wh]."""
    return learn(lessons(days, np.random.default_rng(seed)))
