"""Runs on a node that is not ours, stopped at every step: the same books and the same balances as undisturbed."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.contract.anvil import anvil
from tests.integration.conftest import call
from tests.integration.samples import write_community
from tests.integration.test_group_runs import grouped
from transactive.chain.deployments import deployment
from transactive.chain.deployments.deployment import FILE
from transactive.chain.nodes.client import ChainClient
from transactive.chain.packing import decode_balances, words_for
from transactive.config.setting import load_setting
from transactive.engine.accounts.moving import Moving
from transactive.engine.chain_location import ChainLocation
from transactive.engine.replay import Outcome, replay, slots_from
from transactive.services.upgrade import upgrade_run
from transactive.store import Store

Made = TypeVar("Made")


class Stopped(BaseException):
    """In place of a kill."""


class Stops:
    """Stops a run before and after each of some blocks that it sends, once. done: where; wanted: by number."""

    def __init__(self, patched: pytest.MonkeyPatch, wanted: Callable[[int], bool]) -> None:
        self.done, self.count, self.wanted, self.sends = list[tuple[str, int]](), 0, wanted, ChainClient.block
        patched.setattr(ChainClient, "block", lambda client, timestamp: self.block(client, timestamp))

    def block(self, client: ChainClient, timestamp: int) -> Any:
        """Send a block, or stop."""
        if self.wanted(self.count + 1):
            self.stop("before", timestamp)
        made = self.sends(client, timestamp)
        self.count += 1
        if self.wanted(self.count):
            self.stop("after", timestamp)
        return made

    def stop(self, when: str, timestamp: int) -> None:
        """Stop here, unless it was stopped here before."""
        if (when, timestamp) not in self.done:
            self.done.append((when, timestamp))
            raise Stopped


def to_its_end(do: Callable[[], Made]) -> tuple[Made, int]:
    """Do it again and again until nothing stops it; what comes of it, and how often it was begun."""
    lives = 1
    while True:
        try:
            return do(), lives
        except Stopped:
            lives += 1


def content(state: Path) -> list[bytes]:
    """Postings of all slots, by their digests."""
    with closing(Store(state)) as store:
        return [store.postings(slot).digest() for slot in store.delivered(0, 2**62)]


@pytest.mark.service
@pytest.mark.parametrize("made", [write_community, grouped])
def test_stopped_at_every_step_around_a_periods_end_it_ends_alike(made, tmp_path, monkeypatch):
    """One settlement, and one for each group and the whole."""
    community = write_community(tmp_path, whole_period=True) if made is write_community else made(tmp_path)
    setting = load_setting(community)
    slots, state = slots_from(setting), tmp_path / "there"
    here, _ = replay(setting, slots, tmp_path / "here", seed="transactive")
    with anvil("--no-mining", "--timestamp", str(slots[0] - 200_000)) as url, monkeypatch.context() as patched:
        stops, target = Stops(patched, range(20, 40).__contains__), ChainLocation(url)
        (there, _), lives = to_its_end(lambda: replay(setting, slots, state, seed="transactive", target=target))
        told = call("chain", "status", "--node", url, "--deployment", state / FILE, "--json")
        assert json.loads(told.out)["sound"], told.err
    clock, times = setting.community.clock, [timestamp for _, timestamp in stops.done]
    over = (clock.period(slots[0]) + 1) * clock.slots_per_period * clock.length
    assert lives == len(stops.done) + 1 > 10
    assert min(times) < over < max(times)
    assert here.summary.ledger_equals_chain
    assert there.summary.ledger_equals_chain
    assert here.bills == there.bills
    assert content(tmp_path / "here") == content(state)


@pytest.mark.service
def test_a_run_moves_to_new_contracts_on_a_node_elsewhere(tmp_path, monkeypatch):
    """Its contracts are taken for older ones; stopped around every block of the move, it goes on to its end."""
    setting = load_setting(write_community(tmp_path, whole_period=True))
    slots, state = slots_from(setting), tmp_path / "state"
    with anvil("--no-mining", "--timestamp", str(slots[0] - 200_000)) as url:
        target = ChainLocation(url)

        def run() -> tuple[Outcome, bool]:
            return replay(setting, slots, state, seed="transactive", target=target)

        with monkeypatch.context() as patched:
            Stops(patched, range(12, 13).__contains__)
            with pytest.raises(Stopped):
                run()
        with monkeypatch.context() as patched:
            patched.setattr(deployment, "is_todays", lambda *_: False)
            moves, is_moving = Moving.to_new_contracts, [False]
            stops = Stops(patched, lambda _: is_moving[0])

            def moving(self: Moving, old: Any) -> Any:
                is_moving[0] = True
                try:
                    return moves(self, old)
                finally:
                    is_moving[0] = False

            patched.setattr(Moving, "to_new_contracts", moving)
            made, lives = to_its_end(lambda: upgrade_run(setting, state, target))
        assert lives == len(stops.done) + 1 >= 5
        (outcome, _), before = run(), made.before
        with closing(ChainClient.open(url)) as client:
            old = client.contract("settlement", before.address("settlement"))
            accounts = len(before.accounts)
            assert not any(decode_balances(client.read_words(old, "balances", words_for(accounts)))[:accounts])
    assert made.after.address("settlement") != before.address("settlement")
    assert outcome.summary.ledger_equals_chain
    assert outcome.summary.slots == len(slots)
