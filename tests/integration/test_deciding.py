"""Members decide on their page and through the API: proposed, seconded, voted with their own keys, seen by all."""

from __future__ import annotations

import json
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from tests.integration.conftest import call
from tests.integration.governed import governed_state
from tests.integration.samples import write_community
from tests.integration.test_accounts import SECURE, browser, join
from tests.integration.test_api import bearer
from tests.shared import made_once
from transactive.chain.governance import place
from transactive.chain.keys.keys import DemoKeys
from transactive.cli.token.actions import create_token
from transactive.config.setting import Setting
from transactive.core.errors import ContractRevert, InputError, SignatureError
from transactive.core.governance.ballots import Ballot
from transactive.core.governance.decided import Decided
from transactive.core.slots import parse_time
from transactive.engine.governance.recorded_rules import decided_in, note, recorded
from transactive.face.load import load
from transactive.services.governing.acting import Decider, decide, signed_ballot, waiting_ballots
from transactive.services.governing.asked import AskBallot, AskPropose, AskProxy, AskSecond, AskVote
from transactive.services.governing.standing import Decisions
from transactive.store import Store

FORM_KEY = re.compile(r'name="key" value="([^"]+)"')
SINCE = "2099-02-01T00:00Z"


@pytest.fixture(scope="module")
def made(sample_state, tmp_path_factory) -> Path:
    """The run with a governor, before anything is proposed."""

    def make(folder: Path) -> None:
        governed_state(folder, sample_state)

    return made_once(tmp_path_factory, "governed", make)


@pytest.fixture
def state(made, tmp_path) -> Path:
    """A copy of one's own, on a chain of its own."""
    folder = Path(shutil.copytree(made, tmp_path / "governed"))
    known = place.place_of(folder / "state")
    assert known is not None
    (folder / "state" / place.FILE).unlink()
    place.note_place(folder / "state", f"embedded:{folder / 'governed.sqlite'}", known.deployment)
    return folder / "state"


@pytest.fixture
def open_vote(state) -> Decisions:
    """A proposal of home a on the network fee, seconded by the others: all of a small community are needed."""
    decisions = Decisions(state)
    decide(decisions, AskPropose(numbers={"network-fee": 31_000}, since=SINCE), by("a"))
    for name in ("b", "c"):
        decide(decisions, AskSecond(proposal=0), by(name))
    return decisions


def by(member: str, key: str = "", now: int = 4_000_000_000) -> Decider:
    """Somebody who asks, long after the governor was founded."""
    return Decider(member, key=key, now=now)


@contextmanager
def home(state: Path, member: str) -> Iterator[TestClient[Any]]:
    """The browser of somebody who lives in a home."""
    with browser(state, SECURE) as client:
        assert join(client, state, "member", member, name=f"ada-{secrets.token_hex(4)}").status_code == 303
        yield client


def standing(decisions: Decisions):
    found = decisions.standing()
    assert found is not None
    return found


def test_a_home_proposes_others_second_and_vote_and_all_see_it(state):
    with home(state, "a") as client:
        page = client.get("/deciding").text
        assert "Votes are public by index for ever" in page
        assert "Nothing is put to the vote now" in page
        assert 'href="/deciding" aria-current="page"' in page
        key = FORM_KEY.findall(page)[0]
        form = {"kind": "propose", "key": key, "network_fee": "3,1", "since": "2099-02-01"}
        assert client.post("/deciding/acts", data=form, follow_redirects=False).headers["location"] == "/deciding"
        assert client.post("/deciding/acts", data=form, follow_redirects=False).status_code == 303  # two clicks are one
        page = client.get("/deciding").text
        assert "Network fee of 3.10 ct/kWh from 1 February 2099, 00:00 on" in page
        assert "proposed by you (no. 0)" in page
        wrong = client.post("/deciding/acts", data={**form, "key": "x", "network_fee": "300 ct/kWh"})
        assert wrong.status_code == 400
        assert "can become" in wrong.text
    for name in ("b", "c"):
        with home(state, name) as client:
            answer = client.post(
                "/deciding/acts", data={"kind": "second", "key": "s", "proposal": 0}, follow_redirects=False
            )
            assert answer.status_code == 303, answer.text
            answer = client.post(
                "/api/v1/proposals/acts",
                json={"kind": "vote", "proposal": 0, "answer": "yes"},
                headers={"Idempotency-Key": "v"},
            )
            assert answer.status_code == (400 if name == "b" else 201), answer.text  # b comes before the vote began
    with home(state, "b") as client:
        assert "Vote yes" in client.get("/deciding").text
        form = {"kind": "vote", "key": "v2", "proposal": 0, "answer": "no"}
        assert client.post("/deciding/acts", data=form, follow_redirects=False).status_code == 303
        page = client.get("/deciding/0").text
        assert "You voted <b>no</b>" in page
        assert "member no. 2" in page
        assert "no. 2 (c)" not in page  # an index is public, who is behind it is not


