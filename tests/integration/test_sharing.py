"""A run that shares by keys: on chain and in the database like any other, and without an order."""

from __future__ import annotations

import json
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from tests.integration.conftest import call
from tests.integration.test_membership import FIRST, TEXT, readings
from transactive.chain.keys.keys import DemoKeys
from transactive.chain.twins import disputes
from transactive.config.community_file import load
from transactive.core.errors import ConfigError
from transactive.core.postings import PostingKind
from transactive.core.proofs.merkle import REGISTERS
from transactive.core.proofs.signed_orders import Fills, domain
from transactive.core.proofs.slot_tree import SlotTree, depth_for_accounts
from transactive.core.slots import HOUR, time_text
from transactive.engine.books.agreements import read
from transactive.engine.books.rebuilt import books_at, community_of
from transactive.engine.books.signed_run import beginning
from transactive.engine.books.slot_book import read_slot
from transactive.settlement import sharing
from transactive.store import Store
from transactive.store.read.runs import Reader
from transactive.studies.compare import able_of, mechanisms_for
from transactive.web.pages.parts.sharing import community_words, member_words

LOADS = {"one": 600, "two": 900, "three": 1_500}
SHARES = {"one": "50 %", "two": "30 %", "three": "20 %"}
SHARING = '[sharing]\nkeys = ["static", "dynamic"]\nprice = "12 ct/kWh"\n'


def community(folder: Path, sharing: str = SHARING, market: str = 'mechanism = "sharing"') -> Path:
    """A plant of 2,000 Wh an hour from 9 to 14 o'clock and three who take what they always take."""
    head = TEXT.partition("[[members]]")[0].replace("[market]\n", f"[market]\n{market}\n{sharing}")
    run = '[run]\nfirst_slot = "2024-06-03T00:00Z"\ndays = 1\n'
    homes = "".join(f'[[members]]\nid = "{name}"\nshare = "{SHARES[name]}"\n' for name in LOADS)
    path = folder / "plant.toml"
    path.write_text(f'{head}{run}[[members]]\nid = "plant"\npv = "2 kW"\n{homes}')

    def at(name: str, hour: int) -> tuple[int, int]:
        """Consumption and generation of a member."""
        return (LOADS[name], 0) if name in LOADS else (0, 2_000 if 9 <= hour % 24 < 15 else 0)

    meters = {name: partial(at, name) for name in ("plant", *LOADS)}
    (folder / "readings.csv").write_text(readings(meters))
    return path


