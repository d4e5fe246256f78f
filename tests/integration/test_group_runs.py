"""A community in groups from run to payment: the same market, every leaf proved to the root of the whole, any kill."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.integration.conftest import call
from tests.integration.samples import write_community
from tests.integration.test_crash import KILL_AT
from tests.shared import made_once
from transactive.carbon.certificates.records import with_rest
from transactive.chain.deployments.deployment import FILE, attach, load
from transactive.chain.disputes.nested import proof_of
from transactive.chain.keys.keys import DemoKeys
from transactive.chain.ledgers.groups.ledger import GroupedLedger
from transactive.chain.nodes.client import ChainClient
from transactive.chain.twins import certificate_disputes as judge
from transactive.cli.chain import signing
from transactive.core.certificates import CertificateState
from transactive.core.proofs.groups import carbon_of_group, leaves_of_group
from transactive.engine.books.carbon_leaves import carbon_leaves_of, member_record
from transactive.engine.books.rebuilt import community_of, leaves_from
from transactive.store import Store

GROUPS = "\n[chain]\nmembers_per_group = 2\n"
"""Of three members: the first alone, then two."""


def grouped(folder: Path) -> Path:
    """The small community with a limit of two members a group."""
    file = write_community(folder, whole_period=True)
    text = file.read_text()
    file.write_text(text.replace("\n[data]\n", f"{GROUPS}\n[data]\n", 1))
    return file


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Folder with the community and its finished run."""

    def make(folder: Path) -> None:
        called = call("run", grouped(folder), "--no-page", "--json", "--state", folder / "state")
        assert called.code == 0, called.err
        (folder / "printed.json").write_text(called.out)

    return made_once(tmp_path_factory, "groups", make)


@contextmanager
def opened(state: Path) -> Iterator[tuple[Store, GroupedLedger]]:
    """Database and ledger of a run."""
    with closing(Store(state)) as store, closing(ChainClient.open(f"embedded:{state}")) as client:
        ledger = attach(client, DemoKeys("transactive"), community_of(store), load(state / FILE).address("settlement"))
        assert isinstance(ledger, GroupedLedger)
        yield store, ledger


def test_the_ledger_equals_the_chain_of_all_groups(made):
    printed = json.loads((made / "printed.json").read_text())
    assert printed["ledger_equals_chain"]
    with opened(made / "state") as (_, ledger):
        assert [len(group.members) for group in ledger.groups] == [1, 2]
        assert ledger.whole.settled_period > 0
        assert not ledger.whole.pending
        assert printed["chain"]["nettings"] == 2
        assert printed["chain"]["slot_commits"] == 2 * 47


@pytest.mark.long
def test_every_leaf_of_every_member_leads_to_the_payment(made):
    with opened(made / "state") as (store, ledger):
        community = community_of(store)
        delivered = store.delivered(0, 2**62)
        found = list(leaves_from(store, community, delivered[0], delivered[-1]))
        clock, nets = community.clock, dict[tuple[int, int], int]()
        ends = {clock.period(book.slot): leaves for book, leaves in found if clock.ends_period(book.slot)}
        assert len(ends) == 2
        for book, leaves in found:
            for member in range(3):
                net = proof_of(ledger, member, leaves, ends[clock.period(book.slot)]).check(ledger)
                nets[clock.period(book.slot), member] = net
        assert len({net for net in nets.values() if net}) > 3