def test_a_ballot_signed_elsewhere_counts_and_an_agents_does_not(open_vote):
    found, decisions = standing(open_vote).proposals[0], open_vote
    keys, where = DemoKeys("transactive"), (standing(open_vote).chain_id, standing(open_vote).governor)
    ballot = Ballot(0, found.content, 1, 1, 5)
    agent = keys.agent(1)
    assert agent is not None
    by_agent = ballot.signed(bytes(agent.key), *where).signature.hex()
    with pytest.raises(SignatureError, match="an agent's key cannot vote"):
        decide(decisions, AskBallot(proposal=0, answer="yes", turn=5, signature=by_agent), by("b"))
    own = ballot.signed(bytes(keys.account(1).key), *where).signature.hex()
    done = decide(decisions, AskBallot(proposal=0, answer="yes", turn=5, signature=own), by("b", "k"))
    assert decide(decisions, AskBallot(proposal=0, answer="yes", turn=5, signature=own), by("b", "k")) == done
    assert standing(decisions).proposals[0].votes[1] == ("yes", 5)
    with pytest.raises(InputError, match="used for another request"):
        decide(decisions, AskVote(proposal=0, answer="no"), by("b", "k"))
    changed = decide(decisions, AskVote(proposal=0, answer="no"), by("b"))
    assert changed.turn == 6
    assert standing(decisions).proposals[0].votes[1] == ("no", 6)


def test_a_ballot_waits_where_no_key_here_pays(open_vote, monkeypatch):
    monkeypatch.setattr("transactive.services.governing.acting._bring", lambda *_: None)
    done = decide(open_vote, AskVote(proposal=0, answer="yes"), by("c"))
    waiting = waiting_ballots(open_vote.folder, standing(open_vote))
    assert waiting == [done]
    signs = standing(open_vote).chain_id, standing(open_vote).governor
    assert signed_ballot(done).signer(*signs) == str(DemoKeys("transactive").account(2).address).lower()
    with home(open_vote.folder, "c") as client:
        assert "You signed <b>yes</b>: it waits here" in client.get("/deciding").text
    beside = open_vote.folder.parent
    where = ("--node", f"embedded:{beside / 'governed.sqlite'}", "--deployment", beside / "governed.json")
    told = call("govern", "tally", 0, "--state", open_vote.folder, *where, "--json")
    assert json.loads(told.out)["brought"] == 1
    assert call("govern", "tally", 0, "--state", open_vote.folder, *where).code == 3  # nothing waits any more
    open_vote.forget()
    assert standing(open_vote).proposals[0].votes[2] == ("yes", 1)
    assert waiting_ballots(open_vote.folder, standing(open_vote)) == []


def test_a_proxy_is_named_and_what_the_governor_refuses_is_said(open_vote):
    decide(open_vote, AskProxy(to=0), by("b"))
    assert standing(open_vote).proxies == {1: 0}
    decide(open_vote, AskProxy(), by("b"))
    assert standing(open_vote).proxies == {}
    with pytest.raises(ContractRevert, match="one proposal at a time"):
        decide(open_vote, AskPropose(numbers={"network-fee": 32_000}, since=SINCE), by("a"))
    with pytest.raises(InputError, match="none that members decide on"):
        decide(open_vote, AskPropose(numbers={"tax": 1}, since=SINCE), by("b"))


def test_with_the_chain_away_what_was_read_last_is_shown_and_said(open_vote):
    with home(open_vote.folder, "a") as client:
        assert "Network fee of 3.10" in client.get("/deciding").text
        for file in open_vote.folder.parent.glob("governed.sqlite*"):
            file.rename(file.with_name(f"away-{file.name}"))
        client.app.state.decisions.forget()
        page = client.get("/deciding").text
        assert "The chain does not answer" in page
        assert "Network fee of 3.10" in page
    with home(open_vote.folder, "b") as client:
        page = client.get("/deciding").text
        assert "the rules of the community file go on" in page


