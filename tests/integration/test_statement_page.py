"""The statement that a member takes from its page: its own, of a day that the run has, and kept in no cache."""

from __future__ import annotations

import json
import shutil
from contextlib import closing

import pytest
from litestar.testing import TestClient

from tests.integration.test_api import ELSEWHERE, bearer
from transactive.cli.token.actions import create_token
from transactive.core.slots import time_text
from transactive.store import Store
from transactive.store.read.runs import Reader
from transactive.web.app import build_app
from transactive.web.change_feed import ChangeFeed

PATH = "/member/statement"


@pytest.fixture(scope="module")
def member(sample_state, tmp_path_factory):
    """What member b asks with its token, and a time of the run's first day."""
    folder = tmp_path_factory.mktemp("statements") / "state"
    shutil.copytree(sample_state, folder)
    token = create_token(folder, "member", "b")
    with closing(Store(folder)) as store:
        reader = Reader(store)
        app = build_app(folder, ChangeFeed(reader), local=False)
        with TestClient(app, ELSEWHERE, raise_server_exceptions=False) as client:
            client.headers.update(bearer(token))
            run = reader.run()
            assert run is not None
            yield client, time_text(run.first_slot)


@pytest.mark.parametrize("asked", ["", "?member=a", "?member=a&member=b"])
def test_a_member_gets_its_own_whomever_it_names(member, asked):
    client, _ = member
    answer = client.get(f"{PATH}/json{asked}")
    assert json.loads(answer.content)["member"]["id"] == "b"
    assert answer.headers["cache-control"] == "no-store"
    assert 'filename="b.json"' in answer.headers["content-disposition"]


@pytest.mark.parametrize(
    "day",
    ["9999-12-31T23:00Z", "9999-12-31T23:00-14:00", "0001-01-01T00:00Z", "0001-01-01T00:00%2B14:00", "", "2017-06-05"],
)
def test_a_day_that_the_run_has_not_is_refused_in_words(member, day):
    client, _ = member
    assert client.get(f"{PATH}/json?day={day}").status_code == 400


def test_a_day_is_handed_out_in_three_forms(member):
    client, first = member
    types = {form: client.get(f"{PATH}/{form}?day={first}").headers["content-type"] for form in ("html", "csv", "json")}
    assert types == {
        "html": "text/html; charset=utf-8",
        "csv": "text/csv; charset=utf-8",
        "json": "application/json",
    }
