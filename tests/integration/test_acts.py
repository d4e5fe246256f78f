"""`transactive chain GROUP ACT`: every act is done once on an embedded chain, by whose it is, in a life of two days."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.integration.test_chain_commands import run
from transactive.chain.acts.table import GROUPS
from transactive.chain.deployments.deployment import load
from transactive.chain.disputes.leaf_file import leaf_file
from transactive.chain.history import opening
from transactive.chain.keys.keys import DemoKeys
from transactive.chain.keys.keystore import LIGHT, KeyFolder
from transactive.chain.ledgers.settlement import ChainLedger
from transactive.chain.nodes.client import ChainClient
from transactive.cli import main
from transactive.cli.chain import signing
from transactive.config.setting import load_setting
from transactive.core.proofs.leaves import SlotLeaves
from transactive.core.proofs.merkle import ZERO
from transactive.core.proofs.signed_orders import Fills
from transactive.core.proofs.slot_tree import SlotTree
from transactive.core.slots import parse_time, time_text
from transactive.services.challenges import challenges_in

HOUR = 3600
BEGIN = parse_time("2024-06-05T00:00Z")
KEYS = DemoKeys()
NEW, METER, AGENT = (str(KEYS.named(name).address) for name in ("new", "meter", "agent"))


class Life:
    """Commands typed one after another on one chain. did: acts that succeeded or that the contract itself refused."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.now, self.capsys, self.did = BEGIN, capsys, set[tuple[str, str]]()
        monkeypatch.setattr(signing, "time", SimpleNamespace(time=lambda: self.now))

    def type(self, *words: str, code: int = 0) -> str:
        """What a command prints."""
        assert run(*words, "--node", "embedded:chain.sqlite", "--json") == code, (words, self.capsys.readouterr())
        told = self.capsys.readouterr()
        return told.err if code else told.out

    def do(self, line: str, *more: str) -> dict[str, Any]:
        """An act that is done."""
        words = line.split()
        facts: dict[str, Any] = json.loads(self.type(*words, *more))
        self.did.add((words[0], words[1]))
        assert facts["did"] == words[1]
        assert facts["means"]
        assert facts["gas"] > 21_000
        return facts

    def refused(self, line: str, *more: str, why: str) -> None:
        """An act that reaches the contract, which refuses it in its own words."""
        words = line.split()
        assert why in self.type(*words, *more, code=5)
        self.did.add((words[0], words[1]))

    def wrong(self, line: str, *more: str, why: str) -> None:
        """An act that is not sent."""
        told = self.type(*line.split(), *more, code=3)
        assert why in told
        assert len(told.splitlines()) == 1


