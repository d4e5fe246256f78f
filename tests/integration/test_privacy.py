"""What is known of a person: a copy of all of it, who looked, and an erasure after which no file holds the name."""

import io
import json
import zipfile
from contextlib import closing

import pytest

from tests.integration.samples import write_community
from tests.integration.test_accounts import SECURE, browser, join
from tests.integration.test_api import bearer
from tests.integration.test_member_acts_page import send, state
from tests.shared import made_once
from transactive.cli import main
from transactive.cli.token.actions import create_token
from transactive.config.setting import load_setting
from transactive.core.errors import InputError, StateError
from transactive.core.items import Item, ItemState
from transactive.core.slots import DAY
from transactive.engine.replay import replay, slots_from
from transactive.services.finding_notes import FindingNote, all_notes, say
from transactive.services.governing.log import DecidingAct, acts, add, blank_deciders
from transactive.services.privacy.copy_of_data import copy_of_data
from transactive.services.privacy.erasure import erase, still_named
from transactive.services.privacy.processing import PROCESSING
from transactive.services.states import backup
from transactive.store import Store
from transactive.store.files import copy_together
from transactive.store.read.items import read_items
from transactive.store.read.members import slots_of
from transactive.store.read.runs import Reader
from transactive.store.write.items import save_items
from transactive.store.write.retention import drop_before
from transactive.web.accounts import looks
from transactive.web.accounts.assistant_log import asked_by_assistants
from transactive.web.accounts.looks import EVERYBODY, looks_at, note_look
from transactive.web.privacy import routes
from transactive.web.privacy.kept import forget_kept, kept_of, people_of
from transactive.web.viewers import Viewer

__all__ = ["state"]
NAME = "Zoë Quillfeather"
NOW = 1_790_000_000


@pytest.fixture
def finished(tmp_path_factory):
    """A finished run in which home b has a name."""

    def make(folder):
        path = write_community(folder)
        text = path.read_text().replace('id = "b"', f'id = "b"\nname = "{NAME}"', 1)
        path.write_text(f'{text}\n[privacy]\nask = ["forecasts", "detection"]\n')
        setting = load_setting(path)
        replay(setting, slots_from(setting), folder / "state", seed="transactive")

    return made_once(tmp_path_factory, "named", make) / "state"


def everything(archive):
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        return json.loads(files.read("everything.json")), files.namelist()


def test_a_copy_holds_what_the_state_knows_of_a_home_and_nothing_of_another(finished):
    told, names = everything(copy_of_data(finished, "b", kept_of(finished, "b")))
    assert told["registration"]["name"] == NAME
    with closing(Store(finished)) as store:
        reader = Reader(store)
        run = reader.run()
        assert run is not None
        rows = slots_of(reader, 1, run.first_slot, run.last_slot)
    assert [row["import_wh"] for row in told["readings"]] == [row["import_wh"] for row in rows]
    assert told["postings"]
    assert all(1 in (row["payer"], row["payee"]) for row in told["postings"])
    assert {row["member"] for row in told["orders"]} == {1}
    assert {"read-me.txt", "readings.csv", "postings.csv", "orders.csv"} <= set(names)
    with pytest.raises(InputError, match="not in this community"):
        copy_of_data(finished, "nobody", {})


def test_looks_by_staff_are_shown_to_the_home_and_its_own_are_nobodys_affair(state):
    operator = create_token(state, "operator", None, "Back office")
    with browser(state, SECURE) as staff:
        for _ in range(2):  # stands once an hour
            staff.get("/member?member=b", headers=bearer(operator))
        staff.get("/api/v1/orders", headers=bearer(operator))
        staff.get("/api/v1/history", headers=bearer(operator))  # sums of all are no look at anybody
        staff.get("/member?member=c", headers=bearer(operator))
    with browser(state, SECURE) as home:
        join(home, state, "member", "b")
        home.get("/member")
        told = home.get("/api/v1/looks").json()["items"]
        page = home.get("/privacy").text
        assert home.get("/privacy?member=c").status_code == 403
        archive, _ = everything(home.get("/privacy/copy").content)
    assert [(look["place"], look["all_homes"]) for look in told] == [("/api/v1/orders", True), ("/member", False)]
    assert all(look["who"].startswith("Back office (") for look in told)
    assert "Back office" in page
    assert all(kind.name in page for kind in PROCESSING)
    assert [account["name"] for account in archive["accounts"]] == ["ada"]
    assert "password" not in json.dumps(archive["accounts"])


