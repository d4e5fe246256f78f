"""How well falsified meters are told from honest ones: by homes, and by attacks, that the judge never saw.

Windows of two weeks each week; half of them get a falsified twin. A window is judged by a judge that learned from
other homes only. For "unseen" it did not learn the attack either. Area: the chance that a falsified window scores above
an honest one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from transactive.insight.detection.learned.features import Samples, describe
from transactive.insight.detection.learned.judge import Learner, Lessons, boosted, learn, lessons
from transactive.insight.detection.learned.manipulations import STANDARD
from transactive.insight.detection.learned.windows import cut
from transactive.insight.detection.meters import FloatArray

FALSE_ALARMS = 0.01
TEACHING_SEED = 1_000
"""Seed of the lessons' tricks; those of the trials have others."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What a detector reached. area, recall (at 1 % false alarms): attacks known. unseen: area by unknown attack."""

    area: float
    recall: float
    unseen: dict[str, float]

    @property
    def mean(self) -> float:
        """Mean area of attacks that were not learned."""
        return float(np.mean(list(self.unseen.values())))

    @property
    def worst(self) -> float:
        """Least of them."""
        return min(self.unseen.values())


def area(scores: FloatArray, falsified: np.ndarray) -> float:
    """Chance that a falsified window scores above an honest one, ties counting half (Mann, Whitney, 1947)."""
    high, low = scores[falsified], np.sort(scores[~falsified])
    wins = np.searchsorted(low, high, "left") + np.searchsorted(low, high, "right")
    return float(wins.mean() / (2 * len(low)))


def trial(days: FloatArray, rng: np.random.Generator) -> Lessons:
    """Windows to be judged, of homes (members, days, 24): all honest ones, and half of them also falsified."""
    cuts = cut(days)
    honest, names = cuts.samples, list(STANDARD)
    chosen = np.flatnonzero(rng.random(len(honest)) < 0.5)
    kinds = rng.integers(0, len(names), len(chosen))
    pairs = zip(honest.window[chosen], honest.history[chosen], kinds.tolist(), strict=True)
    false = np.stack([STANDARD[names[kind]](window, history, rng) for window, history, kind in pairs])
    twins = Samples(
        honest.history[chosen], false, honest.moved[chosen], honest.beside_history[chosen],
        honest.beside_window[chosen],
    )  # fmt: skip
    label = np.array(["", *names])[np.concatenate((np.zeros(len(honest), np.int64), kinds + 1))]
    features = np.concatenate((describe(honest), describe(twins)))
    return Lessons(features, label, np.concatenate((cuts.member, cuts.member[chosen])))


def back_test(
    days: FloatArray,
    seeds: list[int],
    learner: Learner = boosted,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> list[Marks]:
    """Marks of the judge for each seed, on honest homes (members, days, 24); progress: homes done, and of how many."""
    taught = lessons(days, np.random.default_rng(TEACHING_SEED))
    trials = [trial(days, np.random.default_rng(seed)) for seed in seeds]
    known = [np.zeros(len(one)) for one in trials]
    unseen = [{name: np.full(len(one), np.nan) for name in STANDARD} for one in trials]
    for home in range(len(days)):
        others = taught.rows(taught.member != home)
        judges = {name: learn(others.rows(others.trick != name), learner) for name in STANDARD}
        judge = learn(others, learner)
        for one, scores, blind in zip(trials, known, unseen, strict=True):
            mine = one.member == home
            scores[mine] = judge.scores(one.features[mine])
            for name in STANDARD:
                some = mine & np.isin(one.trick, ("", name))
                blind[name][some] = judges[name].scores(one.features[some])
        progress(home + 1, len(days))
    return [marks(one, scores, blind) for one, scores, blind in zip(trials, known, unseen, strict=True)]


def marks(one: Lessons, known: FloatArray, unseen: dict[str, FloatArray] | None = None) -> Marks:
    """Marks from the scores of a trial; without others, the scores of a detector that learned no attack."""
    false = one.trick != ""
    limit = np.quantile(known[~false], 1 - FALSE_ALARMS)
    areas = {}
    for name in STANDARD:
        some = np.isin(one.trick, ("", name))
        scores = (known if unseen is None else unseen[name])[some]
        areas[name] = area(scores, false[some])
    return Marks(area(known, false), float((known[false] > limit).mean()), areas)


def baselines(days: FloatArray, seeds: list[int]) -> dict[str, list[Marks]]:
    """The same trials judged by the mean ratio alone, and by an isolation forest of other homes' honest windows.

    Liu, Ting, Zhou, "Isolation Forest", ICDM 2008, in the form of scikit-learn.
    """
    from sklearn.ensemble import IsolationForest

    taught = lessons(days, np.random.default_rng(TEACHING_SEED))
    honest = taught.rows(taught.trick == "")
    trials = [trial(days, np.random.default_rng(seed)) for seed in seeds]
    found = [np.zeros(len(one)) for one in trials]
    for home in range(len(days)):
        forest = IsolationForest(n_estimators=200, random_state=0).fit(honest.features[honest.member != home])
        for one, scores in zip(trials, found, strict=True):
            mine = one.member == home
            scores[mine] = -forest.score_samples(one.features[mine])
    return {
        "mean ratio": [marks(one, -one.features[:, 0]) for one in trials],
        "isolation forest": [marks(one, scores) for one, scores in zip(trials, found, strict=True)],
    }


def median_marks(found: list[Marks]) -> Marks:
    """The median of each figure over the seeds."""
    unseen = {name: float(np.median([one.unseen[name] for one in found])) for name in STANDARD}
    return Marks(float(np.median([one.area for one in found])), float(np.median([one.recall for one in found])), unseen)
