"""Forecasts that others submit, in a run: heard by the pool, scored by meters, paid from what they saved."""

import json
from contextlib import closing

import numpy as np
import pytest

from tests.integration.samples import write_community
from transactive.config.setting import load_setting
from transactive.core.errors import ConfigError, DataError, StateError
from transactive.core.postings import PostingKind
from transactive.core.slots import time_text
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import slots_from
from transactive.engine.state_folder import claim
from transactive.store import Store
from transactive.store.model_records import POOLED, SUBMITTED
from transactive.store.read.models import said

FORECASTERS = """
[forecast]
model = "{model}"
maintain = "off"

[[forecasters]]
name = "knows"
account = "b"
file = "knows.csv"

[[forecasters]]
name = "guesses"
file = "guesses.csv"
"""
OUTSIDE = """
[[members]]
id = "o"
role = "forecaster"

[[forecasters]]
name = "club"
account = "o"
file = "club.csv"
"""
HEAD = "slot_start,q05_wh,q25_wh,q50_wh,q75_wh,q95_wh"
STEPS = (-60, -20, 0, 20, 60)


def community(folder, *, model="pool", outside=""):
    """A community with two who submit: one that knows what comes, of all but b's own meter, and one that does not."""
    path = write_community(folder)
    rows = {"knows": [HEAD], "guesses": [HEAD], "club": [HEAD]}
    setting = load_setting(path)
    for row, (used, made) in enumerate(
        zip(setting.measured.consumption_wh, setting.measured.generation_wh, strict=True)
    ):
        slot = time_text(setting.first_slot + 3600 * row)
        comes = int((used - made)[[0, 2]].sum())
        both = int((used - made).sum())
        rows["club"].append(",".join([slot, *(str(both + 5 * step) for step in STEPS)]))
        rows["knows"].append(",".join([slot, *(str(comes + step) for step in STEPS)]))
        rows["guesses"].append(",".join([slot, *(str(9_000 + step) for step in STEPS)]))
    for name, lines in rows.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    text = path.read_text().replace("[[members]]", FORECASTERS.format(model=model) + "\n[[members]]", 1)
    path.write_text(text + outside)
    return path


def run(path, store=None, after_slot=lambda _: None):
    setting = load_setting(path)
    books = []

    def each(book):
        books.append(book)
        after_slot(book)

    recorded_run(setting, slots_from(setting), store=store).run(each)
    return books


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    """Community file, state and books of a run whose pool hears them."""
    folder = tmp_path_factory.mktemp("heard")
    path = community(folder, outside=OUTSIDE)
    with closing(Store(folder / "state")) as store:
        yield path, store, run(path, store)


def test_who_knows_is_paid_at_the_end_of_a_period_from_the_community_account(heard):
    _, _, books = heard
    total = np.zeros(2, np.int64)
    for book in books:
        p = book.postings
        paid = p.kind == PostingKind.BONUS
        assert set(p.payee[paid].tolist()) <= {1, 3}  # b for its own, and the account of the club
        assert set(p.payer[paid].tolist()) <= {6}
        assert p.net_n(11).sum() == 0
        assert not paid.any() or book.slot // 3600 % 24 == 23
        total += p.net_n(11)[[1, 3]] * paid.any()
        others = p.other_than(PostingKind.BONUS)
        assert 3 not in {*others.payee.tolist(), *others.payer.tolist()}  # no charge, no dividend
        assert book.readings.import_wh[3] == book.readings.export_wh[3] == 0
        assert not (book.orders.member == 3).any()
    assert total[1] > 0


def test_what_is_said_of_a_slot_is_kept_with_it_and_the_pool_is_nearer(heard):
    _, store, books = heard
    rows = said(store, books[0].slot, books[-1].slot)
    assert {row.target for row in rows if row.target.startswith(POOLED)} == {
        POOLED, SUBMITTED + "knows", SUBMITTED + "guesses", SUBMITTED + "club",
    }  # fmt: skip
    pooled = {row.slot: row.figures for row in rows if row.target == POOLED}
    late = [(book.slot, int((book.readings.consumption_wh - book.readings.generation_wh).sum())) for book in books[28:]]
    made, own = (sum(abs(int(pooled[slot][row, 2]) - came) for slot, came in late) for row in (0, 1))
    assert made < own


def test_a_run_that_is_interrupted_goes_on_with_what_it_had_learnt(heard, tmp_path):
    path, _, books = heard

    class Stop(Exception):
        pass

    def stop(book):
        if book.slot == books[30].slot:
            raise Stop

    with closing(Store(tmp_path / "state")) as store:
        with pytest.raises(Stop):
            run(path, store, stop)
        again = run(path, store)
    assert [book.digest() for book in again] == [book.digest() for book in books[31:]]


def test_without_the_pool_they_are_scored_and_nothing_else_changes(tmp_path):
    listened = run(community(tmp_path, model="empirical"))
    (tmp_path / "alone").mkdir()
    alone = run(write_community(tmp_path / "alone"))
    assert [book.digest() for book in listened] == [book.digest() for book in alone]


def test_faults_of_files_are_named(tmp_path):
    path = community(tmp_path)
    (tmp_path / "knows.csv").write_text(f"{HEAD}\n2017-06-05T00:00Z,5,4,3,2,1\n")
    with pytest.raises(DataError, match=r"knows.csv: slot_start 2017-06-05T00:00Z: .* do not fall"):
        load_setting(path)
    (tmp_path / "knows.csv").write_text(f"{HEAD}\n2017-06-05T00:00Z,1,2,3,4,{2**62}\n")
    with pytest.raises(DataError, match=r"knows.csv: slot_start 2017-06-05T00:00Z: quantiles are at most"):
        load_setting(path)
    text = path.read_text()
    path.write_text(text.replace('account = "b"', 'account = "z"'))
    with pytest.raises(ConfigError, match=r"forecasters.account 'z' is no member"):
        load_setting(path)
    path.write_text(text + OUTSIDE.replace('"forecaster"', '"forecaster"\npv_w = 3_000'))
    with pytest.raises(ConfigError, match="o: pv_w is of a home"):
        load_setting(path)
    path.write_text(text.replace('name = "guesses"', 'name = "knows"'))
    with pytest.raises(ConfigError, match="is there twice"):
        load_setting(path)


def test_who_forecasts_may_be_added_to_a_run_that_goes_on_and_not_changed(tmp_path):
    path = community(tmp_path)
    setting = load_setting(path)
    slots = slots_from(setting)
    more = '\n[[forecasters]]\nname = "{name}"\n{rest}'
    with closing(Store(tmp_path / "state")) as store:
        claim(store, setting, slots, "s", None)
        text = path.read_text()
        path.write_text(text + more.format(name="later", rest=""))
        claim(store, load_setting(path), slots, "s", None)
        kept = json.loads(store.setting("community") or "")["forecasters"]
        assert [each["name"] for each in kept] == ["knows", "guesses", "later"]
        for wrong in (
            text + more.format(name="another", rest=""),
            text.replace('account = "b"', 'account = "c"') + more.format(name="later", rest=""),
            text + more.format(name="later", rest='file = "guesses.csv"'),
        ):
            path.write_text(wrong)
            with pytest.raises(StateError, match=r"was made with .*forecasters"):
                claim(store, load_setting(path), slots, "s", None)