def test_every_page_on_which_staff_sees_homes_is_a_look(state):
    operator = create_token(state, "operator", None, "Back office")
    of_all = ["/", "/bills", "/api/v1/bills", "/api/v1/items", "/api/v1/members"]
    of_one = ["/privacy/copy?member=b", "/carbon?member=b", "/api/v1/acts?member=b"]
    with browser(state, SECURE) as staff:
        slot = staff.get("/api/v1/slots?limit=1", headers=bearer(operator)).json()["items"][0]["slot"]
        of_all.append(f"/slots/{slot}")
        for place in of_all + of_one:
            assert staff.get(place, headers=bearer(operator)).status_code == 200, place
    found = looks_at(state, "b")
    assert sorted(each.place for each in found if each.member == EVERYBODY) == sorted(of_all)
    assert sorted(each.place for each in found if each.member == "b") == sorted(
        place.partition("?")[0] for place in of_one
    )


def test_a_look_that_cannot_be_noted_shows_nothing_however_often_it_is_tried(state, monkeypatch):
    operator = create_token(state, "operator", None, "Back office")

    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(looks, "add_line", full)
    with browser(state, SECURE) as staff:
        tries = [staff.get("/member?member=b", headers=bearer(operator)).status_code for _ in range(2)]
    assert tries == [500, 500]


def test_one_copy_is_made_at_a_time(state):
    with browser(state, SECURE) as home:
        join(home, state, "member", "b")
        with routes._ROOM:
            assert home.get("/privacy/copy").status_code == 429
        assert home.get("/privacy/copy").status_code == 200


def test_looks_go_after_a_year_while_the_server_runs(tmp_path):
    staff, year = Viewer("operator", account="olga"), looks.KEPT_DAYS * DAY
    for at in (DAY, 2 * DAY, year + DAY):
        note_look(tmp_path, staff, "b", f"/member/{at}", at)
    assert [each.at for each in looks_at(tmp_path, "b")] == [year + DAY, 2 * DAY]


