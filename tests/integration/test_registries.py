"""A run's register as a registry: what programs may do over EnergyTag's API, and bundles that go to another one."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar.testing import TestClient

from tests.integration.conftest import call
from tests.integration.dying_registry import GIVER, TAKER
from tests.integration.test_going_on import COMMUNITY, run, write_readings
from tests.shared import made_once
from tests.waiting import until
from transactive.carbon.certificates.handover import BundleOffer, BundleRecall, HandOverWord
from transactive.carbon.certificates.lifecycle import State
from transactive.core.errors import CertificateError, StateError
from transactive.protocols.energytag import delivering
from transactive.protocols.energytag.app import MOST_BYTES, build_registry_app
from transactive.protocols.energytag.clients import add_client
from transactive.protocols.energytag.desk import RegistryDesk
from transactive.protocols.energytag.document import openapi
from transactive.protocols.energytag.objects import REQUESTS
from transactive.protocols.energytag.peers import FILE as PEERS
from transactive.protocols.energytag.peers import PeerRegistry
from transactive.protocols.energytag.server import RegistryPlace, RegistryServer
from transactive.services.certificates import certificate_service
from transactive.services.certified_twice import certified_twice
from transactive.services.handovers import HandOvers
from transactive.store.read.certificates import REGISTER, asked_for

ROOT = Path(__file__).parents[2]
ONE, TWO = "a1a1a1a1a1a1a1a1", "b2b2b2b2b2b2b2b2"

RANGE = {"source_certificate_bundle_id_range_end": 10**6}


@pytest.fixture(scope="module")
def grown(tmp_path_factory) -> Path:
    """Two registries: one run, and the same under another name."""

    def make(folder: Path) -> None:
        (folder / "community.toml").write_text(COMMUNITY)
        write_readings(folder, 72)
        made = run(folder, "one")
        assert made.code == 0, made.err
        (folder / "one" / "community.path").unlink(missing_ok=True)
        shutil.copytree(folder / "one", folder / "two")
        for name, register in (("one", ONE), ("two", TWO)):
            with certificate_service(folder / name) as service:
                service.store.set(**{REGISTER: register})

    return made_once(tmp_path_factory, "registries", make)


@pytest.fixture
def two(grown, tmp_path) -> tuple[Path, Path]:
    return tuple(Path(shutil.copytree(grown / name, tmp_path / name)) for name in ("one", "two"))  # type: ignore[return-value]


def usable(folder: Path, owner: str = "supplier") -> list[str]:
    """Serials of active bundles, by slot."""
    with certificate_service(folder) as service:
        found = service.bundles(None, None, frozenset({State.ACTIVE}))
        return [bundle.serial for _, bundle in found if bundle.owner == owner and ":" not in bundle.device]


def held(*folders: Path) -> list[tuple[str, int, int]]:
    """Every Wh that is in one of the registries and is neither in transit nor gone."""
    found = []
    for folder in folders:
        with certificate_service(folder) as service:
            for _, one in service.bundles(None, None, frozenset(State) - {State.IN_TRANSIT, State.EXPORTED}):
                device = one.device if ":" in one.device else f"{service.name}:{one.device}"
                found += [(device, one.slot, wh) for wh in range(one.first_wh, one.end_wh)]
    return sorted(found)


def steps(folder: Path) -> int:
    with certificate_service(folder) as service:
        return len(asked_for(service.store))


# -- hand-overs, without a network -----------------------------------------------------------------------------------


def test_a_bundle_that_is_handed_over_is_there_and_no_more_here(two):
    one, other = two
    before = held(*two)
    serial = usable(one)[0]
    number = HandOvers(one).give(serial, TWO, "cara")
    offer = HandOvers(one).waiting()[0].offer
    apart = call("certificates", "export", serial, "--state", one, "--output", one.parent / "gone.json")
    assert (apart.code, "only its receiver's word ends it" in apart.err) == (3, True), apart.err
    assert (offer.number, len(held(*two))) == (number, len(before) - offer.bundle.end_wh + offer.bundle.first_wh)

    said = [HandOvers(other).hear(offer) for _ in range(2)]  # the second: its answer was lost
    assert [each.word for each in said] == [HandOverWord.ACCEPTED] * 2
    assert HandOvers(other).hear_recall(BundleRecall(number=number, register=ONE)).word is HandOverWord.ACCEPTED
    ended = HandOvers(one).settle(number, said[0].word)
    assert ended is not None
    assert ended.state is State.EXPORTED
    assert HandOvers(one).settle(number, said[0].word) is None
    assert held(*two) == before
    there = call("certificates", "list", "--state", other, "--owner", "cara", "--json")
    assert json.loads(there.out)[0]["serial"] == f"{ONE}:{serial}@{TWO}"


def test_a_register_that_is_set_back_is_seen_to_have_what_it_handed_over(two, tmp_path):
    one, other = two
    serial, older = usable(one)[0], Path(shutil.copytree(one, tmp_path / "older"))
    number = HandOvers(one).give(serial, TWO, "cara")
    HandOvers(one).settle(number, HandOvers(other).hear(HandOvers(one).waiting()[0].offer).word)
    came = f"{ONE}:{serial}"

    def found(folder: Path) -> list[tuple[str, str]]:
        return [(each.one, each.two) for each in certified_twice(folder, other) if each.two.startswith(came)]

    assert found(one) == []
    assert found(older) == [(f"{serial}@{ONE}", f"{came}@{TWO}")]


def test_a_recalled_offer_is_refused_for_ever(two):
    one, other = two
    number = HandOvers(one).give(usable(one)[0], TWO, "cara")
    offer, before = HandOvers(one).waiting()[0].offer, held(*two)
    said = HandOvers(other).hear_recall(BundleRecall(number=number, register=ONE))
    HandOvers(one).settle(number, said.word)
    late = HandOvers(other).hear(offer)
    assert (said.word, late.word) == (HandOverWord.REFUSED, HandOverWord.REFUSED)
    assert late.reason == "its register wanted it back"
    assert len(held(*two)) > len(before)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"slot_seconds": 900}, "its slots have 900 s"),
        ({"to": "nobody"}, "no account of this register"),
        ({"slot": 0}, "no slot that this run delivered"),
        ({"device": f"{TWO}:anna-pv"}, "does not come back"),
        ({"device": f"{ONE}:a/b"}, "REGISTER:DEVICE, in 200 letters"),
        ({"device": f"{ONE}:a@b"}, "without '/' and '@'"),
        ({"device": ":"}, "names a device as"),
        ({"device": f"{ONE}:\x1b[2J"}, "names a device as"),
        ({"device": f"{ONE}:{'x' * 200}"}, "names a device as"),
    ],
)
def test_what_has_no_place_is_refused_and_stays_with_its_giver(two, changes, said):
    one, other = two
    number = HandOvers(one).give(usable(one)[0], TWO, "cara")
    offer = HandOvers(one).waiting()[0].offer
    bundle = msgspec.structs.replace(offer.bundle, **{k: v for k, v in changes.items() if k in ("to", "slot")})
    if "device" in changes:
        bundle = msgspec.structs.replace(bundle, device=msgspec.structs.replace(bundle.device, id=changes["device"]))
    wrong = msgspec.structs.replace(offer, bundle=bundle, slot_seconds=changes.get("slot_seconds", 3_600))
    heard, before = HandOvers(other).hear(wrong), steps(other)
    assert heard.word is HandOverWord.REFUSED
    assert said in heard.reason
    assert HandOvers(other).hear(offer).word is HandOverWord.REFUSED  # a word stays the word
    assert steps(other) == before
    back = HandOvers(one).settle(number, heard.word)
    assert back is not None
    assert back.state is State.ACTIVE


def test_a_number_names_one_bundle(two):
    one, other = two
    for serial in usable(one)[:2]:
        HandOvers(one).give(serial, TWO, "cara")
    first, second = (each.offer for each in HandOvers(one).waiting())
    HandOvers(other).hear(first)
    with pytest.raises(CertificateError, match="named another bundle before"):
        HandOvers(other).hear(msgspec.structs.replace(second, number=first.number))
    with pytest.raises(CertificateError, match="was asked for before"):
        HandOvers(one).give(usable(one)[0], TWO, "cara", number=first.number)
    with pytest.raises(CertificateError, match="8 to 64"):
        HandOvers(other).hear(msgspec.structs.replace(second, number="x"))


def test_an_older_run_without_a_name_hands_nothing_over(two):
    with certificate_service(two[0]) as service:
        service.store.set(**{REGISTER: ""})
    with pytest.raises(StateError, match="has no name"):
        HandOvers(two[0]).give(usable(two[0])[0], TWO, "cara")


# -- over the API ------------------------------------------------------------------------------------------------------


@dataclass
class Served:
    """A registry without a socket, and who is let in."""

    folder: Path
    web: TestClient[Any]

    def client(self, role: Any, account: str = "") -> tuple[dict[str, str], str]:
        made, token = add_client(self.folder, role, account)
        return {"Authorization": f"Bearer {token}"}, made.id

    def post(self, header: dict[str, str], deed: str, **said: Any) -> Any:
        return self.web.post(f"/certificates/{deed}", json=said, headers=header)


@pytest.fixture
def served(two) -> Iterator[Served]:
    with TestClient(build_registry_app(RegistryDesk(two[0]))) as web:
        yield Served(two[0], web)


def asked(user: str, account: str, issuance: str, number: str = "action-0001", **more: Any) -> dict[str, Any]:
    facts = {"source_user_id": user, "source_account_id": account, "action_id": number}
    return facts | {"source_certificate_issuance_id": issuance} | more


def test_certificates_are_queried_transferred_cancelled_and_claimed(served):
    header, user = served.client("holder", "supplier")
    shown = served.post(header, "query", source_user_id=user, source_account_id="supplier", certificate_status="Active")
    assert shown.status_code == 200, shown.text
    bundle = shown.json()["filtered_certificate_bundles"][0]
    first, issuance = bundle["bundle_id_range_start"], bundle["issuance_id"]
    span = {
        "source_certificate_bundle_id_range_start": first + 1,
        "source_certificate_bundle_id_range_end": first + 10,
    }
    given = served.post(header, "transfer", **asked(user, "supplier", issuance, target_account_id="cara", **span))
    assert given.status_code == 202, given.text
    assert given.json()["certificate_quantity"] == 10
    mine, name = served.client("holder", "cara")
    gone = served.post(mine, "cancel", **asked(name, "cara", issuance, "action-0002", certificate_quantity=4))
    assert (gone.status_code, gone.json()["certificate_status"]) == (202, "Cancelled")
    claimed = served.post(mine, "claim", **asked(name, "cara", issuance, "action-0003", **_span(gone.json())))
    room = claimed.status_code == 202 or "left to claim" in claimed.text  # cara's hour may be covered already
    assert room, claimed.text
    issuer, body = served.client("issuer")
    left = asked(body, "cara", issuance, "action-0004", source_certificate_bundle_id_range_start=first + 5)
    assert served.post(issuer, "withdraw", **left).json()["certificate_status"] == "Withdrawn"


def test_a_beneficiary_claims_what_another_one_cancelled_for_it(served):
    issuance = usable(served.folder)[0].rpartition("/")[0]
    header, user = served.client("holder", "supplier")
    mine, name = served.client("holder", "cara")
    said = asked(user, "supplier", issuance, "action-0005", certificate_quantity=1, beneficiary="cara")
    gone = served.post(header, "cancel", **said)
    theirs = served.post(header, "claim", **asked(user, "supplier", issuance, "action-0006", **_span(gone.json())))
    assert "that one can claim it" in theirs.text
    claimed = served.post(mine, "claim", **asked(name, "cara", issuance, "action-0007"))
    assert claimed.status_code == 202 or "left to claim" in claimed.text, claimed.text  # its hour may be covered


def test_a_slow_receiver_keeps_no_other_waiting(two, monkeypatch):
    one, serials = two[0], usable(two[0])
    peers = [PeerRegistry(name=name, url=f"http://127.0.0.1:1/{name}", token="x") for name in (TWO, "other")]
    (one / PEERS).write_bytes(msgspec.json.encode(peers))
    for serial, receiver in zip(serials[:3], (TWO, TWO, "other"), strict=True):
        HandOvers(one).give(serial, receiver, "cara")
    monkeypatch.setattr(delivering, "SLOW_SECONDS", 0.0)
    reasons = [each.reason for each in delivering.deliver(one)]
    assert ["says nothing" in reason for reason in reasons] == [True, False, True]
    assert reasons[1] == f"{TWO} is slow; asked later"
    assert delivering.deliver(one, lambda: True) == []


def _span(said: dict[str, Any]) -> dict[str, int]:
    return {name: said[name] for name in said if "_range_" in name}


def test_what_was_issued_is_confirmed_and_nothing_else(served):
    header, user = served.client("issuer")
    query = {"source_user_id": user, "source_account_id": "supplier"}
    one = served.post(header, "query", **query).json()["filtered_certificate_bundles"][0]
    facts = {name: one[name] for name in ("device_id", "production_starting_interval")}
    wrong = served.post(header, "create", **facts, bundle_quantity=10**9)
    assert (wrong.status_code, wrong.json()["detail"][0]["loc"]) == (422, ["body", "bundle_quantity"])
    whole = int(wrong.json()["detail"][0]["msg"].split(" Wh")[0].replace(",", ""))
    made = served.post(header, "create", **facts, bundle_quantity=whole, energy_source=one["energy_source"])
    assert made.status_code == 201, made.text
    assert sum(each["bundle_quantity"] for each in made.json()) == whole
    assert served.post(header, "create", **facts, bundle_quantity=whole, energy_source="coal").status_code == 422


@pytest.mark.parametrize(
    ("deed", "role", "account", "changes", "status"),
    [
        ("transfer", "holder", "supplier", {"target_account_id": "nobody"}, 422),
        ("transfer", "holder", "supplier", {"target_account_id": 7}, 422),
        ("transfer", "holder", "supplier", {"target_account_id": "cara", "device_id": "anna-pv"}, 422),
        ("transfer", "holder", "supplier", {"target_account_id": "cara", "certificate_quantity": 10**8}, 409),
        ("transfer", "holder", "supplier", {"target_account_id": "cara", "certificate_quantity": 9} | RANGE, 422),
        ("transfer", "holder", "supplier", {"target_account_id": "cara", "source_user_id": "somebody"}, 403),
        ("transfer", "holder", "cara", {"target_account_id": "cara", "source_account_id": "supplier"}, 403),
        ("transfer", "holder", "cara", {"target_account_id": "cara"}, 409),
        ("transfer", "holder", "supplier", {"action_id": "short", "target_account_id": "cara"}, 422),
        ("cancel", "holder", "supplier", {"source_certificate_issuance_id": "nothing"}, 409),
        ("claim", "holder", "supplier", {}, 409),
        ("withdraw", "holder", "supplier", {}, 403),
        ("reserve", "holder", "supplier", {"target_registry": "unknown", "target_account_id": "x"}, 422),
        ("reserve", "registry", "supplier", {}, 403),
        ("burn", "holder", "supplier", {}, 404),
    ],
)
def test_what_is_refused_changes_nothing_and_says_where(served, deed, role, account, changes, status):
    header, user = served.client(role, account)
    issuance, before = usable(served.folder)[0].rpartition("/")[0], steps(served.folder)
    refused = served.post(header, deed, **(asked(user, account, issuance) | changes))
    assert refused.status_code == status, refused.text
    fault = refused.json()["detail"][0]
    assert set(fault) == {"loc", "msg", "type"}
    assert fault["msg"]
    assert steps(served.folder) == before


def test_nobody_comes_in_without_a_token_and_nothing_is_done_twice_or_at_length(served):
    header, user = served.client("holder", "supplier")
    issuance = usable(served.folder)[0].rpartition("/")[0]
    said = asked(user, "supplier", issuance, target_account_id="supplier", certificate_quantity=2)
    for wrong in ({}, {"Authorization": "Bearer gcr_false"}, {"Authorization": "Basic x"}):
        answer = served.post(wrong, "transfer", **said)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert served.post(header, "transfer", **said).status_code == 202
    before = steps(served.folder)
    again = served.post(header, "transfer", **said)
    assert (again.status_code, again.json()["detail"][0]["type"]) == (409, "replay")
    long = served.web.post("/certificates/transfer", content=b" " * (MOST_BYTES + 1), headers=header)
    broken = served.web.post("/certificates/transfer", content=b"{", headers=header)
    assert (long.status_code, broken.status_code) == (413, 422)
    assert steps(served.folder) == before


def test_a_registry_speaks_for_itself_alone(served, two):
    header, _ = served.client("registry", TWO)
    HandOvers(two[1]).give(usable(two[1])[0], ONE, "cara")
    offer = HandOvers(two[1]).waiting()[0].offer
    false = msgspec.structs.replace(offer, register="another")
    refused = served.web.post("/hand-overs", content=msgspec.json.encode(false), headers=header)
    assert refused.status_code == 403
    for slot in (2**62, 10**30, -(10**15)):
        never = msgspec.structs.replace(offer, bundle=msgspec.structs.replace(offer.bundle, slot=slot))
        refused = served.web.post("/hand-overs", content=msgspec.json.encode(never), headers=header)
        assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["body", "bundle", "slot"])
    taken = served.web.post("/hand-overs", content=msgspec.json.encode(offer), headers=header)
    assert taken.json()["word"] == "accepted"
    assert served.web.get("/registry", headers=header).json() == {"registry": ONE}


def test_the_document_has_the_names_that_the_specification_has():
    published = json.loads((ROOT / "tests/tooling/energytag_fields.json").read_text())
    schemas = json.loads(openapi())["components"]["schemas"]
    ours = {
        "GranularCertificateReservation": {"action_id", "target_account_id"},  # our reservation ends at an account
        "GranularCertificateActionResponse": {"action_id"},
        "GranularCertificateBundle": {"beneficiary"},  # the standard's text has it, its document on bundles not
        "GranularCertificateQueryResponse": set(),
    }
    for kind in {*(each.__name__ for each in REQUESTS.values()), *ours}:
        names = set(schemas[kind]["properties"])
        assert names - set(published["fields"][kind]) == ours.get(kind, set()), kind
    assert set(published["required"]["GranularCertificateBundle"]) <= set(
        schemas["GranularCertificateBundle"]["required"]
    )
    for kind in ("GranularCertificateTransfer", "GranularCertificateQuery", "GranularCertificateClaim"):
        assert set(published["required"][kind]) <= set(schemas[kind]["required"])


# -- two processes -----------------------------------------------------------------------------------------------------


@dataclass
class Process:
    """A registry that can die, at a port of its own."""

    folder: Path
    port: int
    child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        words = [sys.executable, "-m", "tests.integration.dying_registry", str(self.folder), str(self.port)]
        self.child = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.DEVNULL)

    def answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
            return True
        return False

    def end(self) -> None:
        if self.child is not None:
            self.child.kill()
            self.child.wait()


def free_port() -> int:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return int(place.getsockname()[1])


@pytest.fixture
def processes(two) -> Iterator[tuple[Process, Process]]:
    giver, taker = (Process(folder, free_port()) for folder in two)
    _, token = add_client(taker.folder, "registry", ONE)
    (giver.folder / PEERS).write_bytes(msgspec.json.encode([PeerRegistry(name=TWO, url=taker.url, token=token)]))
    try:
        for each in (giver, taker):
            each.start()
            until(each.answers, "a registry answers")
        yield giver, taker
    finally:
        giver.end()
        taker.end()


@pytest.mark.long
def test_a_bundle_exists_once_through_a_kill_of_either_at_any_step(processes):
    giver, taker = processes
    everything = held(giver.folder, taker.folder)
    deaths = [(giver, point) for point in GIVER] + [(taker, point) for point in TAKER]
    for dies, point in deaths:
        (dies.folder / "die-at").write_text(point)
        number = HandOvers(giver.folder).give(
            usable(giver.folder)[0], TWO, "cara", cut=lambda r, s: r.split(s, 9)[0].serial
        )
        assert dies.child is not None
        assert dies.child.wait() == -signal.SIGKILL, point
        found = held(giver.folder, taker.folder)
        assert len(found) == len(set(found)), point
        assert set(found) <= set(everything)
        (dies.folder / "die-at").unlink()
        dies.start()
        until(lambda: not HandOvers(giver.folder).waiting(), f"the hand-over {number} ends after a death {point}")
        assert held(giver.folder, taker.folder) == everything, point
    with certificate_service(taker.folder) as service:
        came = [b for _, b in service.bundles(None, None, frozenset({State.ACTIVE})) if b.device.startswith(f"{ONE}:")]
    assert len(came) == len(deaths)


# -- commands ----------------------------------------------------------------------------------------------------------


def test_the_commands_hand_over_and_call_back(two, tmp_path):
    one, other = two
    token, port = tmp_path / "token.txt", free_port()
    let_in = call("certificates", "registry", "client", "--state", other, "--registry", ONE, "--json")
    token.write_text(json.loads(let_in.out)["token"])
    server = RegistryServer(other, RegistryPlace(port=port))
    server.start()
    named = call("certificates", "registry", "peer", server.url, "--state", one, "--token-file", token, "--json")
    assert json.loads(named.out) == {"registry": TWO, "url": server.url}, named.err
    elsewhere = server.url.replace("127.0.0.1", "localhost")
    liar = call("certificates", "registry", "peer", elsewhere, "--state", one, "--token-file", token)
    assert (liar.code, f"calls itself {TWO}, which is at {server.url}" in liar.err) == (3, True), liar.err
    first, second = usable(one)[:2]
    options = ("--state", one, "--to", TWO, "--account", "cara")
    given = json.loads(call("certificates", "registry", "hand-over", first, *options, "--as", "supplier", "--json").out)
    assert [(fact["serial"], fact["word"]) for fact in given.values()] == [(first, "accepted")]
    refused = call("certificates", "registry", "hand-over", second, *options, "--as", "cara")
    assert (refused.code, "belongs to supplier" in refused.err) == (3, True), refused.err
    server.stop()

    away = call("certificates", "registry", "hand-over", second, *options, "--json")
    ((number, facts),) = json.loads(away.out).items()
    assert facts["word"] is None
    assert number in call("certificates", "registry", "list", "--state", one).out
    assert json.loads(call("certificates", "registry", "deliver", "--state", one, "--json").out)[number]["word"] is None
    server = RegistryServer(other, RegistryPlace(port=port))
    server.start()
    back = call("certificates", "registry", "recall", number, "--state", one, "--json")
    server.stop()
    assert json.loads(back.out)[number]["word"] == "refused", back.err
    assert second in usable(one)
    shown = json.loads(call("certificates", "registry", "clients", "--state", other, "--json").out)
    assert shown["registry"] == TWO
    gone = next(iter(shown["clients"]))
    assert call("certificates", "registry", "revoke", gone, "--state", other).code == 0
    assert call("certificates", "registry", "revoke", gone, "--state", other).code == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("client",), "a client is for one"),
        (("client", "--account", "nobody"), "not in this registry"),
        (("hand-over", "x", "--to", "nowhere", "--account", "cara"), "no peer of this registry"),
        (("recall", "x"), "nothing in transit has this number"),
        (("serve", "--host", "0.0.0.0"), "registries speak over TLS"),
        (("peer", "http://example.org", "--token-file", "none.txt"), "cannot be read"),
    ],
)
def test_a_command_that_cannot_says_why(two, words, said):
    done = call("certificates", "registry", *words, "--state", two[0])
    assert done.code == 3
    assert said in done.err


def test_an_offer_is_told_whole(two):
    HandOvers(two[0]).give(usable(two[0])[0], TWO, "cara")
    offer = HandOvers(two[0]).waiting()[0].offer
    assert msgspec.json.decode(msgspec.json.encode(offer), type=BundleOffer) == offer
