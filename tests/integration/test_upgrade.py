"""`transactive chain upgrade`: from contracts of an older version, kept as they were made, to today's."""

from __future__ import annotations

import json
import shutil
import tarfile
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from eth_account import Account

from tests.contract.anvil import anvil
from tests.integration.conftest import call
from tests.integration.samples import write_community
from tests.integration.test_older_states import MADE_BEFORE, MEMBER
from transactive.chain.deployments.deployment import FILE, Deployment, load
from transactive.chain.keys.keys import DemoKeys
from transactive.chain.keys.keystore import LIGHT
from transactive.chain.keys.roles import ROLES
from transactive.chain.nodes.client import ChainClient
from transactive.chain.packing import decode_balances, words_for
from transactive.chain.releases import version_of
from transactive.cli.chain import signing
from transactive.config.setting import load_setting
from transactive.config.shipped import DEMO
from transactive.core.units import money_text
from transactive.engine.chain_location import ChainLocation
from transactive.engine.kernel import Kernel
from transactive.engine.replay import replay, slots_from
from transactive.store import Store

KEYS = DemoKeys("transactive")


@pytest.fixture(scope="module")
def before(tmp_path_factory) -> Path:
    """What was made by the older version: never changed."""
    folder = Path(tmp_path_factory.mktemp("before"))
    with tarfile.open(MADE_BEFORE) as archive:
        archive.extractall(folder, filter="data")
    return folder / "old-state"


@pytest.fixture
def chain(before, tmp_path: Path) -> Path:
    """Folder with the chain and the addresses of the finished run, without its database."""
    for name in ("chain.sqlite", FILE):
        shutil.copy(before / "finished" / name, tmp_path / name)
    return tmp_path


def upgraded(folder: Path, *more: object, community: object = DEMO) -> Any:
    """The command on the chain in a folder."""
    where = ("--node", f"embedded:{folder}", "--deployment", folder / FILE, "--output", folder / "new.json", "--json")
    return call("chain", "upgrade", community, *where, *more)


def balances(folder: Path, known: Deployment) -> list[int]:
    """What each account has in the settlement of a deployment [n¤]."""
    with closing(ChainClient.open(f"embedded:{folder}")) as client:
        return balances_of(client, known)


def balances_of(client: ChainClient, known: Deployment) -> list[int]:
    """The same of an open chain."""
    settlement, count = client.contract("settlement", known.address("settlement")), len(known.accounts)
    return decode_balances(client.read_words(settlement, "balances", words_for(count)))[:count]


def test_accounts_balances_and_limits_go_over(chain, before):
    old = load(chain / FILE)
    had = balances(chain, old)
    with closing(ChainClient.open(f"embedded:{chain}")) as client:
        settlement = client.contract("settlement", old.address("settlement"))
        assert version_of("settlement", client.code(settlement.address)) == "0.1"
        client.send(KEYS.account(2), settlement, "setLimit", 7_000_000_000)
        client.block(client.head_timestamp + 1)
    done = upgraded(chain)
    assert done.code == 0, done.err
    facts, new = json.loads(done.out), load(chain / "new.json")
    assert facts["before"] == old.address("settlement")
    assert facts["moved"] == money_text(sum(had), "USD", digits=9)
    assert (facts["stayed"], new.accounts) == (None, old.accounts)
    assert new.address("currency") == old.address("currency")
    assert balances(chain, new) == had
    assert not any(balances(chain, old))
    with closing(ChainClient.open(f"embedded:{chain}")) as client:
        settlement = client.contract("settlement", new.address("settlement"))
        assert int(client.read(settlement, "limitIn", 2, 2**40)) == 7_000_000_001
        for name, deployed in new.contracts.items():
            assert version_of(name, client.code(deployed.address)) in ("", "0.1" if name == "currency" else "")
    assert not (chain / "upgrade.json").exists()
    statement = before / "statement.json"
    assert call("verify", statement, "--node", f"embedded:{chain}").code == 0
    again = call(
        "chain",
        "upgrade",
        DEMO,
        "--node",
        f"embedded:{chain}",
        "--deployment",
        chain / "new.json",
        "-o",
        chain / "3.json",
    )
    assert (again.code, "are of this version already" in again.err) == (3, True)


class Killed(BaseException):
    """In place of a kill."""