def test_a_copy_names_no_neighbour_by_its_certificates(finished):
    told, _ = everything(copy_of_data(finished, "b", {}))
    assert told["certificates"]
    assert {row["device"] // 2 for row in told["certificates"] if row["device"] is not None} <= {1}
    assert not {row["owner"] for row in told["certificates"]} & {0, 2}


def test_who_signed_in_for_a_decision_is_forgotten_and_the_ballot_stays(tmp_path):
    for member, by in ((1, "zoe"), (2, "zoe"), (1, "left before"), (0, "ana"), (1, "")):
        add(tmp_path, DecidingAct(member=member, proposal=0, asked="{}", at=1, by=by, signature="ab"))
    assert blank_deciders(tmp_path, 1, ["zoe"]) == 3
    assert [(each.member, each.by) for each in acts(tmp_path)] == [(1, ""), (2, ""), (1, ""), (0, "ana"), (1, "")]
    assert all(each.signature == "ab" for each in acts(tmp_path))


def test_after_an_erasure_no_file_holds_the_name_and_the_run_is_sound_and_verifies(finished, capsys):
    with browser(finished, SECURE) as home:
        join(home, finished, "member", "b", "quillfeather-z")
        token = create_token(finished, "member", "b", "my Quillfeather helper", 30, assistant=True)
        home.get("/api/v1/summary", headers=bearer(token))
    say(finished, FindingNote(1, "note", "quillfeather-z (b)", 1, text="we were away, Quillfeather"))
    before = kept_rows(finished)
    done = erase(finished, "b", people_of(finished, "b"), keep_years=10, now=NOW)
    assert forget_kept(finished, "b", 10**9) == 1
    assert done.notes == 1
    assert all_notes(finished)[1].said[0].text == "(erased)"
    community = finished.parent / "community.toml"
    assert set(still_named(finished, [NAME, "quillfeather", "Quillfeather"])) <= {str(community)}
    assert asked_by_assistants(finished) == []
    assert kept_rows(finished) == before
    with pytest.raises(SystemExit, match="0"):
        main(["state", "check", "--state", str(finished)])
    assert "Quillfeather" not in capsys.readouterr().out


@pytest.mark.parametrize("lost", [False, True])
def test_a_backup_from_before_an_erasure_brings_no_name_back(finished, tmp_path, lost, capsys):
    with browser(finished, SECURE) as home:
        join(home, finished, "member", "b", "quillfeather-z")
    say(finished, FindingNote(1, "note", "quillfeather-z (b)", 1, text="we were away, Quillfeather"))
    main_done("state", "backup", str(tmp_path / "backup"), "--state", str(finished))
    main_done("privacy", "erase", "b", "--state", str(finished), "--yes")
    assert "Quillfeather" not in (finished / "erased.jsonl").read_text()
    (finished.parent / "community.toml").unlink()
    target, words = finished, []
    if lost:
        target, words = tmp_path / "new", ["--erased", str(finished / "erased.jsonl")]
    else:
        with browser(finished, SECURE) as home:
            join(home, finished, "member", "b", "next tenant")
    main_done("state", "restore", str(tmp_path / "backup"), "--state", str(target), *words)
    assert "erased again, as they were erased since: 1 members" in capsys.readouterr().err
    assert list(still_named(target, [NAME, "quillfeather", "Quillfeather"])) == []
    assert people_of(target, "b") == ([] if lost else ["next tenant"])
    main_done("state", "check", "--state", str(target))
    main_done("state", "backup", str(tmp_path / "later"), "--state", str(target))
    main_done("state", "restore", str(tmp_path / "later"), "--state", str(target))
    assert "erased again" not in capsys.readouterr().err


def test_a_record_of_erasures_that_cannot_be_read_lets_no_backup_open(finished, tmp_path, capsys):
    main_done("state", "backup", str(tmp_path / "backup"), "--state", str(finished))
    before = (finished / "market.sqlite").stat().st_ino
    (finished / "erased.jsonl").write_text('{"at":1,"member":1,"keep_years":10}\n{"at":}\n')
    with pytest.raises(SystemExit, match="3"):
        main(["state", "restore", str(tmp_path / "backup"), "--state", str(finished)])
    assert "erased.jsonl line 2: is no erasure" in capsys.readouterr().err
    assert (finished / "market.sqlite").stat().st_ino == before


def test_a_home_agrees_and_complains_on_its_page_and_the_operator_answers(finished, capsys):
    operator = bearer(create_token(finished, "operator", None))
    with browser(finished, SECURE) as home:
        join(home, finished, "member", "b")
        assert "not agreed" in home.get("/privacy").text
        hidden = forecast_for(finished, operator)
        agree = {"purpose": "forecasts", "word": "agree"}
        assert home.post("/privacy/consents", data=agree, follow_redirects=False).status_code == 303
        assert (hidden, forecast_for(finished, operator)) == ({None}, {None, "b"})
        twice = home.post("/privacy/consents", data=agree)
        assert (twice.status_code, "how it stands already" in twice.text) == (400, True)
        home.post("/privacy/complaints", data={"text": "Read <twice>", "about": "1"})
        page = home.get("/privacy").text
        assert "Read &lt;twice&gt;" in page
        assert "to be answered by" in page
        answer = {"outcome": "upheld", "text": "Read anew."}
        assert home.post("/privacy/complaints/1", data=answer).status_code == 403
    with browser(finished, SECURE) as other:
        join(other, finished, "member", "c", "cleo")
        assert "Read &lt;twice&gt;" not in other.get("/privacy").text
        assert other.post("/privacy/complaints/1", data={"outcome": "withdrawn"}).status_code == 404
    with browser(finished, SECURE) as staff:
        answered = staff.post("/privacy/complaints/1", data=answer, headers=operator, follow_redirects=False)
        assert answered.status_code == 303
    main_done("privacy", "complaints", "--state", str(finished), "--json")
    (told,) = json.loads(capsys.readouterr().out)["complaints"]
    assert (told["member"], told["state"], told["answer"]) == ("b", "upheld", "Read anew.")
    copy, _ = everything(copy_of_data(finished, "b", {}))
    assert [(each["purpose"], each["given"], each["by"]) for each in copy["consents"]] == [("forecasts", True, "ada")]
    assert [each["text"] for each in copy["complaints"]] == ["Read <twice>", "Read anew."]
    main_done("privacy", "consent", "b", "forecasts", "--state", str(finished), "--withdraw")
    erase(finished, "b", ["ada"], keep_years=10, now=NOW)
    assert not list(still_named(finished, ["twice", "Read anew"]))


def forecast_for(folder, operator):
    """Whose forecasts the operator sees; None for all homes together."""
    with browser(folder, SECURE) as staff:
        return {each.get("member") for each in staff.get("/api/v1/forecasts", headers=operator).json()["items"]}


def test_a_run_from_which_old_forecasts_went_is_sound(finished, capsys):
    with closing(Store(finished)) as store:
        older = drop_before(store, "forecasts", 2**40, do=False)
        assert older > 0
        assert drop_before(store, "forecasts", 2**40, do=True) == older
        assert drop_before(store, "forecasts", 2**40, do=False) == 0
    main_done("state", "check", "--state", str(finished))
    capsys.readouterr()
    main_done("privacy", "retain", "--state", str(finished), "--json")
    assert json.loads(capsys.readouterr().out)["forecasts"] == "kept as long as the run"


def test_closed_findings_go_once_they_are_old_and_their_numbers_are_not_given_again(tmp_path):
    def item(number, state, changed):
        return Item(number, "theft", 1, 0, 1, 1, "", 1, 0, 0, state, changed)

    closed, opened = ItemState.CLOSED, ItemState.OPEN
    with closing(Store(tmp_path)) as store:
        save_items(store, [item(1, closed, 5), item(2, opened, 5), item(3, closed, 50), item(4, closed, 5)])
        assert drop_before(store, "findings", 10, do=True) == 1
        assert [each.number for each in read_items(store)] == [2, 3, 4]


def main_done(*words):
    with pytest.raises(SystemExit, match="0"):
        main(list(words))


def kept_rows(folder):
    with closing(Store(folder)) as store:
        reader = Reader(store)
        run = reader.run()
        assert run is not None
        return slots_of(reader, 1, run.first_slot, run.last_slot)


def test_who_still_trades_leaves_first_and_nothing_is_half_erased(state, capsys):
    with browser(state, SECURE) as home:
        join(home, state, "member", "b")
        assert send(home, kind="pause", until="").status_code == 303
    with pytest.raises(StateError, match="still trades"):
        erase(state, "b", ["ada"], keep_years=10, now=NOW)
    assert people_of(state, "b") == ["ada"]
    with pytest.raises(SystemExit):
        main(["privacy", "erase", "b", "--state", str(state), "--yes"])
    assert "leave first" in capsys.readouterr().err
    assert looks_at(state, "b") == []


def test_a_record_of_erasures_serves_where_an_older_backup_is_there_already(finished, tmp_path, capsys):
    with browser(finished, SECURE) as home:
        join(home, finished, "member", "b", "quillfeather-z")
    main_done("state", "backup", str(tmp_path / "backup"), "--state", str(finished))
    main_done("privacy", "erase", "b", "--state", str(finished), "--yes")
    assert "accounts.json" not in capsys.readouterr().out  # nothing is left to be changed by hand there
    target, record = tmp_path / "new", ["--erased", str(finished / "erased.jsonl")]
    main_done("state", "restore", str(tmp_path / "backup"), "--state", str(target))
    main_done("state", "restore", str(tmp_path / "backup"), "--state", str(target), *record)
    assert people_of(target, "b") == []
    assert list(still_named(target, [NAME, "quillfeather"])) == []


def test_what_is_erased_while_a_backup_is_made_is_erased_again_in_it(finished, tmp_path, monkeypatch):
    def copied(files, target):
        copy_together(files, target)
        erase(finished, "b", [], keep_years=10, now=NOW)

    monkeypatch.setattr(backup, "copy_together", copied)
    main_done("state", "backup", str(tmp_path / "backup"), "--state", str(finished))
    monkeypatch.undo()
    main_done("state", "restore", str(tmp_path / "backup"), "--state", str(finished))
    (finished.parent / "community.toml").unlink()
    assert list(still_named(finished, [NAME])) == []
