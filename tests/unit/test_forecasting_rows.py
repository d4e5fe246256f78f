"""Rows to learn from: the features of serving, of as many members as are needed."""

import numpy as np
import pytest

from transactive.core.errors import DataError
from transactive.forecasting.clock import on_clock
from transactive.forecasting.conformance import START, random_series
from transactive.forecasting.models.features import features
from transactive.forecasting.models.training_rows import FEW, rows_of
from transactive.forecasting.series import History


def history(members=40, days=50):
    draw = np.random.default_rng(1)
    pairs = [random_series(draw, days * 24, 24) for _ in range(members // 2)]
    return History(START, 3600, np.concatenate(pairs, axis=1))


def test_features_of_some_members_are_those_among_all():
    known, chosen = history(), np.array([3, 17, 39])
    series = on_clock(known)
    every, some = (features(known, series, 960, np.arange(24), members) for members in (None, chosen))
    assert np.allclose(every.table[:, chosen], some.table, rtol=1e-12, atol=1e-12)  # sums in another order
    assert np.array_equal(every.scale[chosen], some.scale)


@pytest.mark.parametrize("most", [500, 5000])
def test_about_as_many_rows_are_learnt_from_as_were_asked_for(most):
    rows = rows_of(history(), 24, most, np.random.default_rng(2))
    possible = 40 * 24 * (50 - 28)
    assert (most / possible < FEW) == (most == 500)
    assert abs(len(rows.target) - most) < 5 * most**0.5
    assert rows.weight.mean() == pytest.approx(1)


def test_too_short_a_history_is_refused_with_what_is_needed():
    with pytest.raises(DataError, match="learning needs 35 days"):
        rows_of(history(days=30), 24, 500, np.random.default_rng(1))