def dies_after_each_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kill whatever puts a block on chain, right after it did."""
    sends = ChainClient.block

    def dies(client: ChainClient, timestamp: int) -> Any:
        sends(client, timestamp)
        raise Killed

    monkeypatch.setattr(ChainClient, "block", dies)


@pytest.mark.parametrize("after", [False, True])
def test_an_upgrade_that_is_killed_at_any_step_goes_on(chain, tmp_path, monkeypatch, after):
    """Killed before and after each block, again and again, it ends as one that nobody killed."""
    old = load(chain / FILE)
    had, sends = balances(chain, old), ChainClient.block
    steps = 0

    def dies(client: ChainClient, timestamp: int) -> Any:
        nonlocal steps
        steps += 1
        if after or steps % 2:
            if after:
                sends(client, timestamp)
            raise Killed
        return sends(client, timestamp)

    monkeypatch.setattr(ChainClient, "block", dies)
    lives = 0
    while True:
        lives += 1
        try:
            done = upgraded(chain)
        except Killed:
            continue
        break
    assert done.code == 0, done.err
    assert lives == 3  # contracts, money; nobody had a limit
    assert json.loads(done.out)["moved"] == money_text(sum(had), "USD", digits=9)
    assert balances(chain, load(chain / "new.json")) == had
    assert not any(balances(chain, old))


def test_whose_key_is_not_here_keeps_money_and_way_out(chain, monkeypatch):
    monkeypatch.setenv("TRANSACTIVE_PASSWORD", "x")
    old, folder = load(chain / FILE), chain / "keys"
    had = balances(chain, old)
    folder.mkdir()
    for name, key in ({role: KEYS.role(role) for role in ROLES} | {"member-house-01": KEYS.account(0)}).items():
        stored = Account.encrypt(key.key, "x", kdf="scrypt", iterations=LIGHT)
        (folder / f"{name}.json").write_text(json.dumps(stored))
    done = upgraded(chain, "--keys", folder)
    assert done.code == 0, done.err
    assert "house-04" in json.loads(done.out)["stayed"]
    assert balances(chain, load(chain / "new.json")) == [had[0], *[0] * (len(had) - 1)]
    assert balances(chain, old) == [0, *had[1:]]
    amount = money_text(had[3], digits=9).replace(",", "")
    where = ("--node", f"embedded:{chain}", "--deployment", chain / FILE, "--json")
    assert call("chain", "withdraw", MEMBER, amount, *where, "--release").code == 0
    paid = call("chain", "withdraw", MEMBER, *where)
    assert json.loads(paid.out)["paid_n"] == str(had[3])


def test_a_finished_run_names_both_contracts(before, tmp_path):
    state = shutil.copytree(before / "finished", tmp_path / "state")
    done = upgraded(state)
    assert done.code == 0, done.err
    new = json.loads(done.out)["settlement"]
    with closing(Store(state)) as store:
        assert (store.setting("successor"), store.setting("settlement")) == (
            new,
            load(state / FILE).address("settlement"),
        )
    path = tmp_path / "statement.json"
    assert call("statement", "--state", state, "--member", MEMBER, "-o", path).code == 0
    assert json.loads(path.read_text())["chain"]["successor"] == new
    for file in (path, before / "statement.json"):
        assert call("verify", file, "--state", state).code == 0


@pytest.mark.long
def test_an_interrupted_run_goes_on_first_and_its_open_period_is_paid(before, tmp_path, monkeypatch):
    state, community = (
        shutil.copytree(before / "interrupted", tmp_path / "state"),
        before / "community" / "community.toml",
    )
    chain = state / "chain.sqlite"
    refused = upgraded(state, community=community)
    assert (refused.code, "its run is not at its end" in refused.err) == (4, True)
    alone = tmp_path / "alone"
    alone.mkdir()
    for file in (chain, chain.with_name("chain.sqlite-wal"), state / FILE):
        shutil.copy(file, alone / file.name)
    refused = upgraded(alone, community=community)
    assert refused.code == 5
    assert "let the run go on to its end, and upgrade then" in refused.err
    went_on = call("run", community, "--no-page", "--json", "--state", state)
    assert went_on.code == 0, went_on.err
    old = load(state / FILE)
    with closing(ChainClient.open(f"embedded:{state}")) as client:
        settlement = client.contract("settlement", old.address("settlement"))
        had, total = balances_of(client, old), int(client.read(settlement, "latestPeriod"))
        assert total > int(client.read(settlement, "settledPeriod"))  # its last period is not over
    dies_after_each_block(monkeypatch)
    lives = 0
    while True:
        lives += 1
        try:
            done = upgraded(state, community=community)
        except Killed:
            continue
        break
    assert done.code == 0, done.err
    assert lives == 5  # netting, payment, contracts, money
    moved = balances(state, load(state / "new.json"))
    assert sum(moved) == sum(had)
    assert moved != had  # the open period was paid
    assert not any(balances(state, old))
    again = call("run", community, "--no-page", "--json", "--state", state)
    assert again.code == 0


def test_wrong_input_changes_nothing(chain, before):
    size = (chain / "chain.sqlite").stat().st_size
    (chain / "new.json").touch()
    for community, message in (
        (DEMO, "is there already; give another --output"),
        (before / "community" / "community.toml", "has other members than"),
    ):
        done = upgraded(chain, community=community)
        assert (done.code, message in done.err) == (3, True), done.err
    (chain / "new.json").unlink()
    other = upgraded(chain, "--seed", "other")
    assert (other.code, "has another key on chain than here" in other.err) == (3, True)
    (chain / "upgrade.json").write_text('{"old": "0x1"}')
    foreign = upgraded(chain)
    assert (foreign.code, "is of the settlement 0x1" in foreign.err) == (4, True)
    assert (chain / "chain.sqlite").stat().st_size == size


def test_a_run_begins_with_what_accounts_have_on_chain(tmp_path, monkeypatch):
    """Paid in before, or carried over: the ledger takes it up, also if the run is interrupted before its first slot."""
    community, folder, file = write_community(tmp_path), tmp_path / "state", tmp_path / FILE
    setting = load_setting(community)
    slots = slots_from(setting)[:3]
    monkeypatch.setattr(signing, "time", SimpleNamespace(time=lambda: slots[0] - 100_000))

    def stops(*_: object) -> None:
        raise Killed

    with anvil("--no-mining", "--timestamp", str(slots[0] - 200_000)) as url:
        assert call("chain", "deploy", community, "--node", url, "-o", file).code == 0
        funded = call("chain", "fund", "a", "3", "--node", url, "--deployment", file, "--json")
        assert json.loads(funded.out)["balance_n"] == str(3 * 10**9)
        target = ChainLocation(url, file)
        monkeypatch.setattr(Kernel, "trade", stops)
        with pytest.raises(Killed):
            replay(setting, slots, folder, seed="transactive", target=target)
        monkeypatch.undo()
        outcome, _ = replay(setting, slots, folder, seed="transactive", target=target)
    assert outcome.summary.ledger_equals_chain
