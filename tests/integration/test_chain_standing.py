"""Chain and database of a state that come from different moments: made level again block by block, or refused."""

import shutil
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.conftest import call
from tests.integration.samples import write_community
from transactive.chain.history import opening
from transactive.chain.keys.keys import DemoKeys
from transactive.chain.ledgers.settlement import ChainLedger
from transactive.chain.nodes.client import ChainClient
from transactive.config.setting import Setting, load_setting
from transactive.core.errors import StateError
from transactive.core.slot_book import SlotBook
from transactive.core.slots import time_text
from transactive.engine.replay import replay, slots_from
from transactive.store import Store, files

FILES = ("market.sqlite", "chain.sqlite")
SEED = "transactive"


class Stop(Exception):
    """An interruption that a test makes."""


@dataclass(frozen=True)
class Moments:
    """Both files as they were after each slot of a run, and how it ended."""

    community: Path
    setting: Setting
    slots: range
    folder: Path
    state_hash: str

    def state(self, folder: Path, database: int, chain: int) -> Path:
        """A state folder with the database of one moment and the chain of another."""
        folder.mkdir()
        for file, moment in zip(FILES, (database, chain), strict=True):
            shutil.copy(self.folder / f"{moment}-{file}", folder / file)
        return folder

    def go_on(self, state: Path) -> tuple[int, str, bool]:
        """Run on a state: exit code, what was said, whether it ended as the undisturbed run."""
        called = call("run", self.community, "--no-page", "--json", "--state", state)
        return called.code, called.err, self.state_hash in called.out


@pytest.fixture(scope="module")
def moments(tmp_path_factory) -> Moments:
    folder = tmp_path_factory.mktemp("moments")
    community, state = write_community(folder, whole_period=True), folder / "state"
    setting = load_setting(community)
    slots, after = slots_from(setting), iter(range(10_000))

    def keep(_: SlotBook) -> None:
        moment = next(after)
        for file in FILES:
            files.copy(state / file, folder / f"{moment}-{file}")

    outcome, _ = replay(setting, slots, state, seed=SEED, after_slot=keep)
    return Moments(community, setting, slots, folder, outcome.summary.state_hash)


def contents(state: Path) -> dict[str, bytes]:
    """What is in the databases of a folder."""
    return {name: (state / name).read_bytes() for name in FILES if (state / name).exists()}


# a period ends with place 22: the run begins an hour into its first day
@pytest.mark.parametrize(
    ("database", "chain"),
    [
        (23, 21),
        *(
            pytest.param(*both, marks=pytest.mark.long)
            for both in [(15, 14), (15, 13), (20, 15), (22, 21), (26, 21), (40, 10)]
        ),
    ],
)
def test_an_older_chain_is_made_again_block_by_block(moments, tmp_path, database, chain):
    state = moments.state(tmp_path / "state", database, chain)
    code, said, same = moments.go_on(state)
    assert (code, same) == (0, True), said
    first, last = (time_text(moments.slots[place]) for place in (chain + 1, database))
    assert (first in said, last in said, "put there again" in said) == (True, True, True)
    assert sorted(path.name for path in state.glob("*rehearsal*")) == []


@pytest.mark.long
def test_a_lost_chain_is_made_again_from_its_first_block(moments, tmp_path):
    state = moments.state(tmp_path / "state", 30, 30)
    (state / "chain.sqlite").unlink()
    assert moments.go_on(state)[::2] == (0, True)


def test_a_finished_run_whose_chain_lost_its_end_gets_it_back(moments, tmp_path):
    state = shutil.copytree(moments.folder / "state", tmp_path / "state")
    shutil.copy(moments.folder / f"{len(moments.slots) - 1}-chain.sqlite", state / "chain.sqlite")
    code, said, same = moments.go_on(state)
    assert (code, same) == (0, True), said
    assert "lacks the last blocks" in said
    assert "lacks" not in moments.go_on(state)[1]


