"""The explorer: a search leads to a page of its own, and a leaf's way to the root can be followed and hashed again."""

import re
import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from tests.integration.test_api import MEMBER, SLOT, bearer, serving
from transactive.cli.token.actions import create_token
from transactive.core.errors import InputError
from transactive.core.slots import parse_time
from transactive.services.statements.leaf_proof import leaf_proof

AT = SLOT.replace(":00Z", "Z")


@pytest.fixture(scope="module")
def client(demo_run):
    with serving(demo_run.folder) as client:
        yield client


def test_a_leaf_leads_to_the_root_that_the_contract_logged(demo_run):
    proof = leaf_proof(demo_run.folder, MEMBER, parse_time(SLOT))
    assert proof.holds
    assert proof.root == proof.committed
    assert proof.steps[0].own == proof.leaf
    assert proof.steps[-1].parent == proof.root
    for step, after in pairwise(proof.steps):
        assert step.parent == after.own
    assert all(len(step.sibling) == 66 for step in proof.steps)
    assert proof.sums["imported_wh"] > 0


def test_what_is_not_in_the_run_has_no_proof(demo_run):
    with pytest.raises(InputError, match="nobody"):
        leaf_proof(demo_run.folder, "nobody", parse_time(SLOT))
    with pytest.raises(InputError, match="not in this run"):
        leaf_proof(demo_run.folder, MEMBER, parse_time("2016-06-08T03:00Z"))


def test_another_leaf_does_not_hold(demo_run):
    one, other = (leaf_proof(demo_run.folder, name, parse_time(SLOT)) for name in ("house-04", MEMBER))
    assert one.leaf != other.leaf
    assert one.root == other.root


def test_pages_show_contracts_blocks_and_a_proof(client):
    front = client.get("/explorer").text
    assert re.search(r'id="contract-settlement"', front)
    blocks = re.findall(r'href="/explorer/slots/([^"/]+)"', front)
    assert len(blocks) >= 25
    older = re.findall(r'id="older" href="([^"]+)"', front)[0]
    assert "Newest" in client.get(older).text
    page = client.get(f"/explorer/slots/{AT}").text
    assert page.count(f"/explorer/slots/{AT}/house-") == 14
    assert "Until its period is paid the operator can take it back" in page
    assert "The leaf leads to the root on chain" in client.get(f"/explorer/slots/{AT}/{MEMBER}").text


def test_a_search_leads_to_what_it_names(client):
    front, block = client.get("/explorer").text, client.get(f"/explorer/slots/{AT}").text
    number, digest = re.findall(r'id="h-block">Block ([\d,]+)<', block)[0], re.findall(r"0x[0-9a-f]{64}", block)[0]
    address = re.findall(r"0x[0-9a-fA-F]{40}(?![0-9a-fA-F])", front)[0]
    newest = f"/explorer/slots/2017-06-11T23:00Z/{MEMBER}"
    for text, place in (
        (SLOT, f"/explorer/slots/{AT}"),
        (number.replace(",", ""), f"/explorer/slots/{AT}"),
        (digest, f"/explorer/slots/{AT}"),
        (f" {digest.upper().replace('0X', '0x')} ", f"/explorer/slots/{AT}"),
        (address, "/explorer#contract-settlement"),
        (MEMBER, newest),
        (MEMBER.upper(), newest),
    ):
        answer = client.get("/explorer", params={"find": text}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, place), text
    for text in ("nothing", "0x" + 64 * "1", "0x" + 40 * "1", "999999", "2016-01-01T00:00Z"):
        answer = client.get("/explorer", params={"find": text})
        assert answer.status_code == 404, text
        assert text in answer.text


def test_a_member_follows_its_own_leaf_only(demo_run, tmp_path):
    folder = Path(shutil.copytree(demo_run.folder, tmp_path / "state"))
    headers = bearer(create_token(folder, "member", MEMBER))
    with serving(folder, local=False) as client:
        assert client.get(f"/explorer/slots/{AT}/{MEMBER}", headers=headers).status_code == 200
        assert client.get(f"/explorer/slots/{AT}/house-04", headers=headers).status_code == 403
        assert "house-04" not in client.get(f"/explorer/slots/{AT}", headers=headers).text
