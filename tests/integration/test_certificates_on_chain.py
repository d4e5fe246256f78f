"""Certificates of a run become tokens: proved from its folder, on a copy of its embedded chain and on Anvil."""

from __future__ import annotations

import json
import shutil
from contextlib import closing

import pytest

from tests.contract.anvil import anvil
from tests.integration.conftest import call
from transactive.carbon.certificates.records import with_rest
from transactive.chain.twins import certificate_disputes as judge
from transactive.core.proofs.merkle import REGISTERS
from transactive.core.proofs.slot_tree import SlotTree, depth_for_accounts
from transactive.core.slots import time_text
from transactive.engine.books.carbon_leaves import carbon_leaves_of, member_record
from transactive.engine.books.rebuilt import leaves_from
from transactive.store import Store


@pytest.fixture
def run(demo_run, tmp_path):
    """A copy of the demo's folder, and a member whose device has bundles left in a slot whose period was paid."""
    folder = tmp_path / "run"
    shutil.copytree(demo_run.folder, folder)
    store = Store(folder)
    for slot in demo_run.slots:
        table = store.certificates(slot)
        left = [int(device) for device, state in zip(table.device, table.state, strict=True) if state == 1]
        if left:
            break
    store.close()
    return folder, demo_run.setting.community.ids[left[0] // 2], time_text(slot)


@pytest.mark.parametrize("kind", ["embedded", pytest.param("anvil", marks=pytest.mark.service)])
def test_a_members_certificates_leave_once(run, tmp_path, kind):
    folder, member, slot = run
    file = tmp_path / "certificates.json"
    made = call("chain", "certificates", "--state", folder, "--member", member, "--slot", slot, "-o", file, "--json")
    assert made.code == 0, made.err
    facts = json.loads(made.out)
    assert facts["final"] is True
    assert facts["issued_wh"] == facts["metered_wh"] > facts["claimed_wh"]
    refused = call("chain", "exit", file, "--node", f"embedded:{folder}", "--as", "3")
    assert (refused.code, "belongs to a run" in refused.err) == (4, True)
    if kind == "embedded":
        leave(folder, file, f"embedded:{tmp_path / 'copy.sqlite'}")
    else:
        with anvil() as url:
            leave(folder, file, url)


def leave(folder, file, node):
    """Move the chain, look, send, and send again."""
    assert call("chain", "replay", "--node", f"embedded:{folder}", "--to", node).code == 0
    looked = json.loads(call("chain", "exit", file, "--node", node, "--json").out)
    assert looked["sent"] is None
    sent = json.loads(call("chain", "exit", file, "--node", node, "--as", "3", "--json").out)["sent"]
    assert len(sent["tokens"]) == len({line.split(":")[0] for line in sent["tokens"]})
    assert sum(int(line.split(": ")[1].split(" ")[0]) for line in sent["tokens"]) == looked["leaving_wh"] > 0
    again = call("chain", "exit", file, "--node", node, "--as", "3")
    assert (again.code, "certificates: already out" in again.err) == (5, True)


def test_a_run_commits_nothing_that_its_judge_would_convict(demo_run):
    """Every leaf of a day, with its bundles, the settlement's leaf and the gateway's registers beside it."""
    community, clock = demo_run.setting.community, demo_run.setting.community.clock
    first = demo_run.slots[24]
    store, depth = Store(demo_run.folder), depth_for_accounts(community.chart.on_chain)
    bundles = 0
    with closing(store):
        for book, leaves in leaves_from(store, community, first, first + 23 * clock.length):
            number = clock.number(book.readings.slot)
            own, tree = SlotTree(leaves, depth, b"s"), SlotTree(carbon_leaves_of(book, number, community), depth, b"s")
            for index in range(community.chart.members):
                leaf, (rest, rows) = tree.leaf(index), member_record(book, index, community)
                registers = [int(getattr(book.readings, name)[index]) for name in REGISTERS.names]
                assert with_rest(rest, rows) == leaf.fills
                assert not judge.wrong_leaf(number, index, leaf, tree.proof(index))
                assert not judge.wrong_bundles(leaf, [tuple(row) for row in rows.tolist()])
                assert not judge.wrong_money(leaf, own.leaf(index))
                assert not judge.wrong_reading(leaf, REGISTERS.pack(registers))
                bundles += len(rows)
    assert bundles > 300


def test_what_was_handed_over_ends_in_the_register_of_the_run(run, tmp_path):
    """And what somebody used in the register is not handed over."""
    folder, member, slot = run
    where = ("--state", folder, "--member", member, "--slot", slot)
    left = json.loads(call("certificates", "list", "--state", folder, "--json").out)
    mine = [one["serial"] for one in left if one["serial"].split("/")[1] == slot and one["device"].startswith(member)]
    assert mine
    assert call("chain", "certificates", *where, "-o", tmp_path / "one.json").code == 0
    assert call("chain", "certificates", *where, "-o", tmp_path / "two.json").code == 0
    done = call("certificates", "cancel", mine[0], "--beneficiary", "Dora", "--reason", "twice", "--state", folder)
    assert done.code != 0
    assert "exported" in done.err


def test_what_was_used_is_not_handed_over(run, tmp_path):
    folder, member, slot = run
    left = json.loads(call("certificates", "list", "--state", folder, "--json").out)
    mine = [one["serial"] for one in left if one["serial"].split("/")[1] == slot and one["device"].startswith(member)]
    assert call("certificates", "withdraw", mine[0], "--state", folder).code == 0
    file = tmp_path / "one.json"
    done = call("chain", "certificates", "--state", folder, "--member", member, "--slot", slot, "-o", file)
    assert done.code != 0
    assert "withdrawn" in done.err
    assert not file.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace('"chain_id": 31337', '"chain_id": 1'), "of chain 1"),
        (lambda text: text.replace('"bundles": [', '"bundles": [[0, 0, 1, 0, 1, 0], '), "not those of the leaf"),
        (lambda text: text.replace('"previous": "0x', '"previous": "'), "is not 0x-hex"),
        (lambda text: text[:-9], "docs/concepts/settlement.md"),
    ],
)
def test_files_that_are_refused(run, tmp_path, change, message):
    folder, member, slot = run
    file = tmp_path / "one.json"
    assert call("chain", "certificates", "--state", folder, "--member", member, "--slot", slot, "-o", file).code == 0
    file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")
    done = call("chain", "exit", file, "--node", f"embedded:{folder}")
    assert done.code != 0
    assert message in done.err