@pytest.fixture(scope="module")
def state(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sharing")
    ran = call("run", community(folder), "--no-page", "--json", "--state", folder / "state")
    assert ran.code == 0, ran.err
    said = json.loads(ran.out)
    assert (said["orders"], said["traded_wh"], said["ledger_equals_chain"]) == (0, 0, True)
    kept: Path = folder / "state"
    return kept


def test_what_the_database_keeps_is_shared_as_the_run_did(state):
    with closing(Store(state)) as store:
        found = community_of(store)
        book = read_slot(store, found, FIRST + 58 * HOUR)
    assert book.delivery.local_use_wh.tolist() == [0, 600, 686, 714]
    p = book.postings
    shared = p.kind == PostingKind.SHARED
    assert int(p.amount_n[shared & (p.payee == 0)].sum()) == 2_000 * 120_000
    assert p.net_n(found.chart.total).sum() == 0


def test_a_statement_of_a_sharer_holds(state, tmp_path):
    assert call("statement", "--state", state, "--member", "two", "-o", tmp_path / "two.json").code == 0
    verified = call("verify", tmp_path / "two.json", "--state", state)
    assert verified.code == 0, verified.out + verified.err
    assert "shares: 24 slots, by 1 signed agreement" in verified.out


@pytest.mark.parametrize(
    ("sharing", "market", "said"),
    [
        ("", 'mechanism = "sharing"', "share_ppm counts only with"),
        ('[sharing]\nprice = "12 ct/kWh"\n', 'mechanism = "sharing"', "one: share_ppm counts only with"),
        (SHARING, "", "needs market.mechanism"),
        (SHARING, 'mechanism = "sharing"\nsessions = ["day_ahead", "intraday"]', "sharing has no sessions"),
        (SHARING.replace('"dynamic"', '"fair"'), 'mechanism = "sharing"', "choose static, rounds, dynamic, equal"),
    ],
)
def test_what_sharing_cannot_be_is_refused_by_name(tmp_path, sharing, market, said):
    with pytest.raises(ConfigError, match=said):
        load(community(tmp_path, sharing, market))


@pytest.mark.long
def test_sharers_have_prices_of_their_own_and_a_lower_fee_nearby(tmp_path):
    path = community(tmp_path)
    text = path.read_text().replace("[tariff]\n", '[tariff]\nnear_fee = "1 ct/kWh"\n')
    for name, said in (
        ("one", 'supply = "22 ct/kWh"\nneighbourhood = "lane"'),
        ("plant", 'feed_in = "11 ct/kWh"\nneighbourhood = "lane"'),
    ):
        text = text.replace(f'id = "{name}"', f'id = "{name}"\n{said}')
    path.write_text(text)
    assert call("run", path, "--no-page", "--state", tmp_path / "state").code == 0
    with closing(Store(tmp_path / "state")) as store:
        noon, night = (read_slot(store, community_of(store), FIRST + hour * HOUR).postings for hour in (58, 50))
    kinds = PostingKind
    assert noon.price[(noon.kind == kinds.NETWORK_FEE) & (noon.payer == 1)].tolist() == [10_000]
    assert noon.price[(noon.kind == kinds.NETWORK_FEE) & (noon.payer == 2)].tolist() == [30_000]
    assert night.price[night.kind == kinds.EXTRA_SUPPLIER].tolist() == [220_000, 280_000, 280_000]
    assert call("statement", "--state", tmp_path / "state", "--member", "one", "-o", tmp_path / "one.json").code == 0
    verified = call("verify", tmp_path / "one.json", "--state", tmp_path / "state")
    assert verified.code == 0, verified.out + verified.err
    path.write_text(text.replace('keys = ["static", "dynamic"]', 'keys = ["static"]\nsurplus = "holder"'))
    assert call("run", path, "--no-page", "--state", tmp_path / "held").code == 0
    with closing(Store(tmp_path / "held")) as store:
        noon = read_slot(store, community_of(store), FIRST + 58 * HOUR).postings
    assert set(noon.price[noon.kind == kinds.SURPLUS].tolist()) == {110_000}


def test_a_comparison_sets_markets_beside_sharing(tmp_path):
    found = load(community(tmp_path))
    assert mechanisms_for(None, **able_of(found))[:1] == ("sharing",)
    compared = call("compare", tmp_path / "plant.toml", "--mechanisms", "sharing,uniform", "--json")
    figures = json.loads(compared.out)
    shared, market = (list(map(int, each["saved"])) for each in figures["mechanisms"])
    assert figures["added"] == {"uniform": [str(more - less) for less, more in zip(shared, market, strict=True)]}
    shown = call("compare", tmp_path / "plant.toml", "--mechanisms", "sharing,uniform").out
    assert "a market would have added, EUR" in shown
    with pytest.raises(ConfigError, match="needs keys"):
        mechanisms_for(["sharing"], network=False)


def test_shares_beyond_a_whole_are_refused(tmp_path):
    path = community(tmp_path)
    path.write_text(path.read_text().replace('share = "20 %"', 'share = "20.0001 %"'))
    with pytest.raises(ConfigError, match="make 1000001 ppm, more than 100 %"):
        load(path)


def test_each_member_has_signed_the_agreement_and_the_state_is_bound_to_it(state):
    with closing(Store(state)) as store:
        (signed,) = read(store)
    assert (signed.agreement.version, signed.agreement.since) == (1, FIRST + 48 * HOUR)
    assert len(set(signed.signatures)) == 4
    assert json.loads(signed.agreement.terms)["members"][1] == {
        "id": "one", "share_ppm": 500_000, "since": None, "until": None,
    }  # fmt: skip
    assert beginning([signed]) != beginning([])


def test_a_wrong_share_is_found_although_all_books_agree(tmp_path, monkeypatch):
    """Who divides by another key than agreed has a ledger, a chain and statements without a contradiction."""
    right = sharing.allot
    monkeypatch.setattr(sharing, "allot", lambda given, taken, keys, shares: right(given, taken, ["equal"], shares))
    path = community(tmp_path)
    assert call("run", path, "--no-page", "--json", "--state", tmp_path / "state").code == 0
    assert call("statement", "--state", tmp_path / "state", "--member", "two", "-o", tmp_path / "two.json").code == 0
    assert call("verify", tmp_path / "two.json", "--state", tmp_path / "state").code == 0
    monkeypatch.undo()
    found = call("verify", tmp_path / "two.json", "--state", tmp_path / "state")
    assert found.code == 1
    assert "shared 701 Wh; by the agreement and all readings it is 686 Wh" in found.out


def test_pages_say_what_was_shared_in_words(state):
    with closing(Store(state)) as store:
        reader = Reader(store)
        run = reader.run()
        assert run is not None
        slots = list(range(FIRST + 57 * HOUR, FIRST + 59 * HOUR, HOUR))
        assert member_words(reader, run, 1, slots) == (
            "You used 1.2 kWh that neighbours gave and gave them 0.0 kWh,"
            " divided by agreed shares, then by what each took."
        )
        assert community_words(reader, run, slots).startswith("Neighbours shared 4.0 kWh, by agreed shares")


def test_no_challenge_convicts_who_shares_as_agreed(state, tmp_path):
    """Each kind of evidence is tried on all leaves of a day; a member's own look finds nothing to challenge."""
    with closing(Store(state)) as store:
        found = community_of(store)
        here, slots = (
            domain(31337, store.setting("settlement") or ""),
            range(FIRST + 56 * HOUR, FIRST + 62 * HOUR, HOUR),
        )
        books = [books_at(store, found, slot) for slot in slots]
        metered = [store.readings(slot, len(found.members)) for slot in slots]
    keys, depth = DemoKeys("transactive"), depth_for_accounts(found.chart.on_chain)
    trees = [SlotTree(book.leaves, depth, b"any") for book in books]
    for k, (tree, readings_of) in enumerate(zip(trees, metered, strict=True)):
        for index in range(found.chart.on_chain):
            leaf, before = tree.leaf(index), trees[k - 1].leaf(index) if k else None
            member = str(keys.account(index).address)
            assert not disputes.wrong_trade(leaf, Fills(), [], member, here, HOUR)
            assert disputes.outdated(leaf, []) is None
            assert not (before and disputes.wrong_totals(leaf, before))
            assert not disputes.contradicts_itself(leaf)
            if index < len(found.members):
                registers = [int(getattr(readings_of, name)[index]) for name in REGISTERS.names]
                assert not disputes.wrong_reading(leaf, REGISTERS.pack(registers))
    files = [tmp_path / f"{hour}.json" for hour in (57, 58)]
    for file, hour in zip(files, (57, 58), strict=True):
        at = time_text(FIRST + hour * HOUR)
        assert call("chain", "prove", "--state", state, "--member", "two", "--slot", at, "--output", file).code == 0
    looked = call("chain", "challenge", files[1], "--node", f"embedded:{state}", "--before", files[0], "--as", "2")
    assert "nothing to challenge" in looked.out, looked.err
