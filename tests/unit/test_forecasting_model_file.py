"""A trained model in a file: the same bytes, the same forecasts, and nothing else is accepted."""

import msgspec
import numpy as np
import pytest

from transactive.core.errors import DataError
from transactive.forecasting import registry
from transactive.forecasting.conformance import START, random_series
from transactive.forecasting.models import model_file
from transactive.forecasting.models.baselines import Empirical
from transactive.forecasting.models.model_file import Learnt, digest, opened, pack, restored
from transactive.forecasting.series import History


def history():
    return History(START, 3600, random_series(np.random.default_rng(1), 60 * 24, 24))


def learnt(forecaster):
    return Learnt(
        forecaster=forecaster, target="consumption", members=("a", "b"), slot_seconds=3600, horizon=24, since=START,
        until=START + 60 * 86_400, seed=1,
    )  # fmt: skip


def packed(name):
    recipe = registry.load(name)
    model = recipe.train(history(), 24, np.random.default_rng(1))
    return model, pack(model, recipe, learnt(name))


@pytest.mark.parametrize("name", ["regression", "linear", "empirical-14"])
def test_a_model_read_again_forecasts_the_same_to_the_last_bit(name):
    model, data = packed(name)
    stored = opened(data, digest(data), "one.json")
    again = restored(stored, "one.json")
    one, two = (m.predict(history(), 24) for m in (model, again))
    assert np.array_equal(one.values, two.values)
    assert np.array_equal(one.mean, two.mean)
    assert stored.learnt == learnt(name)


def test_the_same_history_and_seed_give_the_same_file():
    assert packed("regression")[1] == packed("regression")[1]


def test_one_changed_byte_is_refused_with_what_to_do():
    _, data = packed("regression")
    changed = bytearray(data)
    changed[len(changed) // 2] ^= 1
    with pytest.raises(DataError, match=r"model one\.json: its SHA-256 is .*the file was changed; put the original"):
        opened(bytes(changed), digest(data), "one.json")


def test_a_model_of_other_features_or_no_model_at_all_is_refused(monkeypatch):
    _, data = packed("regression")
    monkeypatch.setattr(model_file, "FORMAT", 2)
    with pytest.raises(DataError, match=r"has format 1 and features 1; this program reads 2 and 1: train anew"):
        opened(data, digest(data), "one.json")
    with pytest.raises(DataError, match="is no model file"):
        opened(b"{}", digest(b"{}"), "one.json")


def test_a_forecaster_that_cannot_write_its_models_has_no_file():
    class Secret:
        def train(self, history, horizon, random):
            return Empirical()

    with pytest.raises(DataError, match="cannot be written to a file; give them to_bytes"):
        pack(Empirical(), Secret(), learnt("secret"))


def test_a_file_of_a_forecaster_that_is_gone_names_the_known_ones():
    _, data = packed("empirical-14")
    other = data.replace(b'"empirical-14"', b'"chronos"')
    assert msgspec.json.decode(other)["learnt"]["forecaster"] == "chronos"
    with pytest.raises(Exception, match="'chronos' is not installed"):
        restored(opened(other, digest(other), "one.json"), "one.json")
