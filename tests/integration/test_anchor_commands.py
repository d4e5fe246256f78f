"""`transactive chain anchor`, and `verify` with an anchor: the operator's own chain, known to another one."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from tests.integration.conftest import call
from transactive.chain.anchoring import AnchorFile, anchored_in, load_anchor
from transactive.chain.keys.keys import DemoKeys
from transactive.chain.nodes.client import ChainClient
from transactive.core.errors import InputError
from transactive.core.proofs.anchors import ChainHead

KEYS = DemoKeys()
PUBLISHER = "3"


@pytest.fixture(scope="module")
def anchored(demo_run, tmp_path_factory):
    """Folder with another chain, which notes the newest block of the demo's, and a statement of one home."""
    folder = tmp_path_factory.mktemp("anchored")
    there = f"embedded:{folder / 'there.sqlite'}"
    with closing(ChainClient.open(there, genesis_time=1, alloc=[KEYS.account(3).address])) as client:
        client.block(1_500_000_000)
    told = call(
        "chain", "anchor", demo_run.folder, "--node", there, "--as", PUBLISHER, "-o", folder / "files", "--json"
    )
    assert told.code == 0, told.err
    facts = json.loads(told.out)
    statement = folder / "house-04.json"
    made = ("--state", demo_run.folder, "--member", "house-04", "--to", "2017-06-05T12:00Z", "-o", statement)
    assert call("statement", *made).code == 0
    return folder, there, facts, statement


def verified(anchored, demo_run, *more):
    _, there, facts, statement = anchored
    given = ("--anchor", facts["written"][0], "--anchor-node", there)
    return call("verify", statement, "--state", demo_run.folder, "--json", *(more or given))


def test_an_anchor_is_told_in_place_of_the_operators_own_word(anchored, demo_run):
    _, _, facts, statement = anchored
    plain, with_anchor = call("verify", statement, "--state", demo_run.folder, "--json"), verified(anchored, demo_run)
    assert "self-consistent, not independent" in json.loads(plain.out)["worth"]
    assert with_anchor.code == 0
    told = json.loads(with_anchor.out)
    assert told["worth"].startswith(f"anchored since block {facts['block']} of chain ")
    assert "self-consistent" not in told["worth"]
    assert "not anchored yet" not in told["worth"]


def test_what_is_noted_names_nobody(anchored, demo_run):
    """Only a root is on the other chain: neither the settlement's address nor the block's hash can be found there."""
    folder, _, facts, _ = anchored
    file = load_anchor(Path(facts["written"][0]))
    data = (folder / "there.sqlite").read_bytes()
    for secret in (file.head.settlement, file.head.hash, file.head.salt):
        assert bytes.fromhex(secret[2:]) not in data
    assert file.root in data


def test_a_chain_that_was_written_anew_is_found_out(anchored, demo_run, tmp_path):
    """The operator shows another block of the number that was anchored."""
    _, there, facts, statement = anchored
    file = load_anchor(Path(facts["written"][0]))
    other = msgspec.structs.replace(file, head=msgspec.structs.replace(file.head, number=file.head.number - 1))
    path = tmp_path / "other.anchor.json"
    path.write_bytes(msgspec.json.encode(other))
    told = call("verify", statement, "--state", demo_run.folder, "--anchor", path, "--anchor-node", there)
    assert told.code != 0
    assert "no block of that chain notes this head" in told.err
    true, made_up = (
        file.head.content,
        ChainHead(file.head.chain_id, file.head.settlement, file.head.number, bytes(32), bytes(32)),
    )
    assert true.contradicts(made_up)
    with closing(ChainClient.open(there)) as client:
        from transactive.chain.anchoring import anchor

        [lie] = anchor(client, KEYS.account(3), client.contract("anchors", facts["contract"]), [made_up])
        client.block(client.head_timestamp + 1)
    path.write_bytes(msgspec.json.encode(lie))
    told = call("verify", statement, "--state", demo_run.folder, "--anchor", path, "--anchor-node", there)
    assert told.code == 1
    assert "is not the one that was anchored" in told.out


def test_what_is_wrong_with_an_anchor_is_told_in_a_line(anchored, demo_run, tmp_path):
    _, there, facts, _ = anchored
    told = verified(anchored, demo_run, "--anchor", facts["written"][0])
    assert "--anchor and --anchor-node go together" in told.err
    told = call("chain", "anchor", tmp_path, "--node", there, "--as", PUBLISHER)
    assert "has no chain of its own" in told.err
    told = call("chain", "anchor", demo_run.folder, "--node", there, "--as", PUBLISHER, "--contract", "here")
    assert "is no address" in told.err
    shutil.copytree(demo_run.folder, tmp_path / "again" / demo_run.folder.name)
    same = tmp_path / "again" / demo_run.folder.name
    told = call("chain", "anchor", demo_run.folder, same, "--node", there, "--as", PUBLISHER)
    assert "two state folders have the same name" in told.err
    good = Path(facts["written"][0]).read_bytes()
    path = tmp_path / "bad.json"
    for old, new, why in ((b'"way"', b'"ways"', "way"), (b'"hash": "0x', b'"hash": "0y', "head.hash is not what")):
        path.write_bytes(good.replace(old, new))
        with pytest.raises(InputError, match=why):
            load_anchor(path)
    assert isinstance(load_anchor(Path(facts["written"][0])), AnchorFile)


def test_a_contract_that_says_what_it_likes_anchors_nothing(anchored):
    """Who keeps the books names the contract in the file: one of its own could answer with any block and time."""
    _, there, facts, _ = anchored
    file = load_anchor(Path(facts["written"][0]))
    with closing(ChainClient.open(there)) as client:
        other = client.deploy(KEYS.account(3), "currency", "Any", "ANY", 1)
        client.block(client.head_timestamp + 1)
        lie = msgspec.structs.replace(file, contract=str(other.address))
        with pytest.raises(InputError, match="is not that of anchors"):
            anchored_in(client, lie)


def test_a_chain_is_not_anchored_on_itself_nor_on_one_that_is_not_there(anchored, demo_run, tmp_path):
    _, _, facts, statement = anchored
    given = ("--state", demo_run.folder, "--anchor", facts["written"][0], "--anchor-node")
    told = call("verify", statement, *given, f"embedded:{demo_run.folder}")
    assert "is the chain that is anchored" in told.err
    missing = tmp_path / "typo.sqlite"
    told = call("verify", statement, *given, f"embedded:{missing}")
    assert "there is no chain at" in told.err
    assert not missing.exists()


def test_an_anchor_keeps_the_file_of_an_earlier_one_and_is_on_disk_first(anchored, demo_run, tmp_path):
    _, there, facts, _ = anchored
    path = Path(facts["written"][0])
    before = path.read_bytes()
    told = call("chain", "anchor", demo_run.folder, "--node", there, "--as", PUBLISHER, "-o", path.parent)
    assert "keep it, and name another --output" in told.err
    assert path.read_bytes() == before
    (tmp_path / "file").write_text("")
    with closing(ChainClient.open(there)) as client:
        height = client.height
    told = call("chain", "anchor", demo_run.folder, "--node", there, "--as", PUBLISHER, "-o", tmp_path / "file")
    assert "give a folder that can be written" in told.err
    with closing(ChainClient.open(there)) as client:
        assert client.height == height, "nothing was noted"
