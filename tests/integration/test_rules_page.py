"""The operator drafts rules on the page: rehearsed on the last days, set from a slot on, undone before it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tests.integration.governed import governed_state
from tests.integration.samples import write_community
from tests.integration.test_accounts import SECURE, browser
from tests.integration.test_api import bearer
from tests.waiting import until
from transactive.cli.token.actions import create_token
from transactive.config.community_file import load
from transactive.core.errors import InputError
from transactive.core.slots import DAY, parse_time, time_text
from transactive.services.governing.drafts import drafts
from transactive.services.governing.rules_file import MARK, set_blocks, set_numbers, undo
from transactive.services.readings.inbox import NOTE

FEE = {"network_fee": "3.1", "since": "2099-02-01", "days": "7"}
SINCE = parse_time("2099-02-01T00:00Z")


@pytest.fixture
def state(sample_state, tmp_path) -> Path:
    folder = Path(shutil.copytree(sample_state, tmp_path / "state"))
    (folder / NOTE).write_text(str(write_community(tmp_path)))
    return folder


@pytest.fixture
def page(state) -> Iterator[TestClient[Litestar]]:
    with browser(state, SECURE) as client:
        client.headers.update(bearer(create_token(state, "operator", None)))
        yield client


def rehearsed(page, folder: Path) -> str:
    """Digest of a draft, once it is there."""
    answer = page.post("/rules/drafts", data=FEE, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    assert until(lambda: drafts(folder), "a draft")
    return drafts(folder)[0].digest


def test_a_draft_is_rehearsed_set_from_its_slot_on_and_undone(page, state, tmp_path):
    file = tmp_path / "community.toml"
    before = file.read_text()
    digest = rehearsed(page, state)
    shown = page.get("/rules").text
    assert "Network fee of 3.10 ct/kWh from 1 February 2099, 00:00 on" in shown
    assert "A replay is not a forecast" in shown
    answer = page.post("/rules/blocks", data={"digest": digest}, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    community = load(file)
    assert community.at(SINCE).tariff.network_fee_micro_per_kwh == 31_000
    assert community.at(SINCE - DAY).tariff.network_fee_micro_per_kwh == 30_000
    assert "by operator" in page.get("/rules").text
    twice = page.post("/rules/blocks", data={"digest": digest})
    assert twice.status_code == 400
    assert len(set_blocks(file)) == 1
    answer = page.post("/rules/undo", data={"since": SINCE}, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    assert file.read_text() == before
    assert page.post("/rules/undo", data={"since": SINCE}).status_code == 400


def test_what_is_no_draft_is_said_and_changes_nothing(page, state, tmp_path):
    file = tmp_path / "community.toml"
    before = file.read_text()
    for wrong, why in (
        ({**FEE, "network_fee": ""}, "nothing is changed"),
        ({**FEE, "network_fee": "3 kWh"}, "Network fee"),
        ({**FEE, "since": "someday"}, "someday"),
        ({**FEE, "days": "9"}, "days: takes 7, 14, 28"),
    ):
        answer = page.post("/rules/drafts", data=wrong)
        assert answer.status_code == 400
        assert why in answer.text
    assert page.post("/rules/blocks", data={"digest": "0" * 64}).status_code == 400
    assert file.read_text() == before


def test_with_a_governor_a_draft_can_only_be_proposed_by_a_member(sample_state, tmp_path):
    folder = governed_state(tmp_path, sample_state)
    (folder / NOTE).write_text(str(tmp_path / "community.toml"))
    with browser(folder, SECURE) as client:
        client.headers.update(bearer(create_token(folder, "operator", None)))
        digest = rehearsed(client, folder)
        refused = client.post("/rules/blocks", data={"digest": digest})
        assert refused.status_code == 400
        assert "members decide on these numbers" in refused.text
    assert MARK not in (tmp_path / "community.toml").read_text()
    with browser(folder, SECURE) as client:
        client.headers.update(bearer(create_token(folder, "member", "b", acts=True)))
        shown = client.get("/deciding").text
        assert "Drafted by the operator: Network fee of 3.10 ct/kWh" in shown
        form = {"kind": "propose", "key": "k", "document": digest}
        answer = client.post("/deciding/acts", data=form, follow_redirects=False)
        assert answer.status_code == 303, answer.text
        shown = client.get("/deciding").text
        assert "proposed by you (no. 1)" in shown
        assert "Drafted by the operator" not in shown
        assert "For your home" in shown


def test_a_block_is_whole_or_not_at_all_and_only_the_last_is_undone(tmp_path):
    file, state = write_community(tmp_path), tmp_path / "state"
    state.mkdir()
    before = file.read_text()
    who = ("ada\nslot = 1", SINCE)
    with pytest.raises(InputError, match="too early"):
        set_numbers(state, file, {"network-fee": 1}, SINCE, SINCE + 3600, who)
    with pytest.raises(InputError, match=r"community\.toml"):  # the community does not share
        set_numbers(state, file, {"sharing-fee": 1}, SINCE, 0, who)
    assert (file.read_text(), list(tmp_path.glob(".*"))) == (before, [])
    set_numbers(state, file, {"network-fee": 31_000, "levy-mode": 2}, SINCE, 0, who)
    set_numbers(state, file, {"levy-price": 80_000_000}, SINCE + DAY, 0, who)
    first, second = set_blocks(file)
    assert first.numbers == {"network-fee": 31_000, "levy-mode": 2}
    assert (first.by, second.since) == ("adaslot = 1", SINCE + DAY)
    with pytest.raises(InputError, match="is not its last block"):
        undo(state, file, SINCE, 0)
    with pytest.raises(InputError, match="has begun"):
        undo(state, file, SINCE + DAY, SINCE + 2 * DAY)
    undo(state, file, SINCE + DAY, 0)
    undo(state, file, SINCE, 0)
    assert file.read_text() == before
    set_numbers(state, file, {"network-fee": 31_000}, SINCE, 0, who)
    file.write_text(
        file.read_text()
        + f'\n[[from]]\nslot = "{time_text(SINCE + DAY)}"\n[from.tariff]\nnetwork_fee_micro_per_kwh = 1\n'
    )
    with pytest.raises(InputError, match="is not its last block"):
        undo(state, file, SINCE, 0)