@pytest.fixture
def place(tmp_path, monkeypatch, capsys):
    """A folder with the example community, as the working folder."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["init", "c"])
    capsys.readouterr()
    return tmp_path


@pytest.fixture
def life(place, monkeypatch, capsys):
    made = Life(monkeypatch, capsys)
    more = ("--with", "trade_board", "--with", "balance_market", "--with", "carbon_credits")
    made.type("deploy", "c/community.toml", "--direct", *more)
    for name in ("ada", "ben"):
        made.type("fund", name, "30")
    with closing(ChainClient.open("embedded:chain.sqlite")) as client:
        for address in (NEW, METER, AGENT):
            client.pay(KEYS.role("owner"), address, 10**18)
        client.block(client.head_timestamp + 1)
    return made


def at(hours: int) -> str:
    """Time so many hours after the beginning."""
    return time_text(BEGIN + hours * HOUR)


def test_every_act_is_done_by_whose_it_is(life, place):
    _money(life)
    _settlement(life)
    _registry(life)
    _board(life)
    _market(life)
    _tokens(life, place)
    _credits(life)
    _offices(life)
    # done in test_group_commands.py, test_govern.py, test_predict.py and test_deal_commands.py, where there are such
    elsewhere = {"capital", "whole", "governor", "forecasts", "deals"}
    assert life.did == {(group.name, act.name) for group in GROUPS if group.name not in elsewhere for act in group.acts}


def _money(life: Life) -> None:
    assert life.do("money mint --to ada --amount 20")["by"] == "on-ramp"
    assert life.do("money transfer --account ada --to ben --amount 5")["by"] == "ada"
    life.do("money approve --account ada --spender ben --amount 4")
    life.do("money transfer-from --account ben --sender ada --to cem --amount 4")
    life.do("money permit --as operator --holder ben --spender ada --amount 2")
    assert life.do("money transfer-from --account ada --sender ben --to ada --amount 2")["by"] == "ada"
    life.do("money burn --account ada --amount 0.5")
    life.do("money allow-minter --address", AGENT)
    life.do("money stop-minter --address", AGENT)
    life.refused("money mint --as operator --to ada --amount 1", why="currency: not a minter")
    life.wrong(
        "money transfer --account ada --to nobody --amount 5", why="to: 'nobody' is neither an address nor a name"
    )
    life.wrong("money transfer --account ada --to ben --amount -5", why="amount: amount '-5': give a number above zero")
    life.wrong("money transfer --to ben --amount 5", why="name it with --account")
    life.wrong("money transfer --account eve --to ben --amount 5", why="account 'eve' is not in the deployment")


def _settlement(life: Life) -> None:
    assert life.do("act pause")["by"] == "arbiter"
    life.refused("act deposit --account ada --amount 1", why="settlement: paused")
    assert "go on" in life.do("act resume")["means"]
    life.do("money approve --account ada --amount 3")
    life.do("act deposit --account ada --amount 1")
    life.do("act deposit-for --account ada --member ben --amount 2")
    signed = life.do("act deposit-with-permit --as operator --member ben --amount 1")
    assert any(event.startswith("Deposited") for event in signed["events"])
    life.type("withdraw", "ada", "1")
    life.wrong("act cancel-withdrawal --account ada --amount 1,5", why="amount: '1,5': give a number")
    life.do("act cancel-withdrawal --account ada")
    life.do("act limit --account ada --amount 12.5")
    life.do("act limit --account ada --amount none")
    life.do("act revoke --account ben --agent", AGENT)
    life.do("act unstake --amount 5")
    life.refused("act take-stake", why="settlement: notice running")
    life.refused("act stake --amount 5", why="currency: balance too low")  # all that it has is staked
    life.refused("act claim --account ada", why="settlement: nothing awarded")
    life.refused("act close --account ada", why="settlement: nothing to end")
    for act in ("veto", "retract", "demand --account ada", "overdue --account ada --member ada"):
        life.wrong(f"act {act}", why="slot: no such slot is committed")
        life.did.add(("act", act.split()[0]))  # test_acts_about_a_commitment does them
    life.wrong("act show-substituted --account ada --leaf none.json", why="none.json")
    life.did.add(("act", "show-substituted"))  # and this one


def _registry(life: Life) -> None:
    life.refused("registry register --address ada --roles consumer", why="registry: already a member")
    life.do("registry set-roles --member ben --roles producer,consumer")
    life.wrong("registry set-roles --member ben --roles king", why="'king' is no role; there are producer, consumer")
    life.wrong(f"registry suspend --member {AGENT}", why=f"{AGENT!r} is not in the registry")
    life.do("registry suspend --member ben")
    life.refused("board price --account ben --price 0.2", why="trade_board: role missing")
    life.do("registry readmit --member ben")
    life.do("registry recover --member ben --candidate", NEW)
    assert life.do("registry stop-recovery --account ben --member ben")["by"] == "ben"
    life.do("registry register --roles consumer --address", AGENT)
    life.do(f"registry recover --member {AGENT} --candidate", NEW)
    life.refused(f"registry finish-recovery --as new --member {AGENT}", why="registry: delay running")
    life.refused("act follow --account ada --member ben", why="settlement: nothing to follow")
    life.do(f"registry add-meter --member ada --network-node 0 --since {at(0)} --until {at(24000)} --key", METER)
    life.do(f"registry add-meter --member ben --network-node 0 --since {at(0)} --until {at(240)} --key", NEW)
    life.do(f"registry end-meter --meter 1 --until {at(1)}")


def _board(life: Life) -> None:
    slot = at(10)
    life.do("board price --account ada --price 0.2")
    assert "trade=0" in " ".join(life.do(f"board offer --account ada --slot {slot} --energy 500")["events"])
    life.do(f"board list --account ada --slot {slot} --energy 800 --price 0.15")
    life.do(f"board list --account ada --slot {slot} --energy 80 --price 0.16 --until {at(5)}")
    life.do("board unlist --account ada --trade 2")
    life.do("money approve --account ben --spender trade_board --amount 3")
    life.refused("board buy --account ben --trade 1 --energy 100 --total 0.02", why="trade_board:")
    life.do("board buy --account ben --trade 1 --energy 100 --total 0.015")
    life.do(f"board request --account ben --slot {slot} --energy 50 --price 0.2")
    life.do("board answer --account ada --request 0 --energy 20")
    life.do("board unrequest --account ben --request 0")
    life.do("board pause")
    life.refused("board price --account ada --price 0.3", why="paused")
    life.do("board resume")
    life.wrong("board price --account ada --price 0.0000001", why="price '0.0000001': give at most six decimals")
    life.do("board withdraw --account ben --amount 0.006")


def _market(life: Life) -> None:
    slot = at(10)
    life.do("money approve --account ada --spender balance_market --amount 6")
    life.do("market deposit --account ada --amount 3")
    life.do("market fund --account ada --amount 2")
    prices = "--base 0.2 --floor 0.1 --cap 0.3 --scale 500 --most 5000"
    life.do(f"market open --slot {slot} {prices}")
    life.do(f"market produce --account ada --slot {slot} --least 1 --most 200")
    life.refused(f"market consume --account ben --slot {slot} --least 1 --most 20", why="balance_market:")
    life.do(f"market cancel --account ada --slot {slot} --energy 50")
    life.do("market withdraw --account ada --amount 0.5")
    life.do("market defund --amount 0.1")
    life.do("market pause")
    life.do("market resume")
    life.now = BEGIN + 11 * HOUR
    for group, which in (("market", f"--slot {slot} --members 0"), ("board", "--trade 1 --buyers 1")):
        read = f"{group} certify --account ben --slot {slot} --meter 0 --imported 0"
        life.do(f"{group} state-readings --slot {slot} --readings 0:90:0")
        life.do(f"{read} --exported 120 --signed-by meter")
        life.refused(f"{read} --exported 1 --signed-by 0x{65 * '01'}", why="bad signature")
        life.wrong(f"{read} --exported 1 --signed-by 0x01", why="signed-by: give 65 bytes as 0x-hex")
        life.wrong(f"{group} state-readings --slot {slot} --readings 0:90", why="write meter:exported:imported")
        life.refused(f"{group} settle --account ben {which}", why="metered: window open")


def _tokens(life: Life, place) -> None:
    slot = at(2)
    rows = "member,import,export,generation,charge,discharge\nada,0,700,1000,0,0\nben,400,0,0,0,0\n"
    (place / "readings.csv").write_text(rows)
    issue = f"tokens issue --account ada --slot {slot} --readings readings.csv"
    life.refused(issue, why="certificates: not enrolled")
    life.do("tokens enrol --account ada")
    life.do(issue)
    token = (parse_time(slot) // HOUR) << 64 | 0
    life.do(f"tokens transfer --account ada --to ben --token {token} --energy 300")
    life.do(f"tokens approve --account ada --spender ben --token {token} --energy 50")
    life.do(f"tokens transfer-from --account ben --sender ada --to ben --token {token} --energy 50")
    life.do("tokens allow-agent --account ada --spender ben")
    life.do("tokens stop-agent --account ada --spender ben")
    life.do(f"tokens claim --account ben --member ben --tokens {token} --energies 200", "--words", "ben's day, 2024")
    life.do(f"tokens withdraw --account ben --token {token} --energy 10", "--words", "to another registry")
    life.do(f"tokens revoke-reading --slot {slot} --member ada")
    life.refused(
        f"tokens transfer --account ada --to ben --token {token} --energy 1", why="certificates: expired or rev"
    )
    life.refused(f"tokens collect --account ada --token {(token >> 64) + 1 << 64} --owner 0", why="nothing waits")
    life.do("tokens set-zones --first 0 --zones 0x0101")
    life.do("tokens set-reach --zone 1 --zones 1")
    life.refused("tokens set-credits", why="certificates: credits are fixed")
    (place / "readings.csv").write_text(rows.replace("700", "much"))
    life.wrong(issue, why="readings.csv, row 2: invalid literal")
    (place / "readings.csv").write_text(rows.replace("700", "900"))
    later = f"tokens issue --account ada --slot {at(3)} --readings readings.csv --spared ada"
    life.do(later)


def _credits(life: Life) -> None:
    life.do("credit register-project --project solar --auditor", AGENT, "--description", "Rooftop PV, avoided grid mix")
    life.do("credit register-removal --project forest --auditor", AGENT, "--description", "Trees")
    life.do("credit issue --as agent --project forest --vintage 2024 --serial VCS-1 --kg 100 --to ada")
    avoided = f"--vintage 2024 --serial OWN-1 --kg 1 --to ada --member ada --slots {at(3)}"
    life.do(f"credit issue-avoided --as agent --project solar {avoided}")
    life.do("credit transfer --account ada --to ben --batch 0 --kg 10")
    life.do("credit approve --account ada --spender ben --batch 0 --kg 5")
    life.do("credit transfer-from --account ben --sender ada --to ben --batch 0 --kg 5")
    life.do("credit allow-agent --account ada --spender ben")
    life.do("credit stop-agent --account ada --spender ben")
    words = ("--beneficiary", "ben", "--reason", "flight", "--period", "2024")
    life.do("credit retire --account ben --batch 0 --kg 3", *words)
    life.do("credit reverse --as agent --batch 0 --kg 4")
    life.refused("credit reverse --account ada --batch 0 --kg 4", why="carbon_credits: not the auditor")
    life.refused("credit set-certificates", why="carbon_credits: certificates are fixed")


def _offices(life: Life) -> None:
    life.do("act set-arbiter --address", AGENT)
    life.do("act set-gateway --address", AGENT)
    life.do("act register --address", AGENT)
    for group in ("act", "registry"):
        assert life.do(f"{group} offer-operator --candidate", NEW)["by"] == "owner"
        assert life.do(f"{group} accept-operator --as new")["address"] == NEW
    life.do("registry set-registrar --address", METER)
    life.refused("registry suspend --member ada", why="registry: not the registrar")
    life.do("registry suspend --as meter --member ada")
    for group in ("act", "money", "registry", "credit"):
        life.do(f"{group} offer-ownership --candidate", NEW)
        life.refused(f"{group} accept-ownership --account ada", why="not the candidate")
        life.do(f"{group} accept-ownership --as new")


def test_a_folder_with_the_own_key_is_enough(place, monkeypatch, capsys):
    """Who holds one key can do what is its own, and nothing else: no folder with all keys of a community is needed."""
    monkeypatch.setenv("TRANSACTIVE_PASSWORD", "x")
    life = Life(monkeypatch, capsys)
    life.type("deploy", "c/community.toml")
    key = KEYS.account(0)
    KeyFolder(place / "mine").create("other", "x", LIGHT)
    from eth_account import Account

    stored = Account.encrypt(key.key, "x", kdf="scrypt", iterations=LIGHT)
    (place / "mine" / "member-ada.json").write_text(json.dumps(stored))
    assert life.do("act limit --account ada --amount 4 --keys mine")["address"] == key.address
    life.type("fund", "ada", "3")
    assert json.loads(life.type("withdraw", "ada", "2", "--keys", "mine"))["requested_n"] == "2000000000"
    life.wrong(
        "act limit --account ben --amount 4 --keys mine", why="key member-ben: mine/member-ben.json cannot be read"
    )
    life.wrong("act veto --keys mine", why="key arbiter")


# -- with commitments


def test_acts_about_a_commitment(place, monkeypatch, capsys):
    """Demand and answer, an answer that is missing, and both ways in which a netting is stopped."""
    life, file = Life(monkeypatch, capsys), place / "c" / "community.toml"
    file.write_text(file.read_text().replace("slots_per_period = 24", "slots_per_period = 4"))
    life.type("deploy", "c/community.toml")
    slot = BEGIN // HOUR
    with closing(ChainClient.open("embedded:chain.sqlite")) as client:
        ledger = ChainLedger.attach(client, KEYS, load(place / "deployment.json").address("settlement"))
        trees = [_commit(life, ledger, slot + k) for k in range(4)]
        settlement = client.contract("settlement", ledger.address)
        made = ledger.commitments()
        period, window = (int(client.read(settlement, name)) for name in ("slotsPerPeriod", "window"))
        ledger.propose(slot // period, [0] * ledger.accounts)
        ledger.block(life.now + 1)
        for k in (1, 2):
            shown = trees[k].leaf(0), trees[k].proof(0), opening(made, k, period)
            leaf = leaf_file(client.chain_id, ledger.address, 0, *shown, [], Fills())
            (place / f"leaf-{k}.json").write_bytes(msgspec.json.encode(leaf))
    assert json.loads(life.type("challenge", "leaf-1.json"))["found"] == "nothing to challenge"
    assert life.do(f"act demand --account ada --slot {at(1)}")["by"] == "ada"
    assert json.loads(life.type("answer", "leaf-1.json"))["demanded"] is True
    assert "nobody has asked for what it shows" in life.type("answer", "leaf-2.json", "--as", "operator", code=3)
    assert json.loads(life.type("answer", "leaf-1.json", "--as", "operator"))["sent"]["gas"] > 0
    life.refused(f"act overdue --account ben --member ada --slot {at(1)}", why="demands: nothing demanded")
    life.refused("act show-substituted --account ben --leaf leaf-1.json", why="demands: metered")
    assert life.do(f"act veto --slot {at(3)}")["by"] == "arbiter"
    life.wrong(f"act retract --slot {at(3)}", why="no such slot is committed")
    life.now += window + 60  # while what was vetoed can be shown, the same commitments are not netted again
    with closing(ChainClient.open("embedded:chain.sqlite")) as client:
        ledger = ChainLedger.attach(client, KEYS, load(place / "deployment.json").address("settlement"))
        _commit(life, ledger, slot + 3)
        ledger.propose(slot // period, [0] * ledger.accounts)
        ledger.block(life.now + 1)
    assert life.do("act retract")["by"] == "operator"
    life.do(f"act demand --account ada --slot {at(1)}")
    life.refused(f"act overdue --account ben --member ada --slot {at(1)}", why="demands: answer awaited")
    life.now += HOUR
    life.do(f"act overdue --account ben --member ada --slot {at(1)}")
    _told(place)
    assert life.do("act claim --account ben")["by"] == "ben"


def _commit(life: Life, ledger: ChainLedger, slot: int) -> SlotTree:
    """Commit a slot in which nothing happened."""
    none = np.zeros((ledger.accounts, 4), np.int64)
    leaves = SlotLeaves(slot, none, none, none, none, [ZERO] * ledger.accounts, [ZERO] * ledger.accounts)
    tree = ledger.commit_slot(leaves)
    life.now = max(life.now, (slot + 1) * HOUR)
    ledger.block(life.now)
    return tree


def _told(place: Path) -> None:
    """What happened about commitments is told in the order of its blocks, as the explorer shows it."""
    community = load_setting(place / "c" / "community.toml").community
    with closing(ChainClient.open("embedded:chain.sqlite")) as client:
        told = challenges_in(client, load(place / "deployment.json"), community)
    assert [each.block for each in told] == sorted(each.block for each in told)
    titles = [each.title for each in told]
    expected = ["Proof demanded", "Proof given", "Netting stopped"]
    assert titles[:3] == expected
    assert titles.count("Proof demanded") == 2
    assert "Operator convicted" in titles
    demanded = told[0]
    assert f"ada asks for the proof of the slot of {at(1)}" in demanded.text
    assert [each.title for each in told if each.grave].count("Netting stopped") == titles.count("Netting stopped")
