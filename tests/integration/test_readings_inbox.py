"""Readings that somebody brings: looked at, accepted whole or not at all, and settled by the next run."""

from __future__ import annotations

import io
import json
import os
import struct
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from tests.integration.test_going_on import COMMUNITY, FIRST, run, write_readings
from transactive.config.setting import load_setting
from transactive.core.errors import DataError, InputError
from transactive.core.slots import DAY
from transactive.metering.accepted import accepted_files, accepted_folder
from transactive.metering.exports.profile import Told
from transactive.services.readings import limits
from transactive.services.readings.inbox import FOLDER, NOTE, WAITING, ReadingsInbox, community_file, note_community
from transactive.services.readings.limits import MOST_BYTES
from transactive.services.readings.said import Said
from transactive.store import FILE

T = TypeVar("T")
NOW = 1_800_000_000


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "community.toml").write_text(COMMUNITY)
    write_readings(tmp_path, 96)
    (tmp_path / "community.state").mkdir()
    return tmp_path


def day_more(place: Path, hours: int = 120, *, corrected: int | None = None) -> bytes:
    """The community's readings of so many hours, as a utility would send them: local time, and another head."""
    whole = (place / "readings.csv").read_text()
    write_readings(place, hours, corrected=corrected)
    text = (place / "readings.csv").read_text()
    (place / "readings.csv").write_text(whole)
    return text.encode()


def inbox(place: Path) -> ReadingsInbox:
    return ReadingsInbox(place / "community.state")


def there(part: T | None) -> T:
    """What must be there."""
    assert part is not None
    return part


def test_a_file_is_told_charted_and_weighed_before_it_counts(place):
    before = load_setting(place / "community.toml")
    look = inbox(place).bring({"C:\\odd/../day.csv": day_more(place)}, Said())
    assert look.question is None
    assert look.refused == ""
    assert look.name == "day.csv"
    assert there(look.belief).meters == ("anna", "cara")
    assert there(look.days).days == [(FIRST + timedelta(days=k)).date() for k in range(5)]
    assert (there(look.effect).added, there(look.effect).changed) == (24 * 2, 0)
    assert load_setting(place / "community.toml").readings_digest == before.readings_digest
    assert not accepted_folder(place / "community.toml").exists()


def test_what_was_accepted_is_read_after_the_communitys_own_file(place):
    box = inbox(place)
    look = box.bring({"day.csv": day_more(place, corrected=90)}, Said())
    assert (there(look.effect).added, there(look.effect).changed) == (48, 1)
    assert box.accept(look.token, Said(), NOW) == look.effect
    setting = load_setting(place / "community.toml")
    assert len(setting.measured.consumption_wh) == 120
    write_readings(place, 120, corrected=90)
    accepted_folder(place / "community.toml").rename(place / "away")
    assert load_setting(place / "community.toml").readings_digest == setting.readings_digest
    with pytest.raises(InputError, match="wait no longer"):
        box.accept(look.token, Said(), NOW)


@pytest.mark.long
def test_a_run_goes_on_over_what_was_accepted(place):
    assert json.loads(run(place, "community.state").out)["slots"] == 48
    box = inbox(place)
    box.accept(box.bring({"day.csv": day_more(place)}, Said()).token, Said(), NOW)
    done = run(place, "community.state")
    assert done.code == 0, done.err
    assert json.loads(done.out)["slots"] == 72


def test_what_a_run_would_refuse_is_refused_in_the_same_words_and_nothing_is_written(place):
    box, file = inbox(place), day_more(place)
    for wrong, words in (
        (file.replace(b"cara", b"carla"), "member = 'carla' is not in the community; did you mean cara"),
        (b"\n".join(file.split(b"\n")[:-2]) + b"\n", "no reading of cara at 2024-06-05T23:00Z"),
        (file.replace(b",anna,300,0\n", b",anna,300.5,0\n", 1), "not a whole number of Wh"),
        (b"", "is empty"),
        (b"\x00\x01\x02", "day.csv"),
    ):
        look = box.bring({"day.csv": wrong}, Said())
        told = look.refused or there(look.question).text
        assert words in told
        with pytest.raises(InputError) as refused:
            box.accept(look.token, Said(), NOW)
        assert str(refused.value).splitlines()[0] == told.splitlines()[0]
    assert not accepted_folder(place / "community.toml").exists()
    same = box.bring({"same.csv": (place / "readings.csv").read_bytes()}, Said())
    with pytest.raises(InputError, match="there already"):
        box.accept(same.token, Said(), NOW)


