"""`transactive chain upgrade`: from contracts of an older version, kept as they were made, to today's."""

from __future__ import annotations

import json
import shutil
import tarfile
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from eth_account import Account

from tests.contract.anvil import anvil
from tests.integration.conftest import call
from tests.integration.samples import write_community
from tests.integration.test_older_states import MADE_BEFORE, MEMBER
from transactive.chain.deployments import upgrading
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
from transactive.core.slots import parse_time
from transactive.core.units import money_text
from transactive.engine.accounts.moving import Moving
from transactive.engine.chain_location import ChainLocation
from transactive.engine.kernel import Kernel
from transactive.engine.replay import replay, slots_from
from transactive.store import Store

KEYS = DemoKeys("transactive")
DAY = timedelta(days=1)


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


def test_direct_certificates_stay_direct_and_begin_with_the_slot_of_the_move(tmp_path, monkeypatch):
    """Zones go over; what is over by then is issued in the contract of before alone."""
    monkeypatch.setattr(upgrading, "version_of", lambda *_: "0.1")
    community, node = write_community(tmp_path), f"embedded:{tmp_path / 'direct.sqlite'}"
    where = ("--node", node, "--deployment", tmp_path / FILE)
    assert call("chain", "deploy", community, "--direct", "--node", node, "-o", tmp_path / FILE).code == 0
    for act, *given in (
        ("set-zones", "--first", "0", "--zones", "0x0201"),
        ("set-reach", "--zone", "1", "--zones", "4"),
    ):
        assert call("chain", "tokens", act, *given, *where).code == 0
    done = call("chain", "upgrade", community, *where, "-o", tmp_path / "new.json", "--json")
    assert done.code == 0, done.err
    with closing(ChainClient.open(node)) as client:
        certificates = client.contract("certificates", json.loads(done.out)["certificates"])
        assert client.read(certificates, "isDirect")
        assert int(client.read(certificates, "since")) == client.head_timestamp // 3600
        assert (client.read(certificates, "zones", 0), client.read(certificates, "reachable", 1)) == (0x0201, 4)


def test_a_finished_run_goes_on_from_new_contracts(before, tmp_path):
    """It says the same again, names both, and its chain follows from its database."""
    state = shutil.copytree(before / "finished", tmp_path / "state")
    old = load(state / FILE)
    done = upgraded(state)
    assert done.code == 0, done.err
    facts, new = json.loads(done.out), load(state / FILE)
    assert (facts["before"], facts["settlement"]) == (old.address("settlement"), new.address("settlement"))
    assert load(state / "deployment-1.json") == old
    with closing(Store(state)) as store:
        assert [roster.settlement for roster in store.rosters] == [facts["before"], facts["settlement"]]
        assert store.setting("settlement") == facts["settlement"]
        assert balances(state, new) == list(store.rosters[-1].opening_n)
    assert not any(balances(state, old))
    path = tmp_path / "statement.json"
    assert call("statement", "--state", state, "--member", MEMBER, "-o", path).code == 0
    said = json.loads(path.read_text())["chain"]
    assert (said["settlement"], said["successor"]) == (facts["before"], facts["settlement"])
    for file in (path, before / "statement.json"):
        assert call("verify", file, "--state", state).code == 0
    checked = call("state", "check", "--state", state)
    assert checked.code == 0, checked.out + checked.err
    again = upgraded(state)
    assert (again.code, "are of this version already" in again.err) == (3, True)


SHORTER = "community/community.toml"
MIDNIGHT, SLOT_BEFORE, SLOT_AFTER = "2017-06-08T00:00Z", "2017-06-07T12:00Z", "2017-06-08T12:00Z"
"""When the period ends in which the older run was killed; a slot on either side."""


