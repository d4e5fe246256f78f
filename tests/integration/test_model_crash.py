"""A model file that takes a native parser down is a refused model, and the program that wanted it goes on."""

import time

import msgspec
import numpy as np
import pytest

from transactive.core.errors import DataError, StateError
from transactive.engine.models import trial_reading
from transactive.engine.models.model_files import ModelFiles
from transactive.engine.models.trial_reading import try_reading
from transactive.forecasting import registry
from transactive.forecasting.conformance import START, random_series
from transactive.forecasting.models.boosted import BoostedFile
from transactive.forecasting.models.model_file import Learnt, ModelFile, digest, pack
from transactive.forecasting.series import History
from transactive.store.model_records import ModelRecord


def learnt(forecaster):
    return Learnt(
        forecaster=forecaster, target="consumption", members=("a", "b"), slot_seconds=3600, horizon=2, since=START,
        until=START + 40 * 86_400, seed=1,
    )  # fmt: skip


@pytest.fixture(scope="module")
def file():
    """A model of LightGBM as its file."""
    recipe = registry.load("boosted")
    history = History(START, 3600, random_series(np.random.default_rng(1), 40 * 24, 24))
    model = recipe.train(history, 2, np.random.default_rng(1))
    return msgspec.json.decode(pack(model, recipe, learnt("boosted")), type=ModelFile)


def changed(file, change):
    """The same file with one tree's text changed."""
    content = msgspec.json.decode(file.content, type=BoostedFile)
    before = content.bags[0][0]
    content.bags[0][0] = change(before)
    assert content.bags[0][0] != before
    return msgspec.json.encode(msgspec.structs.replace(file, content=msgspec.json.encode(content)))


def kept(folder, data):
    """A record with the digest of these bytes, as whoever changed the database too would have it, and the files."""
    record = ModelRecord(
        number=1, target="consumption", status="champion", made_at=0, hash=digest(data), program="", features=1,
        learnt=learnt("boosted"),
    )  # fmt: skip
    (folder / record.file).write_bytes(data)
    return ModelFiles(folder), record


def numbers(key, value):
    """A change of all numbers of a key of each tree."""

    def change(text):
        lines = text.split("\n")
        return "\n".join(
            f"{key}=" + " ".join([value] * len(x.split())) if x.startswith(f"{key}=") else x for x in lines
        )

    return change


def test_a_model_is_read_after_a_child_has_read_it_and_only_once(file, tmp_path):
    files, record = kept(tmp_path, msgspec.json.encode(file))
    model = files.load(record)
    begun = time.process_time()
    assert files.load(record) is model
    assert time.process_time() - begun < 0.1


@pytest.mark.parametrize(
    "change",
    [numbers("left_child", "100000000"), numbers("split_feature", "90000000")],
    ids=["children far beyond the tree", "features far beyond the table"],
)
def test_a_file_that_crashes_or_hangs_the_parser_is_refused(file, tmp_path, change):
    files, record = kept(tmp_path, changed(file, change))
    with pytest.raises(StateError, match=r"ended the process that read it first \(SIG.*roll back to another model"):
        files.load(record)


def test_memory_and_time_have_limits(file, monkeypatch):
    data = msgspec.json.encode(file)
    monkeypatch.setattr(trial_reading, "PATIENCE", 0.01)
    with pytest.raises(DataError, match=r"was not read within 0\.01 s"):
        try_reading(data, "one.json")


def test_a_file_that_its_forecaster_refuses_says_why(file):
    other = msgspec.json.encode(file).replace(b'"boosted"', b'"chronos"')
    with pytest.raises(DataError, match="'chronos' is not installed"):
        try_reading(other, "one.json")