def test_what_a_file_does_not_tell_is_asked_and_then_kept_in_its_profile(place):
    file = day_more(place).replace(b"+00:00", b"").replace(b"T", b" ")
    box = inbox(place)
    look = box.bring({"day.csv": file}, Said())
    assert there(look.question).option == "zone"
    with pytest.raises(DataError):
        box.accept(look.token, Said(), NOW)
    said = Said(told=Told(zone="UTC"))
    assert there(box.look(look.token, said).effect).added == 48
    box.accept(look.token, said, NOW)
    (kept,) = accepted_files(place / "community.toml")
    assert 'zone = "UTC"' in kept.with_suffix(".profile.toml").read_text()


def test_a_file_a_meter_is_brought_together(place):
    head, *rows = day_more(place).decode().splitlines()
    files = {
        f"{name}.csv": "\n".join([head.replace("member,", ""), *(r.replace(f"{name},", "") for r in rows if name in r)])
        for name in ("anna", "cara")
    }
    look = inbox(place).bring({name: text.encode() for name, text in files.items()}, Said())
    assert look.refused == ""
    assert (look.name, there(look.effect).added) == ("anna.csv and 1 more", 48)


def test_nothing_of_the_machine_is_read_and_nothing_too_large(place):
    box = inbox(place)
    for profile in ("../../../etc/passwd", "/etc/passwd", "..", "x" * 500):
        with pytest.raises(InputError):
            box.bring({"day.csv": b"a,b"}, Said(profile))
    with pytest.raises(InputError, match="64 MB"):
        box.bring({"day.csv": bytes(MOST_BYTES + 1)}, Said())
    for token in ("..", "a" * 31, "a" * 32, "../community.toml"):
        with pytest.raises(InputError, match="wait no longer"):
            box.look(token, Said())


def test_few_files_wait(place):
    box = inbox(place)
    tokens = [box.bring({"day.csv": f"a,b\n{k},{k}".encode()}, Said()).token for k in range(WAITING + 3)]
    assert len([path for path in (place / "community.state" / FOLDER).iterdir() if path.name in tokens]) == WAITING


def test_a_workbook_is_counted_as_it_unpacks_and_not_as_it_says(place, monkeypatch):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/worksheets/sheet1.xml", bytes(10_000))
    data = bytearray(made.getvalue())
    struct.pack_into("<I", data, data.rfind(b"PK\x01\x02") + 24, 1)  # the size in the list of its parts
    monkeypatch.setattr(limits, "MOST_UNPACKED", 5_000)
    with pytest.raises(InputError, match="unpacks to too much"):
        inbox(place).bring({"day.xlsx": bytes(data)}, Said())


def test_the_same_file_twice_at_once_and_what_a_killed_process_left(place):
    box, folder = inbox(place), place / "community.state" / FOLDER
    with ThreadPoolExecutor(4) as pool:
        looks = list(pool.map(lambda _: box.bring({"day.csv": b"a,b\n1,1"}, Said()), range(8)))
    assert len({look.token for look in looks}) == 1
    (folder / ".cut-off").mkdir()
    os.utime(folder / ".cut-off", (NOW - 2 * DAY, NOW - 2 * DAY))
    token = box.bring({"𠀀" * 80 + ".csv": b"a,b\n2,2"}, Said()).token
    os.utime(folder / token, (NOW, NOW))
    box.bring({"day.csv": b"a,b\n3,3"}, Said())
    assert not (folder / ".cut-off").exists()


def test_no_file_is_lost_behind_another_of_its_name(place):
    with pytest.raises(InputError, match="same name"):
        inbox(place).bring({"north/day.csv": b"a,b\n1,1", "south/day.csv": b"a,b\n2,2"}, Said())


def test_what_is_accepted_later_goes_before_also_by_a_clock_that_was_set_back(place):
    box = inbox(place)
    for now, corrected in ((NOW, None), (NOW, 90), (NOW - DAY, 91)):
        look = box.bring({"day.csv": day_more(place, corrected=corrected)}, Said())
        assert there(look.effect).added + there(look.effect).changed > 0
        box.accept(look.token, Said(), now)
        same = box.bring({"day.csv": day_more(place, corrected=corrected)}, Said())
        assert (there(same.effect).added, there(same.effect).changed) == (0, 0)


def test_a_state_elsewhere_knows_its_community_by_a_note(place):
    done = run(place, "elsewhere")
    assert done.code == 0, done.err
    assert (place / "elsewhere" / NOTE).read_text() == str(place / "community.toml")
    assert ReadingsInbox(place / "elsewhere").community == place / "community.toml"
    (place / "elsewhere" / NOTE).unlink()
    look = ReadingsInbox(place / "elsewhere").bring({"day.csv": day_more(place)}, Said())
    assert "its community file is not known here" in look.refused


def test_a_folder_that_invitations_made_is_noted_too_and_one_with_a_run_keeps_its_note(tmp_path):
    state, file = tmp_path / "market", tmp_path / "community.toml"
    file.write_text("")
    state.mkdir()
    note_community(state, file)
    assert community_file(state) == file
    (state / FILE).touch()
    note_community(state, tmp_path / "another.toml")
    assert community_file(state) == file
