"""The register of a run for people: every step from the command line, what is refused, and what stays true."""

import csv
import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
import sqlalchemy as sa

from tests.integration.conftest import call
from tests.integration.samples import write_community
from transactive.carbon.certificates.issued import empty_register
from transactive.carbon.certificates.lifecycle import BundleStep, State
from transactive.carbon.certificates.replay import replay
from transactive.carbon.certificates.storage import CERTIFIED
from transactive.config.setting import load_setting
from transactive.core.community.certificate_rules import CertificateRules, CertificateWishes
from transactive.core.errors import StateError
from transactive.engine.books.snapshot import Snapshot
from transactive.engine.replay import replay as run_all
from transactive.engine.replay import slots_from
from transactive.services.certificates import certificate_service, slot_of
from transactive.store.schema import CERTIFICATE_LOG
from transactive.store.sealing import seal, slots_in


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run of three homes in two zones, of which a keeps what it exports; b is where a can be claimed, c is not."""
    folder = tmp_path_factory.mktemp("register")
    setting = load_setting(write_community(folder))
    zones = {"a": "north", "b": "south", "c": "west"}
    members = tuple(
        msgspec.structs.replace(
            member,
            zone=zones[member.id],
            certificates=CertificateWishes(exports="keep") if member.id == "a" else member.certificates,
        )
        for member in setting.community.members
    )
    rules = CertificateRules(zones=("north", "south", "west"), reach=(("north", "south"),))
    carbon = msgspec.structs.replace(setting.community.carbon, certificates=rules)
    setting = replace(setting, community=msgspec.structs.replace(setting.community, members=members, carbon=carbon))
    run_all(setting, slots_from(setting), folder / "state", seed="transactive")
    return folder / "state"


@pytest.fixture
def state(made, tmp_path):
    """A copy to act on."""
    return Path(shutil.copytree(made, tmp_path / "state"))


def listed(state, *options):
    return json.loads(call("certificates", "list", "--state", state, "--json", *options).out)


def act(state, *arguments):
    return call("certificates", *arguments, "--state", state)


def rows_of_log(state):
    with closing(sqlite3.connect(state / "market.sqlite")) as database, database:
        return database.execute("select count(*) from certificate_log").fetchone()[0]


def room(state, serial, meter):
    """What a meter used in the slot of a serial and has no certificate for [Wh]."""
    with certificate_service(state) as service:
        register = service.register(slot_of(serial))
        slot = slot_of(serial)
        return register._consumed_wh.get((meter, slot), 0) - register.claimed_wh(meter, slot)


@pytest.fixture(scope="module")
def kept(made, tmp_path_factory):
    """A bundle that home a kept, in a slot in which b used more than it has certificates for."""
    state = Path(shutil.copytree(made, tmp_path_factory.mktemp("kept") / "state"))
    bundles = listed(state, "--owner", "a")
    found = [b["serial"] for b in bundles if b["energy_wh"] > 60 and room(state, b["serial"], "b") > 60]
    return found[0]


def test_from_kept_surplus_to_a_claim_and_a_redemption_statement(state, kept, tmp_path):
    split = call("certificates", "split", kept, "--energy-wh", 50, "--state", state, "--json")
    first, rest = json.loads(split.out)
    assert (first["energy_wh"], first["carbon_mg"]) == (50, 50 * 45)
    assert act(state, "transfer", first["serial"], "--to", "b").code == 0
    assert act(state, "reserve", first["serial"]).code == 0
    assert act(state, "cancel", first["serial"], "--beneficiary", "Bakery b", "--reason", "report 2017").code == 0
    assert act(state, "claim", first["serial"], "--meter", "b").code == 0
    (claimed,) = [b for b in listed(state, "--status", "claimed") if b["beneficiary"] == "Bakery b"]
    assert (claimed["owner"], claimed["meter"], claimed["reason"]) == ("b", "b", "report 2017")
    path, page = tmp_path / "r.json", tmp_path / "r.html"
    for output in (path, page):
        assert act(state, "redemption", "--beneficiary", "Bakery b", "-o", output).code == 0
    said = json.loads(path.read_text())
    assert (said["beneficiary"], said["reason"], said["energy_wh"], said["claimed_wh"]) == (
        *("Bakery b", "report 2017"),
        *(50, 50),
    )
    assert [b["serial"] for b in said["bundles"]] == [first["serial"]]
    assert "Bakery b" in page.read_text()
    assert first["serial"] in page.read_text()
    assert rest["serial"] in {b["serial"] for b in listed(state, "--owner", "a")}


def test_lock_merge_withdraw_expire_and_export(state, kept, tmp_path):
    first, rest = (
        b["serial"]
        for b in json.loads(call("certificates", "split", kept, "--energy-wh", 50, "--state", state, "--json").out)
    )
    assert act(state, "lock", first, rest).code == 0
    assert "is locked: cannot transfer it" in act(state, "transfer", first, "--to", "c").err
    assert act(state, "unlock", first, rest).code == 0
    assert json.loads(call("certificates", "merge", first, rest, "--state", state, "--json").out)[0]["serial"] == kept
    assert act(state, "reserve", kept).code == act(state, "release", kept).code == 0
    output = tmp_path / "handed.json"
    assert act(state, "export", kept, "-o", output).code == 0
    (handed,) = json.loads(output.read_text())["bundles"]
    assert handed["bundle_quantity"] == handed["bundle_id_range_end"] - handed["bundle_id_range_start"] + 1
    assert (handed["energy_source"], handed["emissions_factor_production_device"], handed["issue_market_zone"]) == (
        *("solar", 45),
        "north",
    )
    other = listed(state, "--owner", "a")[0]["serial"]
    assert act(state, "withdraw", other).code == 0
    mine = act(state, "expire", "--at", "2030-01-01T00:00Z", "--as", "a").out
    assert {line.split(", ")[-2:] == ["expired", "a"] for line in mine.splitlines()} == {True}
    assert "supplier" in act(state, "expire").out
    assert listed(state) == []


def test_a_log_gives_the_same_register_again_and_an_altered_one_is_found(state, kept):
    act(state, "split", kept, "--energy-wh", 50)
    with certificate_service(state) as service:
        register = service.register(slot_of(kept))
        again = replay(empty_register(service.community), register.log)
        assert again.digest() == register.digest()
        again.check()
    with closing(sqlite3.connect(state / "market.sqlite")) as database, database:
        database.execute("""update certificate_log set entry = replace(entry, '"energy_wh":50', '"energy_wh":51')""")
    refused = act(state, "list", "--status", "all")
    assert refused.code == 4
    assert "table certificate_log" in refused.err
    assert "rows are not as they were written" in refused.err
    altered = sa.create_engine(f"sqlite:///{state / 'market.sqlite'}")
    with altered.begin() as connection:  # whoever alters the rows and all their digests is found by the register
        seal(connection, CERTIFICATE_LOG, slots_in(connection, CERTIFICATE_LOG))
    altered.dispose()
    refused = act(state, "list", "--status", "all")
    assert refused.code == 4
    assert "are not those of their log" in refused.err


@pytest.mark.parametrize(
    ("steps", "code", "said"),
    [
        ([("transfer", "SERIAL", "--to", "")], "name", "the new owner is missing; name one"),
        ([("transfer", "SERIAL", "--to", "c", "--as", "b")], "owner", "belongs to a, not to b; its owner can do that"),
        ([("transfer", "nonsense", "--to", "c")], "serial", "'nonsense' is no serial; one looks like"),
        ([("transfer", "a-pv/2017-06-06T12:00Z/9-8", "--to", "c")], "serial", "is no live serial"),
        ([("transfer", "a-pv/2031-06-06T12:00Z/0-8", "--to", "c")], "serial", "is no slot that this run delivered"),
        ([("split", "SERIAL", "--energy-wh", "0")], "range", "cannot split 0 Wh off"),
        ([("split", "SERIAL", "--energy-wh", "999999")], "range", "give less than all"),
        ([("merge", "SERIAL", "SERIAL")], "range", "do not touch or differ"),
        ([("claim", "SERIAL", "--meter", "b")], "state", "is active: cannot claim it; allowed: cancel"),
        ([("unlock", "SERIAL")], "state", "is active: cannot unlock it"),
        ([CANCEL := ("cancel", "SERIAL", "--beneficiary", "x", "--reason", "y"), CANCEL], "state", "is cancelled"),
        ([CANCEL, ("transfer", "SERIAL", "--to", "c")], "state", "is cancelled: cannot transfer it; allowed: claim"),
        ([CANCEL, ("claim", "SERIAL", "--meter", "c")], "zone", "zone west of c is not reachable from north"),
        ([CANCEL, ("claim", "SERIAL", "--meter", "nobody")], "consumed", "nobody has no reading of"),
        ([("cancel", "SERIAL", "--beneficiary", "", "--reason", "y")], "name", "the beneficiary is missing"),
        ([("withdraw", "SERIAL"), ("lock", "SERIAL")], "state", "is withdrawn: cannot lock it; allowed: nothing"),
        ([("lock", "SERIAL", "--at", "2016-01-01T00:00Z")], "time", "up to which the run or a step has come"),
        ([("lock", "SERIAL", "--at", "2018-01-01T00:00Z"), ("unlock", "SERIAL", "--at", "2017-12-01T00:00Z")], "time",
         "is before 2018-01-01T00:00Z"),
        ([("cancel", *CANCEL[1:], "--at", "2019-07-01T00:00Z")], "expired", "cannot cancel it; only expire it"),
        ([("transfer", "SERIAL", "--to", "b", "--at", "2019-07-01T00:00Z")], "expired", "was valid until 2019-06-0"),
        ([("redemption", "--beneficiary", "nobody", "-o", "r.json")], "name", "nothing was cancelled in the name of"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_its_code_and_changes_nothing(state, kept, steps, code, said):
    for number, step in enumerate(steps):
        before = rows_of_log(state)
        made = act(state, *(kept if word == "SERIAL" else word for word in step))
        if number < len(steps) - 1:
            assert made.code == 0, made.err
    assert made.code == 3
    assert made.err.startswith(f"transactive: certificate.{code}: ")
    assert said in made.err
    assert rows_of_log(state) == before


@pytest.mark.parametrize(
    ("member", "said"),
    [
        ('generator = { source = "wind" }', "a: generator.source = 'wind' has no factor"),
        ("generator = { factor_g_per_kwh = -5 }", "members[0].generator.factor_g_per_kwh must be"),
        ("generator = { factor_g_per_kwh = 41 }", "a: generator.factor_source is missing"),
        ('battery_allocation = "lifo"', "members[0].battery_allocation is 'lifo'; choose fifo"),
        ('certificates = { imports = "buy" }', "a: certificates.bid_micro_per_kwh is missing"),
    ],
)
def test_a_community_file_that_says_it_wrongly_is_refused_before_anything_runs(tmp_path, member, said):
    path = write_community(tmp_path)
    path.write_text(path.read_text().replace('id = "a"', f'id = "a"\n{member}'))
    before = sorted(tmp_path.iterdir())
    for command in ("check", "run"):
        made = call(command, path)
        assert made.code == 3
        assert made.err.startswith("transactive: config: community.toml: ")
        assert said in made.err
    assert sorted(tmp_path.iterdir()) == before


def test_a_zone_that_nobody_named_is_refused(tmp_path):
    path = write_community(tmp_path)
    zones = '\n[carbon.certificates]\nzones = ["north", "south"]\n'
    text = path.read_text().replace("grid_g_per_kwh = 350\n", f"grid_g_per_kwh = 350\n{zones}")
    path.write_text(text.replace('id = "a"', 'id = "a"\nzone = "nroth"'))
    made = call("check", path)
    assert (made.code, "a: zone = 'nroth' is not one of carbon.certificates.zones" in made.err) == (3, True)


def test_readings_of_overlapping_periods_are_refused(tmp_path):
    path = write_community(tmp_path)
    readings = tmp_path / "readings.csv"
    lines = readings.read_text().splitlines()
    readings.write_text("\n".join([*lines, lines[-1]]) + "\n")
    assert call("check", path).code == 0  # the same row twice says nothing new
    *others, generation = lines[-1].split(",")
    readings.write_text("\n".join([*lines, ",".join([*others, str(int(generation) + 1)])]) + "\n")
    made = call("check", path)
    assert made.code == 3
    assert "readings.csv" in made.err


def test_no_wh_is_claimed_twice_across_run_and_people(state, kept):
    left = room(state, kept, "b")
    size = next(b["energy_wh"] for b in listed(state, "--owner", "a") if b["serial"] == kept)
    assert act(state, "cancel", kept, "--beneficiary", "b", "--reason", "y").code == 0
    claimed = act(state, "claim", kept, "--meter", "b")
    assert claimed.code == (0 if size <= left else 3)
    if size > left:
        assert "Wh left to claim; split the bundle" in claimed.err
    used, meter = next((b["serial"], b["meter"]) for b in listed(state, "--status", "claimed"))
    for step in (("reserve", used), ("lock", used), ("withdraw", used), ("claim", used, "--meter", meter)):
        again = act(state, *step)
        assert (again.code, "is claimed: cannot" in again.err) == (3, True)


def test_who_comes_second_is_told_so_and_changes_nothing(state, kept):
    other = next(b["serial"] for b in listed(state, "--owner", "a") if b["serial"] != kept)

    def meanwhile(register, serial):
        assert act(state, "lock", other).code == 0
        return [register.move(serial, BundleStep.LOCK)]

    with certificate_service(state) as service, pytest.raises(StateError, match="changed meanwhile"):
        service.act([kept], meanwhile)
    assert [b["serial"] for b in listed(state, "--status", "locked")] == [other]


def test_all_or_none(state, kept):
    others = [b["serial"] for b in listed(state, "--owner", "a") if b["serial"] != kept]
    act(state, "lock", others[0])
    before = rows_of_log(state)
    made = act(state, "transfer", kept, *others, "--to", "c")
    assert (made.code, rows_of_log(state)) == (3, before)
    assert act(state, "transfer", kept, *others[1:], "--to", "c").code == 0
    assert {b["owner"] for b in listed(state, "--status", "active") if b["serial"] in [kept, *others[1:]]} == {"c"}


def test_wrong_words_are_told(state, tmp_path):
    assert "--status gone: choose one of active" in act(state, "list", "--status", "gone").err
    assert "name the serials" in act(state, "lock").err
    assert "ends neither in .json nor in .csv" in act(state, "list", "-o", tmp_path / "x.txt").err
    assert "holds no run" in call("certificates", "list", "--state", tmp_path).err


def test_certificates_as_csv_in_the_shape_of_energytag(state, tmp_path):
    path = tmp_path / "all.csv"
    assert act(state, "list", "--status", "all", "-o", path).code == 0
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert len(rows) == len(listed(state, "--status", "all"))
    assert {row["storage_allocation_method"] for row in rows if row["is_storage"] == "True"} == {"fifo"}
    assert {row["registry_configuration"] for row in rows} == {"1"}


def test_the_register_of_a_week_is_that_of_the_meters_and_of_the_lots(demo_run):
    """Issued is what was metered; batteries gave certificates for what they took, less losses and what is left."""
    members = len(demo_run.setting.community.members)
    taken, given = np.zeros(members, np.int64), np.zeros(members, np.int64)
    efficiency = demo_run.setting.community.devices.efficiency_ppm
    ids, devices = demo_run.setting.community.ids, demo_run.setting.community.device_ids
    with certificate_service(demo_run.folder) as service:
        for record in demo_run.records:
            register = service.register(record.readings.slot)
            wh = np.zeros(2 * members, np.int64)
            for bundle in register.bundles.values():
                wh[devices.index(bundle.device)] += bundle.energy_wh
                if bundle.state == State.STORED:
                    taken[ids.index(bundle.owner)] += bundle.energy_wh
            assert (wh[0::2] == record.readings.generation_wh).all()
            assert (wh[1::2] <= record.readings.discharge_wh).all()
            assert sum(b.carbon_mg for b in register.bundles.values()) == int(record.certificates.market_mg.sum())
            given += wh[1::2]
        snapshot = msgspec.msgpack.decode(service.store.snapshot() or b"", type=Snapshot)
    drawn = taken - snapshot.lots.value()[:, :, CERTIFIED].sum(axis=0)
    assert (given * 10**6 <= drawn * efficiency).all()
    assert int(given.sum()) > 10_000