@pytest.fixture(scope="module")
def longer(before, tmp_path_factory) -> Path:
    """The community of the run that the older version left in the middle, with a day more to go on with."""
    folder = Path(tmp_path_factory.mktemp("longer"))
    shutil.copytree(before / "community", folder, dirs_exist_ok=True)
    lines = (folder / "readings.csv").read_text().splitlines()
    last = datetime.fromisoformat(lines[-1].split(",")[0])
    again = [line.split(",", 1) for line in lines[1:] if datetime.fromisoformat(line.split(",")[0]) > last - DAY]
    more = [f"{(datetime.fromisoformat(at) + DAY).isoformat()},{rest}" for at, rest in again]
    (folder / "readings.csv").write_text("\n".join([*lines, *more]) + "\n")
    return folder / "community.toml"


def gone_on(community: Path, state: Path) -> Any:
    """The run in a folder, to its end."""
    return call("run", community, "--no-page", "--json", "--state", state)


@pytest.fixture(scope="module")
def in_the_middle(before, longer, tmp_path_factory) -> Path:
    """A run that was upgraded in the middle, went on to its end, and then with a day more."""
    folder = Path(tmp_path_factory.mktemp("middle"))
    state = shutil.copytree(before / "interrupted", folder / "state")
    done = upgraded(state, community=before / SHORTER)
    assert done.code == 0, done.err
    (folder / "upgraded.json").write_text(done.out)
    for name, community in (("summary", before / SHORTER), ("longer", longer)):
        went_on = gone_on(community, state)
        assert went_on.code == 0, went_on.err
        (folder / f"{name}.json").write_text(went_on.out)
    return folder


@pytest.mark.long
def test_a_run_is_upgraded_in_the_middle_and_goes_on_to_its_end(in_the_middle):
    facts, summary = (json.loads((in_the_middle / f"{name}.json").read_text()) for name in ("upgraded", "longer"))
    state = in_the_middle / "state"
    assert facts["since"] == MIDNIGHT
    assert (summary["ledger_equals_chain"], summary["money_residual_n"], summary["slots"]) == (True, "0", 72)
    with closing(ChainClient.open(f"embedded:{state}")) as client:
        for name, version in (("before", "0.1"), ("settlement", "")):
            contract = client.contract("settlement", facts[name])
            assert version_of("settlement", client.code(contract.address)) == version
            last, settled = (int(client.read(contract, each)) for each in ("latestPeriod", "settledPeriod"))
            assert (last == settled) == (name == "before"), name  # nothing is open in the old ones
        certificates = client.contract("certificates", facts["certificates"])
        assert int(client.read(certificates, "since")) == parse_time(MIDNIGHT) // 3600  # no slot of before
    assert sum(balances(state, load(state / "deployment-1.json"))) == 0
    checked = call("state", "check", "--state", state)
    assert checked.code == 0, checked.out + checked.err


@pytest.mark.long
@pytest.mark.parametrize(("span", "named"), [(("--to", MIDNIGHT), "before"), ((), "settlement")])
def test_statements_of_either_side_verify(in_the_middle, tmp_path, span, named):
    state, facts = in_the_middle / "state", json.loads((in_the_middle / "upgraded.json").read_text())
    path = tmp_path / "statement.json"
    made = call("statement", "--state", state, "--member", "a", *span, "-o", path)
    assert made.code == 0, made.err
    said = json.loads(path.read_text())["chain"]
    assert (said["settlement"], said.get("successor")) == (facts[named], facts["settlement"] if span else None)
    assert call("verify", path, "--state", state).code == 0


@pytest.mark.long
def test_leaves_and_certificates_are_proved_where_their_slot_was_committed(in_the_middle, tmp_path):
    state, facts = in_the_middle / "state", json.loads((in_the_middle / "upgraded.json").read_text())
    for slot, settlement, certificates, is_before in (
        (SLOT_BEFORE, "before", "certificates_before", True),
        (SLOT_AFTER, "settlement", "certificates", False),
    ):
        where, paths = ("--state", state, "--member", "a", "--slot", slot), (tmp_path / f"{slot}{k}" for k in "ab")
        for command, path in zip(("prove", "certificates"), paths, strict=True):
            done = call("chain", command, *where, "-o", path, "--json")
            assert done.code == 0, done.err
            assert ("accounts moved to" in json.loads(done.out).get("contracts", "")) == is_before
            file = json.loads(path.read_text())
            assert file["settlement"] == facts[settlement]
            assert file.get("certificates", facts[certificates]) == facts[certificates]


