"""A community on a network, from the file to the ledger: it settles at the prices of nodes, with rent and losses."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tests.integration.conftest import call
from tests.integration.samples import write_community
from transactive.config.setting import load_setting
from transactive.core.errors import ConfigError
from transactive.core.postings import PostingKind
from transactive.core.slot_book import SlotBook
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import replay, slots_from
from transactive.store import Store
from transactive.store.read.runs import Reader
from transactive.store.read.totals import Counter
from transactive.texts.formatting import Words
from transactive.web.network_slot import network_slot
from transactive.web.order_reasons import FILLED, UNFILLED, books
from transactive.web.pages.carbon import carbon_page
from transactive.web.pages.slot import slot_page
from transactive.web.viewers import OWNER, Viewer

NETWORK = """
[network]
nodes = ["grid", "station", "north", "south"]

[[network.lines]]
from = "grid"
to = "station"
transformer = true
limit_wh = 6_000
limit_back_wh = 4_000

[[network.lines]]
from = "station"
to = "north"
limit_wh = 700
loss_ppm = 20_000

[[network.lines]]
from = "station"
to = "south"
limit_wh = 900
loss_ppm = 50_000

"""
RING = NETWORK.replace("loss_ppm = 20_000\n", "").replace("loss_ppm = 50_000\n", "").replace("700", "300") + (
    '[[network.lines]]\nfrom = "north"\nto = "south"\nlimit_wh = 200\n\n'
)


def write(folder: Path, *changes: tuple[str, str], network: str = NETWORK) -> Path:
    path = write_community(folder)
    text = path.read_text().replace("slot_minutes = 60", 'slot_minutes = 60\nmechanism = "locational"')
    for name, node in (("a", "north"), ("b", "south"), ("c", "north")):
        text = text.replace(f'id = "{name}"', f'id = "{name}"\nnode = "{node}"')
    text = text.replace("[[members]]", network + "[[members]]", 1)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text)
    return path


@pytest.mark.parametrize("network", [NETWORK, RING], ids=["tree with losses", "ring"])
def test_a_community_settles_at_the_prices_of_its_nodes(tmp_path: Path, network: str) -> None:
    setting = load_setting(write(tmp_path, network=network))
    walk = recorded_run(setting, slots_from(setting))
    records: list[SlotBook] = []
    walk.run(records.append)
    assert walk.tally.energy_residual_wh == walk.tally.money_residual_n == 0
    nodes = {"a": "north", "b": "south", "c": "north"}
    prices_differ, lost, rents = 0, 0, 0
    for record in records:
        positions = record.positions
        at: dict[str, set[int]] = {node: set() for node in ("north", "south")}
        for member, price in zip(positions.member.tolist(), positions.price.tolist(), strict=True):
            at[nodes["abc"[member]]].add(price)
        assert all(len(prices) <= 1 for prices in at.values())
        prices_differ += len(set().union(*at.values())) > 1
        lost += positions.lost_wh
        rents += int(record.postings.amount_n[record.postings.kind == PostingKind.CONGESTION_RENT].sum())
        assert positions.sold_wh.sum() == positions.bought_wh.sum() + positions.lost_wh
        short = max(int(record.readings.import_wh.sum()) - int(record.readings.export_wh.sum()), 0)
        from_grid, rest = divmod(record.footprints.imported_mg, 350)
        assert not rest
        assert from_grid == short if network is RING else from_grid >= short  # the grid gives what lines lose, too
    assert prices_differ > 3
    assert rents > 0
    assert (lost > 0) == (network is NETWORK)


def test_imported_energy_has_the_carbon_of_its_node(tmp_path: Path) -> None:
    """At one node all that is imported has one intensity; on a network each node has its own."""
    apart = []
    for name in ("tree", "none"):
        folder = tmp_path / name
        folder.mkdir()
        path = write(folder, ('mechanism = "locational"', 'mechanism = "uniform"'))
        if name == "none":
            lines = path.read_text().replace(NETWORK, "").splitlines(keepends=True)
            path.write_text("".join(line for line in lines if not line.startswith("node =")))
        setting = load_setting(path)
        records: list[SlotBook] = []
        recorded_run(setting, slots_from(setting)[:48]).run(records.append)
        found = 0
        for record in records:
            r = record.readings
            only = (r.import_wh > 20) & (r.generation_wh + r.charge_wh + r.discharge_wh == 0)
            grams = record.footprints.location_mg[only] / r.import_wh[only]
            found += len(grams) > 1 and bool(np.ptp(grams) > 1)
        apart.append(found)
    assert apart[0] > 5
    assert apart[1] == 0


def test_rent_and_losses_are_on_chain_and_positions_in_the_database(tmp_path: Path) -> None:
    setting = load_setting(write(tmp_path))
    slots = slots_from(setting)[:24]
    records: list[SlotBook] = []
    outcome, _ = replay(setting, slots, tmp_path / "state", seed="x", after_slot=records.append)
    assert outcome.summary.ledger_equals_chain
    assert outcome.summary.energy_residual_wh == 0
    for member in "ab":  # one at each node: their statements hold
        file = tmp_path / f"{member}.json"
        assert call("statement", "--state", tmp_path / "state", "--member", member, "-o", file).code == 0
        assert '"location":"traced through the network"' in file.read_text()
        assert call("verify", file, "--state", tmp_path / "state").code == 0
    assert any(record.positions.lost_n for record in records)
    with closing(Store(tmp_path / "state")) as store:
        for record in records:
            kept = store.trading(record.orders.slot, 3)
            assert kept is not None
            assert kept[2].digest() == record.positions.digest()
        look_at_the_page(Reader(store), records)


def look_at_the_page(reader: Reader, records: list[SlotBook]) -> None:
    """Lines, nodes and reasons of every slot, and totals that balance with losses in them."""
    run, position, words = reader.run(), reader.position(), Words("EUR")
    assert run is not None
    totals = Counter(reader).totals(run, position)
    assert totals.energy_residual_wh == totals.money_residual_n == 0
    full = 0
    for record in records:
        slot = record.orders.slot
        shown = network_slot(reader, slot, run)
        assert shown is not None
        page = slot_page(reader, run, position, totals, OWNER, slot=slot, idle=0)
        assert [row[0] for row in page["network"]["nodes"]] == ["grid", "station", "north", "south"]
        assert [row[2] for row in page["network"]["lines"]][1:] == ["0.700", "0.900"]
        lost = sum(cable.lost_wh for cable in shown.cables)
        assert lost == record.positions.lost_wh
        full += shown.congested
        assert ("full" in page["network"]["chart"]) == any(c.full and c.flow_wh for c in shown.cables)
        row = reader.slots(slot, slot)[0]
        for book in books("locational", row, reader.orders(slot), reader.refusals(slot), words, shown):
            name, price = shown.of_member(book.member)
            for fate in book.fates:
                said = f"the price at {name} {words.price(price, 2)}"
                assert not row["traded_wh"] or said in fate.reason or "pro rata" in fate.reason
                better = fate.price > price if fate.is_buy else fate.price < price
                assert fate.state == FILLED if better else fate.price == price or fate.state == UNFILLED
        hidden = slot_page(reader, run, position, totals, Viewer("grid"), slot=slot, idle=0)
        assert hidden["network"] is hidden["orders"] is None
    assert full
    carbon = carbon_page(reader, run, position, OWNER, member=None, chosen=None, idle=0)
    assert [row[:2] for row in carbon["nodes"]] == [("north", "2"), ("south", "1")]
    assert len({row[3] for row in carbon["nodes"]}) == 2
    mine = carbon_page(reader, run, position, Viewer("member", "a"), member=0, chosen=None, idle=0)
    assert mine["nodes"] == []


def test_other_mechanisms_do_not_mind_a_network(tmp_path: Path) -> None:
    setting = load_setting(write(tmp_path, ('mechanism = "locational"', 'mechanism = "uniform"')))
    walk = recorded_run(setting, slots_from(setting))
    walk.run()
    assert walk.tally.traded_wh > 0


def test_lines_without_a_limit_leave_the_uniform_market(tmp_path: Path) -> None:
    found = []
    for number, name in enumerate(("locational", "uniform")):
        folder = tmp_path / str(number)
        folder.mkdir()
        wide = NETWORK.replace("700", "700000").replace("900", "900000").replace("loss_ppm = ", "# ")
        change = ('mechanism = "locational"', f'mechanism = "{name}"')
        setting = load_setting(write(folder, change, network=wide))
        walk = recorded_run(setting, slots_from(setting))
        walk.run()
        found.append(walk.tally)
    assert found[0].traded_wh == found[1].traded_wh
    assert found[0].local_wh == found[1].local_wh
    paid = [int(tally.with_market_n.sum()) for tally in found]
    assert abs(paid[0] - paid[1]) < 3  # a dividend leaves what does not divide


STREET = Path(__file__).parents[1] / "unit" / "street.json"


def test_a_network_of_pandapower_serves_as_well(tmp_path: Path) -> None:
    (tmp_path / "street.json").write_bytes(STREET.read_bytes())
    setting = load_setting(write(tmp_path, network='[network]\npandapower = "street.json"\n\n'))
    network = setting.community.network
    assert network is not None
    assert network.nodes[:4] == ("grid", "station", "north", "south")
    assert network.lines[0].limit_wh == 98_380  # an hour
    walk = recorded_run(setting, slots_from(setting)[:24])
    walk.run()
    assert walk.tally.traded_wh > 0
    for text, message in (
        ('"nowhere.json"', "network.pandapower nowhere.json: cannot be read"),
        ('"readings.csv"', "is not a network"),
    ):
        with pytest.raises(ConfigError, match=message):
            load_setting(write(tmp_path, network=f"[network]\npandapower = {text}\n\n"))
    with pytest.raises(ConfigError, match="stands beside nodes or lines"):
        load_setting(write(tmp_path, network='[network]\npandapower = "street.json"\nnodes = ["a"]\n\n'))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('node = "south"', 'node = "west"'), "b: node = 'west' is not one of network.nodes"),
        (('node = "south"\n', ""), "b: node is missing; name the node of network.nodes it is on"),
        ((NETWORK, ""), "'locational' needs a network; add [network]"),
        (('to = "south"\n', 'to = "west"\n'), "network.lines[2]: 'west' is not one of the nodes"),
        (("limit_wh = 900", "limit_wh = -900"), "network.lines[2]: limit_wh = -900"),
        (
            ("loss_ppm = 50_000", "loss = 50_000"),
            'network.lines[2].loss is 50000, without a unit; write it like "90 %"',
        ),
        (
            ("limit_wh = 900", 'limit_wh = "900"'),
            "network.lines[2].limit_wh is '900', without a unit; write it like 13.5 kWh",
        ),
        (('nodes = ["grid"', 'node = ["grid"'), "unknown key network.node; did you mean nodes?"),
        (('from = "grid"', 'from = "grid"\nloss_ppm = 700000'), "network.lines[0]: loss_ppm = 700000"),
    ],
)
def test_what_is_wrong_with_a_network_is_named_by_its_key(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        load_setting(write(tmp_path, change))
    assert message in str(error.value)
    assert str(error.value).startswith("community.toml: ")


def test_a_node_without_a_network_is_named(tmp_path: Path) -> None:
    change = ((NETWORK, ""), ('mechanism = "locational"', 'mechanism = "uniform"'))
    with pytest.raises(ConfigError, match=r"a: node = 'north', but there is no \[network\]; add it"):
        load_setting(write(tmp_path, *change))
