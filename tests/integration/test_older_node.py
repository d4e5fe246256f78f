"""A node elsewhere that comes back with an older chain, a newer one or another one: made level again, or refused."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from web3.types import RPCEndpoint

from tests.contract.anvil import anvil
from tests.integration.samples import write_community
from transactive.chain.nodes.remote import Patience, provider_for
from transactive.config.setting import load_setting
from transactive.core.errors import ChainError, StateError
from transactive.core.slots import time_text
from transactive.engine.chain_location import OUTBOX_FILE, ChainLocation
from transactive.engine.replay import replay, slots_from
from transactive.store import files

SEED = "transactive"
pytestmark = pytest.mark.long


class Stopped(Exception):
    """In place of a kill."""


class Elsewhere:
    """A run on a node, stopped after slots; the chain goes back to where it was, or the folder does."""

    def __init__(self, folder: Path, url: str) -> None:
        self.setting = load_setting(write_community(folder, whole_period=True))
        self.slots, self.url, self.state = slots_from(self.setting), url, folder / "state"
        self.rpc, self.folder = provider_for(url, Patience()), folder
        self.marks: dict[int, Any] = {}

    def ask(self, method: str, *arguments: Any) -> Any:
        return self.rpc.make_request(RPCEndpoint(method), list(arguments))["result"]

    def run_to(self, last: int, keep: tuple[int, ...] = ()) -> None:
        """Run on up to a slot; keep: slots after which the chain is remembered, and the folder copied."""

        def stop(book: Any) -> None:
            number = self.slots.index(book.readings.slot)
            if number in keep:
                self.marks[number] = self.ask("evm_snapshot")
                for name in ("market.sqlite", OUTBOX_FILE):
                    files.copy(self.state / name, self.folder / f"{number}-{name}")
            if number == last:
                raise Stopped

        with suppress(Stopped):
            self.outcome, _ = replay(
                self.setting, self.slots, self.state, seed=SEED, target=ChainLocation(self.url), after_slot=stop
            )

    def folder_of(self, number: int) -> None:
        for name in ("market.sqlite", OUTBOX_FILE):
            for end in ("", "-wal", "-shm"):
                (self.state / f"{name}{end}").unlink(missing_ok=True)
            files.copy(self.folder / f"{number}-{name}", self.state / name)


@pytest.mark.parametrize("back", [1, 5])
def test_an_older_chain_gets_its_steps_again(tmp_path, back, capsys):
    with anvil("--no-mining") as url:
        run = Elsewhere(tmp_path, url)
        run.run_to(21, keep=(21 - back,))
        assert run.ask("evm_revert", run.marks[21 - back])
        run.run_to(len(run.slots))
        assert run.outcome.summary.ledger_equals_chain
    assert "sent again" in capsys.readouterr().err


def test_a_newer_chain_is_refused_and_named(tmp_path):
    with anvil("--no-mining") as url:
        run = Elsewhere(tmp_path, url)
        run.run_to(9, keep=(5,))
        run.folder_of(5)
        with pytest.raises(StateError, match=rf"4 slots more \({time_text(run.slots[6])}"):
            run.run_to(len(run.slots))


def test_another_chain_is_refused(tmp_path):
    with anvil("--no-mining") as url:
        run = Elsewhere(tmp_path, url)
        run.run_to(4)
    with anvil("--no-mining") as other:
        run.url = other
        with pytest.raises(ChainError, match="another chain"):
            run.run_to(len(run.slots))