def test_without_a_governor_it_is_said_how_one_is_founded(sample_state, tmp_path):
    folder = shutil.copytree(sample_state, tmp_path / "state")
    with home(folder, "a") as client:
        page = client.get("/deciding").text
        assert "The rules are the operator’s yet" in page
        assert 'href="/deciding"' not in page
        assert client.get("/api/v1/proposals").json() == {
            "items": [], "governor": None, "chain_id": None, "electors": 0, "numbers": {}, "read": None, "away": None,
        }  # fmt: skip
        asked = {"kind": "second", "proposal": 0}
        assert client.post("/api/v1/proposals/acts", json=asked, headers={"Idempotency-Key": "1"}).status_code == 409


def test_an_operator_sees_names_and_cannot_act(open_vote):
    with browser(open_vote.folder, SECURE) as client:
        headers = bearer(create_token(open_vote.folder, "operator", None))
        page = client.get("/deciding", headers=headers).text
        assert "proposed by no. 0 (a)" in page
        assert "Put it forward" not in page
        found = client.get("/api/v1/proposals/0", headers=headers).json()
        assert (found["stage"], found["sets"][0]["value"]) == ("voting", 31_000)
        assert client.get("/api/v1/proposals/7", headers=headers).status_code == 404
        asked, key = {"kind": "second", "proposal": 0}, {"Idempotency-Key": "1"}
        assert client.post("/api/v1/proposals/acts", json=asked, headers={**headers, **key}).status_code == 403


def test_what_it_would_have_meant_is_shown_to_all_and_to_each_home_its_own(state):
    beside = state.parent
    where = ("--node", f"embedded:{beside / 'governed.sqlite'}", "--deployment", beside / "governed.json")
    typed = ("govern", "consequences", beside / "community.toml")
    made = call(*typed, "--set", "network-fee=31000", "--state", state, "--keep", "--json")
    assert made.code == 0, made.err
    digest = json.loads(made.out)["kept"]
    decisions = Decisions(state)
    decide(decisions, AskPropose(numbers={"network-fee": 31_000}, since=SINCE, document=digest), by("a"))
    told = json.loads(call(*typed, 0, *where, "--state", state, "--json").out)
    assert (told["proposal_binds"], told["is_what_it_binds"]) == (digest, False)  # other salts, so another root
    assert told["all_pay"] == json.loads(made.out)["all_pay"]
    with home(state, "b") as client:
        page = client.get("/deciding").text
        assert "A replay is not a forecast" in page
        assert "For your home" in page
        assert "Your line is one of those that add up to this" in page
        own = client.get("/api/v1/proposals/0/consequences").json()
        assert (own["line"]["member"], own["wrong"], own["document"]["members"]) == ("b", None, 3)
        line = state / "consequences" / digest / "lines" / "1.json"
        line.write_text(line.read_text().replace('"held_n": "', '"held_n": "1'))
        assert "Your line does not hold" in client.get("/deciding").text
    assert call(*typed, 0, "--state", state).code == 3  # of a proposal on no node
    with pytest.raises(InputError, match="are kept here"):
        decide(decisions, AskPropose(numbers={"network-fee": 31_000}, since=SINCE, document="0" * 64), by("b"))


def test_whoever_reads_the_community_reads_what_members_decided_on(sample_state, tmp_path):
    file = write_community(tmp_path)
    folder = Path(shutil.copytree(sample_state, tmp_path / "community.state"))

    def fee(setting: Setting) -> Any:
        return setting.community.at(parse_time(SINCE)).tariff.network_fee_micro_per_kwh

    assert fee(load(file).setting) == 30_000
    at = parse_time(SINCE)
    one = Decided(
        number="network-fee", value=31_000, since=at, holds_from=at, block=7, block_hash="0x" + "ab" * 32, at=0
    )
    note(folder, [one])
    assert fee(load(file).setting) == 31_000
    assert "1 decision of members, as the run beside it recorded" in call("check", file).out
    with closing(Store(folder)) as store:
        assert decided_in(store) == recorded(folder) == [one]
    folder.rename(tmp_path / "community.live")  # a live market's
    assert fee(load(file).setting) == 31_000
    file.write_text(file.read_text() + f'\n[[from]]\nslot = "{SINCE}"\n[from.tariff]\nnetwork_fee_micro_per_kwh = 1\n')
    assert "network-fee is what members decide on" in call("check", file).err