@pytest.mark.parametrize(
    ("point", "count"),
    [
        ("chain", 26),
        *(
            pytest.param(p, n, marks=pytest.mark.long)
            for p, n in [
                ("chain", 1),
                ("chain", 24),
                ("chain", 25),
                ("chain", 27),
                ("chain", 48),
                ("database", 24),
                ("database", 26),
            ]
        ),
    ],
)
def test_killed_in_any_step_it_ends_in_the_same_state(made, tmp_path, point, count):
    file = grouped(tmp_path)
    command = ["run", str(file), "--no-page", "--json", "--state", str(tmp_path / "state")]
    died = subprocess.run(
        [sys.executable, "-c", KILL_AT, point, str(count), *command], capture_output=True, check=False
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    called = call(*command)
    assert called.code == 0, called.err
    ours, theirs = json.loads(called.out), json.loads((made / "printed.json").read_text())
    for summary in (ours, theirs):
        del summary["seconds"], summary["chain"]["url"]
    assert ours == theirs


# -- commands


def test_status_tells_of_every_group(made):
    called = call("chain", "status", "--node", f"embedded:{made / 'state'}", "--json")
    assert called.code == 0, called.err
    facts = json.loads(called.out)
    assert facts["sound"]
    assert [(group["members"], group["code"], group["sound"]) for group in facts["groups"].values()] == [
        (1, "as deployed", True),
        (2, "as deployed", True),
    ]
    assert list(facts["balances_n"]) == ["a", "b", "c", "supplier", "network", "community", "levy", "credits"]
    assert {facts["settled_period"], *(group["settled_period"] for group in facts["groups"].values())} == {
        facts["settled_period"]
    }


def prove(made: Path, account: str, slot: str, output: Path) -> dict[str, Any]:
    called = call(
        "chain", "prove", "--state", made / "state", "--member", account, "--slot", slot, "-o", output, "--json"
    )
    assert called.code == 0, called.err
    facts: dict[str, Any] = json.loads(called.out)
    return facts


@pytest.mark.parametrize(
    ("member", "where"), [("a", "group 1, place 0"), ("b", "group 2, place 0"), ("c", "group 2, place 1")]
)
def test_a_member_proves_its_leaf_and_finds_nothing_to_challenge(made, tmp_path, member, where):
    file = tmp_path / "leaf.json"
    facts = prove(made, member, "2017-06-07T12:00Z", file)
    assert (facts["settlement"], facts["whole"], facts["on_chain"]) == (where, "paid", True)
    called = call("chain", "challenge", file, "--node", f"embedded:{made / 'state'}", "--json")
    assert called.code == 0, called.err
    assert json.loads(called.out)["found"] == "nothing to challenge"


def test_a_named_account_has_a_leaf_a_period(made, tmp_path):
    assert prove(made, "supplier", "2017-06-07T23:00Z", tmp_path / "leaf.json")["settlement"] == "the whole"
    called = call("chain", "prove", "--state", made / "state", "--member", "supplier", "--slot", "2017-06-07T12:00Z")
    assert called.code
    assert "give the last slot" in called.err


def held_at_noon(state: Path, member: str, output: Path) -> dict[str, Any]:
    """What a member's leaf of certificates says of a sunny slot, and its file."""
    words = ("--state", state, "--member", member, "--slot", "2017-06-07T12:00Z", "-o", output)
    called = call("chain", "certificates", *words, "--json")
    assert called.code == 0, called.err
    found: dict[str, Any] = json.loads(called.out)
    return found


def test_certificates_of_a_group_leave_as_tokens_and_are_claimed_in_its_contract(made, tmp_path, monkeypatch):
    """What the producer holds becomes tokens, once; whoever used energy of the slot claims them, within the group."""
    state, node = shutil.copytree(made / "state", tmp_path / "state"), f"embedded:{tmp_path / 'copy.sqlite'}"
    monkeypatch.setattr(signing, "time", SimpleNamespace(time=lambda: 0))  # right after the run, as nothing has expired
    files = {member: tmp_path / f"{member}.json" for member in "abc"}
    facts = {member: held_at_noon(state, member, file) for member, file in files.items()}
    producer = max(facts, key=lambda member: len(facts[member]["leaving"]))
    assert facts[producer]["final"]
    shutil.copy(state / "chain.sqlite", tmp_path / "copy.sqlite")
    known = load(state / FILE)
    found = call("chain", "challenge", files[producer], "--node", node)
    assert "nothing to challenge" in found.out, found.err
    tokens, used = [], {}
    for member, file in files.items():
        sent = json.loads(call("chain", "exit", file, "--node", node, "--as", "operator", "--json").out)["sent"]
        tokens += sent["tokens"]
        again = call("chain", "exit", file, "--node", node, "--as", "operator")
        assert (again.code, "certificates: already out" in again.err) == (5, True)
        used[member] = facts[member]["consumed_wh"] - facts[member]["received_wh"]
    assert sum(int(line.split(": ")[1].split(" ")[0]) for line in tokens) > 0
    with closing(ChainClient.open(node)) as client:
        for line in tokens:
            token, rest = line.split(": ")
            wh, _, _, holder = rest.split(" ")
            accounts = {
                client.read(client.contract("settlement", known.part(name).address("settlement")), "accountOf",
                            known.part(name).index(name)): name
                for name in "abc"
            }  # fmt: skip
            owner = accounts[holder]
            words = ("--account", owner, "--member", owner, "--words", "home", "--tokens", token)
            file = ("--node", node, "--deployment", state / FILE)
            if used[owner]:
                done = call("chain", "tokens", "claim", *words, "--energies", str(min(int(wh), used[owner])), *file)
                assert done.code == 0, done.err
            more = call("chain", "tokens", "claim", *words, "--energies", str(used[owner] + 1), *file)
            assert "beyond consumption" in more.err or "insufficient" in more.err, more.err


def test_no_certificate_is_claimed_across_groups(made):
    with opened(made / "state") as (store, ledger):
        community, claimed = community_of(store), 0
        delivered = store.delivered(0, 2**62)
        for book, _ in leaves_from(store, community, delivered[0], delivered[-1]):
            c = book.certificates
            for device, owner, state in zip(c.device.tolist(), c.owner.tolist(), c.state.tolist(), strict=True):
                if owner < len(community.members):
                    assert ledger.group_of(device // 2)[0] == ledger.group_of(owner)[0]
                    claimed += state == CertificateState.CLAIMED
        assert claimed


@pytest.mark.parametrize("member", ["a", "b", "c"])
def test_the_judge_of_a_group_convicts_nothing_of_an_honest_slot(made, member):
    with opened(made / "state") as (store, ledger):
        community = community_of(store)
        clock, index = community.clock, community.ids.index(member)
        number, place = ledger.group_of(index)
        delivered = store.delivered(0, 2**62)
        for book, leaves in leaves_from(store, community, delivered[-24], delivered[-1]):
            of = clock.number(book.slot)
            group = ledger.groups[number]
            tree = group.ledger.carbon_tree(carbon_of_group(carbon_leaves_of(book, of, community), group.members))
            own = group.ledger.tree(leaves_of_group(leaves, group.members))
            leaf, (rest, rows) = tree.leaf(place), member_record(book, index, community)
            assert with_rest(rest, rows) == leaf.fills
            assert tree.root == ledger.opening(number, of).commitment.certificates
            assert not judge.wrong_leaf(of, place, leaf, tree.proof(place))
            assert not judge.wrong_bundles(leaf, [tuple(row) for row in rows.tolist()])
            assert not judge.wrong_money(leaf, own.leaf(place))


@pytest.mark.parametrize("member", ["a", "c"])
def test_a_statement_leads_from_the_group_to_the_whole(made, tmp_path, member):
    file = tmp_path / "statement.json"
    said = call("statement", "--state", made / "state", "--member", member, "-o", file)
    assert said.code == 0, said.err
    held = call("verify", file, "--state", made / "state")
    assert held.code == 0, held.err + held.out
    assert "2 of them paid there too" in held.out
    whole = load(made / "state" / FILE).address("settlement")
    assert call("verify", file, "--state", made / "state", "--contract", whole).code == 0


@pytest.mark.parametrize("change", ["group_leaf", "link_leaf", "links"])
def test_a_statement_with_another_whole_is_contradicted(made, tmp_path, change):
    file = tmp_path / "statement.json"
    assert call("statement", "--state", made / "state", "--member", "b", "-o", file).code == 0
    statement = json.loads(file.read_text())
    one = statement["periods"][0]["whole"]
    if change == "links":
        one["links"][0]["root"] = "11" * 32
    else:
        one[change]["sums"][0][0] += 1
    file.write_text(json.dumps(statement))
    held = call("verify", file, "--state", made / "state")
    assert held.code == 1, held.err


# -- size

MANY = 5_000
LARGE = """
name = "Five thousand"
currency = "EUR"

[market]
slot_minutes = 60
slots_per_period = 6

[tariff]
supply_micro_per_kwh = 280_000
feed_in_micro_per_kwh = 80_000
network_fee_micro_per_kwh = 30_000

[accounts]
opening_n = 50_000_000_000
top_up_below_n = 1_000_000_000
top_up_to_n = 50_000_000_000

[carbon]
pv_g_per_kwh = 45
grid_g_per_kwh = 350

[forecast]
model = "last-day"
maintain = "off"

[data]
readings = "readings.csv"
"""


@pytest.mark.long
def test_five_thousand_members_settle_in_two_groups(tmp_path):
    draw, lines = random.Random(3), ["slot_start,member,consumption_wh,generation_wh"]
    for hour in range(24 + 13):
        at = f"2017-06-{5 + hour // 24:02d}T{hour % 24:02d}:00:00Z"
        lines += [
            f"{at},m{member},{draw.randint(0, 900)},{draw.randint(0, 1_500) if member % 3 == 0 else 0}"
            for member in range(MANY)
        ]
    (tmp_path / "readings.csv").write_text("\n".join(lines) + "\n")
    members = "".join(f'\n[[members]]\nid = "m{member}"\npv_w = 1_500\n' for member in range(MANY))
    (tmp_path / "community.toml").write_text(LARGE + members)
    called = call("run", tmp_path / "community.toml", "--no-page", "--json", "--state", tmp_path / "state")
    assert called.code == 0, called.err
    assert json.loads(called.out)["ledger_equals_chain"]
    with opened(tmp_path / "state") as (_, ledger):
        assert [len(group.members) for group in ledger.groups] == [2_500, 2_500]
        assert ledger.whole.settled_period > 0
    for member in ("m0", "m2499", "m2500", "m4999"):
        assert prove(tmp_path, member, "2017-06-06T05:00Z", tmp_path / f"{member}.json")["whole"] == "paid"
