"""Readings that are still to come: settled alone, as traded, and by the difference once the file has them."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.conftest import call
from tests.integration.test_corrected_readings import BEGIN, HOUR, lines_in, summary_of
from tests.integration.test_going_on import COMMUNITY, run, statement_holds, write_readings
from transactive.core.postings import PostingKind
from transactive.core.tables import ReadingQuality
from transactive.store import Store
from transactive.store.corrections import settled_in, waiting

LATE = COMMUNITY.replace('readings = "readings.csv"', 'readings = "readings.csv"\ngaps = "late"')
MISSING = (60, 61, 62)


def without(folder: Path, member: str, hours: tuple[int, ...]) -> None:
    """Take a member's readings of some hours out of the file."""
    head, *rows = (folder / "readings.csv").read_text().splitlines()
    gone = {2 * hour + (member == "cara") for hour in hours}
    (folder / "readings.csv").write_text("\n".join([head, *(r for k, r in enumerate(rows) if k not in gone)]) + "\n")


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("late")
    (folder / "community.toml").write_text(LATE)
    write_readings(folder, 90)
    without(folder, "cara", MISSING)
    summary_of(run(folder))
    return folder


@pytest.fixture
def community(settled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(settled, tmp_path / "community"))


def bought_by_cara(store: Store, slot: int) -> int:
    """What a member bought in a slot [Wh]: it pays into escrow for that."""
    paid = store.postings(slot).only(PostingKind.BOUGHT)
    return int(paid.energy_wh[paid.payer == 1].sum())


def test_who_is_late_is_settled_as_traded_and_nothing_is_made_of_it(settled):
    with closing(Store(settled / "state")) as store:
        for hour in MISSING:
            slot = BEGIN + hour * HOUR
            readings = store.readings(slot, 2)
            assert readings.quality.tolist() == [ReadingQuality.METERED, ReadingQuality.AS_TRADED]
            assert (int(readings.import_wh[1]), int(readings.export_wh[1])) == (bought_by_cara(store, slot), 0)
    assert statement_holds(settled)
    again = run(settled)
    assert again.code == 0, again.err
    assert "finished already" in again.err
    assert "kept" not in again.err


def test_a_reading_that_comes_is_settled_as_a_difference_and_nobody_is_asked(community):
    write_readings(community, 92)
    summary_of(run(community))
    with closing(Store(community / "state")) as store:
        lines = lines_in(store, 90)
        assert lines.member.tolist() == [1] * 3
        assert [(at - BEGIN) // HOUR for at in lines.origin.tolist()] == list(MISSING)
        assert not waiting(store)
    assert statement_holds(community)
    assert call("state", "check", "--state", community / "state").code == 0


def test_what_is_still_missing_goes_on_missing_beside_more_readings(community):
    write_readings(community, 92)
    without(community, "cara", (61, *range(90, 92)))
    summary_of(run(community))
    with closing(Store(community / "state")) as store:
        assert [(at - BEGIN) // HOUR for at in lines_in(store, 90).origin.tolist()] == [60, 62]
        assert store.readings(BEGIN + 91 * HOUR, 2).quality[1] == ReadingQuality.AS_TRADED
    write_readings(community, 96)
    summary_of(run(community))
    with closing(Store(community / "state")) as store:
        assert [(at - BEGIN) // HOUR for at in lines_in(store, 92).origin.tolist()] == [61, 90, 91]
    assert statement_holds(community)


def test_a_slot_whose_reading_never_comes_closes_by_itself(tmp_path):
    (tmp_path / "community.toml").write_text(LATE.replace("gaps =", "close_days = 1\ngaps ="))
    write_readings(tmp_path, 90)
    without(tmp_path, "cara", MISSING)
    summary_of(run(tmp_path))
    with closing(Store(tmp_path / "state")) as store:
        closed = [line for slot in store.delivered(BEGIN, 2**62) if (line := settled_in(store, slot)) is not None]
        found = [(at - BEGIN) // HOUR for lines in closed for at in lines.origin.tolist()]
    assert found == list(MISSING)
    assert statement_holds(tmp_path)


def test_the_other_policies_are_as_they_were(tmp_path):
    (tmp_path / "community.toml").write_text(COMMUNITY)
    write_readings(tmp_path, 90)
    without(tmp_path, "cara", MISSING)
    refused = call("check", tmp_path / "community.toml")
    assert refused.code == 3
    assert 'gaps = "substitute" or "late"' in refused.err


@pytest.mark.long
def test_the_owner_of_a_battery_may_be_late_too(tmp_path):
    (tmp_path / "community.toml").write_text(LATE)
    noons = (60, 61, 84)
    write_readings(tmp_path, 90)
    without(tmp_path, "anna", noons)
    summary_of(run(tmp_path))
    with closing(Store(tmp_path / "state")) as store:
        for hour in noons:
            assert not len(store.certificates(BEGIN + hour * HOUR).energy_wh)
    write_readings(tmp_path, 96)
    summary_of(run(tmp_path))
    with closing(Store(tmp_path / "state")) as store:
        lines = lines_in(store, 90)
        assert [(at - BEGIN) // HOUR for at in lines.origin.tolist()] == list(noons)
        assert (lines.issued_wh > 0).all()
    assert statement_holds(tmp_path)
    assert call("state", "check", "--state", tmp_path / "state").code == 0