@pytest.mark.parametrize(("database", "chain"), [(15, 16), (15, 20), (22, 25), (10, 40)])
def test_a_chain_that_is_ahead_is_refused_and_nothing_changes(moments, tmp_path, database, chain):
    state = moments.state(tmp_path / "state", database, chain)
    before = contents(state)
    code, said, _ = moments.go_on(state)
    assert code == 4
    assert time_text(moments.slots[database + 1]) in said
    assert time_text(moments.slots[chain]) in said
    assert "state restore" in said
    assert contents(state)["chain.sqlite"] == before["chain.sqlite"]
    assert contents(state)["market.sqlite"] == before["market.sqlite"]


def test_a_summary_that_the_folder_does_not_bear_out_is_not_repeated(moments, tmp_path):
    state = shutil.copytree(moments.folder / "state", tmp_path / "state")
    with closing(Store(state)) as store:
        outcome = store.setting("outcome") or ""
        store.set(outcome=outcome.replace(moments.state_hash, "0" * 64))
    code, said, _ = moments.go_on(state)
    assert code == 4
    assert "finished run" in said


@pytest.fixture(scope="module")
def visited(moments, tmp_path_factory) -> tuple[Path, Path]:
    """A state on whose chain somebody else acted after slot 11, and its chain from before that."""
    folder = tmp_path_factory.mktemp("visited")
    state, older = folder / "state", folder / "older.sqlite"
    run_until(moments, state, 11)
    files.copy(state / "chain.sqlite", older)
    with closing(ChainClient.open(f"embedded:{state / 'chain.sqlite'}")) as client, closing(Store(state)) as store:
        ledger = ChainLedger.attach(client, DemoKeys(SEED), store.setting("settlement") or "")
        ledger.request_withdrawal(1, 5)
        ledger.block(client.head_timestamp + 60)
    run_until(moments, state, 14)
    return state, older


def run_until(moments: Moments, state: Path, last: int) -> None:
    """Run on a state up to and including a slot."""

    def stop(book: SlotBook) -> None:
        if book.slot == moments.slots[last]:
            raise Stop

    with suppress(Stop):
        replay(moments.setting, moments.slots, state, seed=SEED, after_slot=stop)


def test_where_somebody_elses_transaction_is_lost_nothing_changes(moments, visited, tmp_path):
    state = shutil.copytree(visited[0], tmp_path / "state")
    shutil.copy(visited[1], state / "chain.sqlite")
    before = contents(state)
    code, said, _ = moments.go_on(state)
    assert code == 4
    assert "nothing was changed" in said
    assert time_text(moments.slots[12]) in said
    assert contents(state) == before


def test_a_chain_that_others_used_is_gone_on_with(moments, visited, tmp_path):
    state = shutil.copytree(visited[0], tmp_path / "state")
    run_until(moments, state, 16)
    with closing(Store(state)) as store:
        assert store.delivered(0, 2**62)[-1] == moments.slots[16]


def test_a_chain_with_committed_slots_is_deleted_only_when_told_so(moments, tmp_path):
    state = moments.state(tmp_path / "state", 12, 12)
    (state / "market.sqlite").unlink()
    before = contents(state)["chain.sqlite"]
    code, said, _ = moments.go_on(state)
    assert code == 4
    assert "13 committed slots" in said
    assert contents(state)["chain.sqlite"] == before
    called = call("run", moments.community, "--no-page", "--json", "--discard-chain", "--state", state)
    assert called.code == 0, called.err
    assert moments.state_hash in called.out


def test_a_slot_that_was_taken_back_on_chain_stops_the_run(moments, tmp_path):
    state = moments.state(tmp_path / "state", 22, 22)
    with closing(ChainClient.open(f"embedded:{state / 'chain.sqlite'}")) as client, closing(Store(state)) as store:
        ledger = ChainLedger.attach(client, DemoKeys(SEED), store.setting("settlement") or "")
        made, per_period = ledger.commitments(), moments.setting.community.clock.slots_per_period
        evidence = opening(made, len(made) - 1, per_period).content
        client.send(DemoKeys(SEED).role("operator"), client.contract("settlement", ledger.address), "retract", evidence)
        ledger.block(client.head_timestamp + 60)
    with pytest.raises(StateError, match="the chain has come to slot"):
        replay(moments.setting, moments.slots, state, seed=SEED)
