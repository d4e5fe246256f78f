"""`transactive models`: a registry filled, looked at, changed and undone, with clear words when something is wrong."""

import json

import pytest

from tests.integration.conftest import call

MAY, JUNE = "2017-05-01T00:00Z", "2017-06-01T00:00Z"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("registry")
    called = call("models", "train", "demo", "--models", folder, "--until", MAY, "--json")
    assert called.code == 0, called.err
    trained = json.loads(called.out)
    assert trained["test"]["won"] is True
    assert trained["test"]["pinball"] < trained["test"]["against_pinball"]
    assert trained["learnt_until"] < "2017-04-04"
    return folder


def ask(*words):
    called = call("models", *words, "--json")
    assert called.code == 0, called.err
    return json.loads(called.out)


def refused(*words):
    called = call("models", *words)
    assert called.out == ""
    return called.code, called.err


def test_a_candidate_is_listed_shown_tested_promoted_and_rolled_back(folder):
    assert ask("list", "--state", folder)["in_charge"]["consumption"] == "empirical"
    assert ask("show", "1", "--state", folder)["hash_holds"] is True
    tested = ask("test", "1", "demo", "--models", folder, "--until", JUNE)
    assert tested["days"] == 28
    assert tested["against"] == "empirical"
    promoted = ask("promote", "1", "--state", folder)
    assert (promoted["kind"], promoted["by"]) == ("promoted", "person")
    assert ask("list", "--state", folder)["in_charge"]["consumption"] == "regression no. 1"
    assert "is the active model of consumption already" in refused("promote", "1", "--state", folder)[1]
    back = ask("rollback", "consumption", "--state", folder)
    assert back["text"] == "from regression no. 1 to empirical, by hand"
    listed = ask("list", "--state", folder)
    assert listed["in_charge"]["consumption"] == "empirical"
    assert listed["models"][0]["status"] == "retired"
    assert ask(*back["undo"].split()[2:5], "--state", folder)["kind"] == "promoted"
    monitored = ask("monitor", "--state", folder, "--target", "consumption")
    assert list(monitored["targets"]) == ["consumption"]
    assert [event["kind"] for event in monitored["events"]] == ["trained", "promoted", "rolled back", "promoted"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "9"), "model 9: is not in this registry; known: 1"),
        (("rollback", "wind"), "target 'wind': is not forecast here; known: "),
        (("rollback", "price"), "target 'price': empirical quantiles are active; there is nothing to roll back"),
        (("train", "demo", "--target", "wind"), "target 'wind': is not forecast here; known: consumption, generation"),
        (("train", "demo", "--forecaster", "chronos"), "forecaster 'chronos' is not installed"),
        (("train", "demo", "--until", "2016-08-20T00:00Z"), "consumption: too little is known by 2016-08-20T00:00Z"),
        (("test", "1", "demo", "--until", "2017-04-20T00:00Z"), "model 1: has learnt from readings up to 2017-04-02"),
        (("test", "1", "demo", "--days", "2"), "--days 2: give 7 or more"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(folder, words, said):
    code, error = refused(*words, "--state", folder)
    assert code == 3
    assert said in error
    assert error.count("\n") == 1


def test_a_folder_without_models_is_refused_and_not_made(tmp_path):
    code, error = refused("list", "--state", tmp_path / "nowhere")
    assert code == 4
    assert "holds no models" in error
    assert not (tmp_path / "nowhere").exists()


def test_a_loser_is_promoted_only_by_force(folder):
    lost = ask("train", "demo", "--models", folder, "--target", "generation", "--until", MAY)
    assert lost["test"]["won"] is False
    number = str(lost["number"])
    code, error = refused("promote", number, "--state", folder)
    assert code == 3
    assert "has not won its test" in error
    forced = ask("promote", number, "--force", "--state", folder)
    assert "forced" in forced["text"]
    assert ask("rollback", "generation", "--state", folder)["model"] is None


def test_a_changed_file_is_neither_shown_nor_promoted(folder):
    path = next((folder / "models").glob("consumption-0001-*.json"))
    data = path.read_bytes()
    path.write_bytes(data[:-9] + b"0" + data[-8:])
    try:
        for words in (("show", "1"), ("test", "1", "demo", "--until", JUNE)):
            code, error = refused(*words, "--state", folder)
            assert code == 4
            assert "the file was changed" in error
    finally:
        path.write_bytes(data)
    assert ask("show", "1", "--state", folder)["hash_holds"] is True
