"""Members join a community that settles in groups, and one that needs groups from then on: all accounts move."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.conftest import call
from tests.integration.test_going_on import COMMUNITY, run, write_readings
from tests.integration.test_joining import DORA, Stop, append_dora
from transactive.chain.deployments import deployment
from transactive.chain.deployments.deployment import FILE, load
from transactive.store import Store

GROUPED = COMMUNITY.replace("\n[data]\n", "\n[chain]\nmembers_per_group = {}\n\n[data]\n", 1)


@pytest.fixture(
    scope="module", params=[pytest.param(1, marks=pytest.mark.long, id="groups"), pytest.param(2, id="one settlement")]
)
def joined(request, tmp_path_factory) -> Path:
    """Two members, in a group each or in one settlement, and dora joins within a day."""
    folder: Path = tmp_path_factory.mktemp("joined-groups")
    community = GROUPED.format(request.param)
    steps = (community, 76, 76), (community + DORA.replace("04T18", "04T04"), 85, 76)
    for text, hours, first in steps:
        (folder / "community.toml").write_text(text)
        write_readings(folder, hours)
        append_dora(folder, first, hours)
        done = run(folder)
        assert done.code == 0, done.err
        if text == community:
            shutil.copytree(folder / "state", folder / "before")
    (folder / "summary.json").write_text(done.out)
    return folder


def test_books_balance_and_equal_the_chain_of_all_groups(joined):
    summary = json.loads((joined / "summary.json").read_text())
    assert summary["ledger_equals_chain"]
    assert int(summary["money_residual_n"]) == int(summary["energy_residual_wh"]) == 0
    groups = [group.members for group in load(joined / "state" / FILE).groups]
    assert groups in ([1, 1, 1], [1, 2])


@pytest.mark.parametrize(("member", "span"), [("dora", ()), ("cara", ()), ("cara", ("--to", "2024-06-04T04:00Z"))])
def test_statements_of_before_and_after_verify(joined, tmp_path, member, span):
    file = tmp_path / "statement.json"
    made = call("statement", "--state", joined / "state", "--member", member, *span, "-o", file)
    assert made.code == 0, made.err
    checked = call("verify", file, "--state", joined / "state")
    assert checked.code == 0, checked.out + checked.err


def test_a_chain_of_before_is_brought_level_block_by_block(joined, tmp_path):
    shutil.copytree(joined, tmp_path / "copy")
    for file in (tmp_path / "copy" / "state").glob("chain.sqlite*"):
        file.unlink()
    again = run(tmp_path / "copy")
    assert again.code == 0, again.err
    said = json.loads((joined / "summary.json").read_text())
    assert json.loads(again.out)["state_hash"] == said["state_hash"]


def test_a_leaf_of_before_is_proved_in_the_contracts_of_then(joined, tmp_path):
    with closing(Store(joined / "state")) as store:
        rosters = store.rosters
    for slot, place in (("2024-06-03T12:00Z", 0), ("2024-06-04T12:00Z", 1)):
        path = tmp_path / f"{place}.json"
        where = ("--state", joined / "state", "--member", "cara", "--slot", slot, "-o", path, "--json")
        done = call("chain", "prove", *where)
        assert done.code == 0, done.err
        checked = call("chain", "challenge", path, "--node", f"embedded:{joined / 'state'}", "--json")
        assert checked.code == 0, checked.err
    assert [len(roster.certificates.split()) for roster in rosters] in ([2, 3], [1, 2])


def test_a_run_in_groups_moves_to_newer_contracts(joined, tmp_path, monkeypatch):
    state = shutil.copytree(joined / "state", tmp_path / "state")
    for name in ("community.toml", "readings.csv"):
        shutil.copy(joined / name, tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(deployment, "is_todays", lambda *_: False)
        done = call("chain", "upgrade", tmp_path / "community.toml", "--node", f"embedded:{state}", "--json")
    assert done.code == 0, done.err
    write_readings(tmp_path, 87)
    append_dora(tmp_path, 76, 87)
    further = run(tmp_path)
    assert further.code == 0, further.err
    assert json.loads(further.out)["ledger_equals_chain"]
    with closing(Store(state)) as store:
        assert len({roster.settlement for roster in store.rosters}) == 3


@pytest.mark.long
@pytest.mark.parametrize(
    "stage", ["transactive.store.Store.take_up", "transactive.chain.deployments.deployment.Deployment.save"]
)
def test_interrupted_while_accounts_move_it_ends_as_undisturbed(joined, tmp_path, monkeypatch, stage):
    def stop(*_: object, **__: object) -> None:
        raise Stop

    for name in ("community.toml", "readings.csv"):
        shutil.copy(joined / name, tmp_path)
    shutil.copytree(joined / "before", tmp_path / "state")
    with monkeypatch.context() as patched:
        patched.setattr(stage, stop)
        with pytest.raises(Stop):
            run(tmp_path)
    done = run(tmp_path)
    assert done.code == 0, done.err
    said = json.loads((joined / "summary.json").read_text())
    assert json.loads(done.out)["state_hash"] == said["state_hash"]
