"""`transactive chain deals` and `chain challenge --deal`, in a community whose members trade directly."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.integration.test_acts import HOUR, KEYS, Life, _commit, place  # noqa: F401 - a fixture
from transactive.chain.deployments.deployment import Deployment, load
from transactive.chain.deployments.status import standing
from transactive.chain.disputes.deals.evidence import SignedAllowance
from transactive.chain.disputes.deals.file import deal_file, load_deal
from transactive.chain.disputes.deals.findings import omitted_deals
from transactive.chain.disputes.leaf_file import leaf_file
from transactive.chain.history import opening
from transactive.chain.ledgers.settlement import ChainLedger
from transactive.chain.nodes.client import ChainClient
from transactive.core.errors import InputError
from transactive.core.proofs import signing
from transactive.core.proofs.deals.allowances import Allowance, member_commitment, slot_key, slot_salt
from transactive.core.proofs.deals.deal import Award, Bid, SignedDeal
from transactive.core.proofs.deals.deal_receipts import DealReceipt
from transactive.core.proofs.signed_orders import Fills, domain

ADA, BEN = 0, 1
"""A buyer and a seller."""
MOST = 1_000


class Parties:
    """What two members and the operator sign for a slot."""

    def __init__(self, known: Deployment, slot: int) -> None:
        self.known, self.slot = known, slot
        self.settlement = known.address("settlement")
        self.domain = domain(known.chain_id, self.settlement)
        self.keys = [slot_key(bytes(KEYS.account(index).key), slot) for index in (ADA, BEN)]
        self.salts = [slot_salt(bytes(KEYS.account(index).key), slot) for index in (ADA, BEN)]
        self.allowed = [self._allowed(index) for index in (ADA, BEN)]

    def _allowed(self, index: int) -> SignedAllowance:
        commitment = member_commitment(index, self.salts[index])
        given = Allowance(self.slot, signing.address_of(self.keys[index]), commitment, MOST, MOST)
        return SignedAllowance(given, given.sign(bytes(KEYS.role("operator").key), self.domain))

    def deal(self, energy: int, serial: int = 0, most: int = MOST) -> SignedDeal:
        """A deal of both at 120,000 µ¤/kWh."""
        parties = [signing.address_of(key) for key in self.keys]
        bid = Bid(self.slot, 1, parties[0], parties[1], most, 120_000, serial)
        hashes = bid.hash, Award(bid.hash, energy).hash
        signed = (
            signing.sign(signing.digest(self.domain, one), key) for one, key in zip(hashes, self.keys, strict=True)
        )
        return SignedDeal(bid, energy, *signed)

    def write(self, path: str, deal: SignedDeal, whose: int = ADA, *, receipted: bool = False) -> str:
        """File of a deal, as one of both keeps it."""
        receipt = DealReceipt(deal.hash).sign(bytes(KEYS.role("operator").key), self.domain) if receipted else b""
        of_buyer, of_seller = self.allowed
        made = deal_file(
            self.known.chain_id, self.settlement, deal,
            receipt=receipt, of_buyer=of_buyer, of_seller=of_seller, own=(whose, self.salts[whose]),
        )  # fmt: skip
        Path(path).write_bytes(msgspec.json.encode(made))
        return path


@pytest.fixture
def life(place, monkeypatch, capsys):  # noqa: F811 - the fixture
    path = Path("c/community.toml")
    path.write_text(path.read_text().replace('mechanism = "uniform"', 'mechanism = "direct"'))
    made = Life(monkeypatch, capsys)
    made.type("deploy", str(path))
    return made


@pytest.fixture
def parties(life):
    return Parties(load(Path("deployment.json")), life.now // HOUR + 3)


def test_a_community_that_trades_directly_gets_a_list_of_judges(life):
    known = load(Path("deployment.json"))
    assert {"judges", "deals", "demands", "disputes"} <= known.contracts.keys()
    with closing(ChainClient.open("embedded:chain.sqlite")) as client:
        assert standing(client, known).is_sound
        court = client.contract("deals", known.address("deals"))
        assert [client.read(court, name) for name in ("ahead", "lowest", "highest")] == [HOUR, 80_000, 250_000]


def test_who_cheats_is_shown_by_files(life, parties):
    one, other = parties.deal(600, most=700), parties.deal(700, most=700)
    files = [parties.write("one.json", one), parties.write("other.json", other, BEN)]
    facts = life.do(f"deals post --account ada --deal {files[0]}")
    assert any("Posted" in event for event in facts["events"])
    life.refused(f"deals post --account ada --deal {files[0]}", why="deals: posted already")
    life.do(f"deals twice --account cem --deal {files[0]} --other {files[1]}")
    life.do(f"deals bar --as operator --deal {files[1]}")
    more = parties.write("more.json", parties.deal(500, serial=1), BEN)
    life.do(f"deals post --account ben --deal {more}")
    facts = life.do(f"deals beyond --as operator --deals {more},{files[0]}")
    assert any("Voided" in event for event in facts["events"])
    life.wrong("deals beyond --as operator --deals ,", why="joined by commas")


@pytest.mark.parametrize("how", ["receipted", "posted"])
def test_a_deal_that_was_left_out_is_found_and_pays(life, parties, how):
    deal = parties.deal(800)
    file = parties.write("deal.json", deal, receipted=how == "receipted")
    if how == "posted":
        life.do(f"deals post --account ada --deal {file}")
    with closing(ChainClient.open("embedded:chain.sqlite")) as client:
        ledger = ChainLedger.attach(client, KEYS, parties.settlement)
        tree = _commit(life, ledger, parties.slot)
        shown = tree.leaf(ADA), tree.proof(ADA), opening(ledger.commitments(), -1, 24)
        leaf = leaf_file(client.chain_id, ledger.address, ADA, *shown, [], Fills())
        Path("leaf.json").write_bytes(msgspec.json.encode(leaf))
    told = json.loads(life.type("deals", "check", file))
    assert (told["signed_by_both"], told["binds_the_operator"], told["receipt"]) == (True, True, how == "receipted")
    assert (told["posted"] is None) == (how == "receipted")
    facts: dict[str, Any] = json.loads(life.type("challenge", "leaf.json", "--deal", file, "--as", "5"))
    assert facts["found"] == ["a deal at 120000 µ¤/kWh was left out"]
    assert facts["sent"]["call"] == "challengeDeals"
    assert facts["sent"]["awarded"].startswith("50")


def test_a_post_binds_nobody_by_an_allowance_that_the_operator_did_not_give(life, parties):
    """So says the judge, and so does who looks beforehand; a file need not name its party for it."""
    file = parties.write("deal.json", parties.deal(800))
    life.do(f"deals post --account ada --deal {file}")
    made = load_deal(Path(file))
    assert made.of_seller
    assert made.of_buyer
    forged = msgspec.structs.replace(made.of_seller, signature=made.of_buyer.signature)
    small = msgspec.structs.replace(made.of_seller, most_sold_wh=799)
    for other, binds in (
        (made, True),
        (msgspec.structs.replace(made, own=None), True),
        (msgspec.structs.replace(made, of_seller=forged), False),
        (msgspec.structs.replace(made, of_seller=small), False),
        (msgspec.structs.replace(made, of_seller=None), False),
    ):
        Path(file).write_bytes(msgspec.json.encode(other))
        assert json.loads(life.type("deals", "check", file))["binds_the_operator"] is binds


def test_a_deal_that_is_given_twice_counts_once_and_the_largest_of_many_are_shown(life, parties):
    made = [parties.deal(10 + serial, serial) for serial in range(20)]
    files = [load_deal(Path(parties.write(f"{k}.json", each, receipted=True))) for k, each in enumerate(made)]
    with closing(ChainClient.open("embedded:chain.sqlite")) as client:
        ledger = ChainLedger.attach(client, KEYS, parties.settlement)
        tree = _commit(life, ledger, parties.slot)
        shown = tree.leaf(ADA), tree.proof(ADA), opening(ledger.commitments(), -1, 24)
        disputes = client.contract("disputes", load(Path("deployment.json")).address("disputes"))

        def found(traded: int, deals):
            fills = Fills(((120_000, traded),))
            leaf = leaf_file(client.chain_id, ledger.address, ADA, *shown, [], fills)
            return omitted_deals(client, disputes, leaf, deals)

        assert not found(made[0].energy_wh, [files[0], files[0]])
        largest = sum(each.energy_wh for each in made[4:])
        [fraud] = found(largest - 1, files)
        assert len(fraud.arguments[-1]) == 16
        assert not found(largest, files)


def test_more_deals_than_a_call_takes_are_refused_in_words(life, parties):
    file = parties.write("deal.json", parties.deal(10))
    life.wrong(f"deals beyond --as operator --deals {','.join([file] * 17)}", why="a call takes 16")


def test_a_file_that_is_none_is_refused_in_words(life, parties):
    path = Path(parties.write("deal.json", parties.deal(800)))
    good = path.read_text()
    for old, new, why in (
        ('"slot":', '"slots":', "slots"),
        ('"energy_wh":800', '"energy_wh":801', "its award is not signed by"),
        ('"energy_wh":800', '"energy_wh":-1', "energy_wh is not what a deal has there"),
        ('"bid":"0x', '"bid":"0y', "bid is not what a deal has there"),
    ):
        path.write_text(good.replace(old, new))
        with pytest.raises(InputError, match=why):
            load_deal(path)
    path.write_text(good.replace(parties.settlement, "0x" + "11" * 20))
    with pytest.raises(InputError, match="is not signed by"):
        load_deal(path)