@pytest.mark.long
def test_a_chain_from_before_the_upgrade_is_brought_level(in_the_middle, before, longer, tmp_path):
    """Accounts move again, to the same contracts, and every block is as it was."""
    state = shutil.copytree(in_the_middle / "state", tmp_path / "state")
    for ending in ("", "-wal", "-shm"):
        (state / f"chain.sqlite{ending}").unlink(missing_ok=True)
    for file in (before / "interrupted").glob("chain.sqlite*"):
        shutil.copy(file, state / file.name)
    again = gone_on(longer, state)
    assert again.code == 0, again.err
    assert "put there again, each block as it was" in again.err
    assert call("state", "check", "--state", state).code == 0


@pytest.mark.long
def test_an_upgrade_in_the_middle_that_is_killed_at_any_step_ends_alike(in_the_middle, before, tmp_path, monkeypatch):
    """Killed when the old contracts are at their end, around every block of the move, and before it is noted."""
    state = shutil.copytree(before / "interrupted", tmp_path / "state")
    moves, sends, notes = Moving.to_new_contracts, ChainClient.block, Store.take_up
    deaths: list[str] = []

    def dies_once(name: str) -> None:
        if name not in deaths:
            deaths.append(name)
            raise Killed

    def moving(self: Moving, old: Any) -> Any:
        dies_once("before the move")

        def block(client: ChainClient, timestamp: int) -> Any:
            dies_once(f"before block {client.height}")
            made = sends(client, timestamp)
            dies_once(f"after block {client.height}")
            return made

        def take_up(store: Store, *state: Any, **settings: Any) -> None:
            dies_once("before it is noted")
            notes(store, *state, **settings)
            dies_once("after it is noted")

        with monkeypatch.context() as patched:
            patched.setattr(ChainClient, "block", block)
            patched.setattr(Store, "take_up", take_up)
            return moves(self, old)

    monkeypatch.setattr(Moving, "to_new_contracts", moving)
    lives = 0
    while True:
        lives += 1
        try:
            done = upgraded(state, community=before / SHORTER)
        except Killed:
            continue
        break
    assert lives == len(deaths) + 1 >= 8, deaths
    assert "are of this version already" in done.err  # its last death came after everything
    went_on = gone_on(before / SHORTER, state)
    assert went_on.code == 0, went_on.err
    hashes = [json.loads(text)["state_hash"] for text in (went_on.out, (in_the_middle / "summary.json").read_text())]
    assert hashes[0] == hashes[1]


@pytest.mark.long
def test_an_upgrade_that_is_not_repeated_is_taken_up_by_the_next_run(before, in_the_middle, tmp_path):
    """The old contracts are at their end, and the command was killed: `run` moves the accounts, and goes on."""
    state = shutil.copytree(before / "interrupted", tmp_path / "state")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Moving, "to_new_contracts", stops)
        with pytest.raises(Killed):
            upgraded(state, community=before / SHORTER)
    went_on = gone_on(before / SHORTER, state)
    assert went_on.code == 0, went_on.err
    assert (
        json.loads(went_on.out)["state_hash"] == json.loads((in_the_middle / "summary.json").read_text())["state_hash"]
    )


def stops(*_: object) -> None:
    """In place of what shall be interrupted."""
    raise Killed


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


@pytest.mark.service
def test_a_run_begins_with_what_accounts_have_on_chain(tmp_path, monkeypatch):
    """Paid in before, or carried over: the ledger takes it up, also if the run is interrupted before its first slot."""
    community, folder, file = write_community(tmp_path), tmp_path / "state", tmp_path / FILE
    setting = load_setting(community)
    slots = slots_from(setting)[:3]
    monkeypatch.setattr(signing, "time", SimpleNamespace(time=lambda: slots[0] - 100_000))

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
