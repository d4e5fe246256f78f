"""A run in which PV earns avoided-emission credits: exact, additional only, and never beside a certificate."""

import csv
import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.integration.conftest import START, call
from tests.integration.samples import write_community
from tests.integration.test_crash import KILL_AT, command, finish
from transactive.carbon.credits.register import BUFFER
from transactive.core.community.carbon_rules import AvoidedRules
from transactive.core.community.certificate_rules import Generator
from transactive.core.community.members import OffsetPolicy
from transactive.core.credit_notes import Avoided
from transactive.core.errors import CertificateError
from transactive.core.postings import PostingKind
from transactive.core.slot_book import SlotBook
from transactive.core.slots import parse_time
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import slots_of
from transactive.insight.statements.statement import decode, encode

MG, ASSET = 10**6, 5
YOUNG = Generator(commissioned="2016-01-15")


def changed(setting, rules, **members):
    """The demo with house-06's PV earning credits under some rules; members: fields of others by place."""
    community = setting.community
    homes = [msgspec.structs.replace(member, offset=None) for member in community.members]
    homes[ASSET] = msgspec.structs.replace(homes[ASSET], credits="avoided", generator=YOUNG)
    for place, change in members.items():
        number = int(place.removeprefix("home"))
        homes[number] = msgspec.structs.replace(homes[number], **change)
    carbon = msgspec.structs.replace(community.carbon, avoided=rules)
    return replace(setting, community=msgspec.structs.replace(community, carbon=carbon, members=tuple(homes)))


def run(setting, days=2):
    records: list[SlotBook] = []
    walk = recorded_run(setting, slots_of(setting, parse_time(START), days))
    walk.run(records.append)
    return records, walk


RULES = AvoidedRules(
    auditor="ann",
    marginal_g_per_kwh=375,
    uncertainty_ppm=200_000,
    baseline_ppm=100_000,
    leakage_ppm=50_000,
    price_micro_per_t=30,
)


@pytest.fixture(scope="module")
def credited(demo_setting):
    buyer = {"offset": OffsetPolicy(most_micro_per_t=40)}
    return run(changed(replace(demo_setting, credits=()), RULES, home2=buyer))


def test_credits_follow_from_meter_lower_bound_baseline_and_deductions(credited):
    records, walk = credited
    notes = [(n, note) for n, r in enumerate(records) for note in r.notes if isinstance(note, Avoided)]
    assert [n for n, _ in notes] == [23, 47]
    carried = 0
    for end, note in notes:
        generation = [int(r.readings.generation_wh[ASSET]) for r in records[end - 23 : end + 1]]
        counted = sum(wh - -(-wh // 10) for wh in generation)
        gross = counted * 300  # 375 less a fifth
        net = gross - counted * 45 - -(-gross // 20)
        assert (note.generation_wh, note.counted_wh, note.gross_mg) == (sum(generation), counted, gross)
        assert note.issued_kg == (carried + net) // MG > 3
        carried = (carried + net) % MG
        assert note.carried_mg == carried
        assert note.additional == "commissioned 2016-01-15"
        assert note.buffer_kg == -(-note.issued_kg // 5)
    assert walk.offsets.avoidance.carried_mg.tolist() == [carried]
    assert len(walk.offsets.avoidance.waiting) == 0


def test_a_credited_wh_has_no_certificate_and_counts_at_the_residual_mix(demo_setting, credited):
    records, _ = credited
    plain, _ = run(changed(replace(demo_setting, credits=()), None, home5={"credits": None}))
    more = 0
    for record, before in zip(records, plain, strict=True):
        assert not (record.certificates.device == 2 * ASSET).any()
        assert (record.footprints.location_mg == before.footprints.location_mg).all()
        own = np.minimum(record.readings.generation_wh, record.readings.consumption_wh)[ASSET]
        more += int(record.footprints.market_mg[ASSET] > before.footprints.market_mg[ASSET]) * int(own > 0)
        others = np.arange(14) != ASSET
        assert (record.footprints.market_mg >= before.footprints.market_mg - 1)[others].all()
        issued = record.certificates.energy_wh.sum() - before.certificates.energy_wh.sum()
        assert issued <= 0
    assert more > 10


def test_a_neighbour_buys_them_in_the_same_settlement(credited):
    records, walk = credited
    postings = [r.postings for r in records]
    bought = [
        row
        for p in postings
        for row in zip(p.kind.tolist(), p.payer.tolist(), p.payee.tolist(), p.energy_wh.tolist(), strict=True)
        if row[0] == PostingKind.OFFSET
    ]
    assert {(payer, payee) for _, payer, payee, _ in bought} == {(2, ASSET)}
    register = walk.offsets.market.register
    register.check()
    assert sum(kg for *_, kg in bought) == sum(register.retired_kg.values()) > 0
    assert register.held_kg(0, BUFFER) > 0
    assert int(walk.tally.offset_n[ASSET]) == -30 * sum(kg for *_, kg in bought)


def test_a_certificate_for_the_same_wh_stops_the_run(demo_setting):
    setting = changed(replace(demo_setting, credits=()), RULES)
    walk = recorded_run(setting, slots_of(setting, parse_time(START), 1))
    walk.carbon._assets = []  # as if certificates were issued for it all the same
    with pytest.raises(CertificateError, match="has certificates; it gives no avoided-emission credit"):
        walk.run()


def test_an_asset_that_turns_too_old_gives_certificates_again(demo_setting):
    aged = {"generator": Generator(commissioned="2014-05-06")}  # 37 months on 6 June 2017
    records, walk = run(changed(replace(demo_setting, credits=()), RULES, home5=aged))
    noons = [record for record in records if record.readings.slot % 86_400 == 72_000]
    at_noon = [(record.certificates.device == 2 * ASSET).any() for record in noons]
    assert [bool(found) for found in at_noon] == [False, True]
    assert sum(isinstance(note, Avoided) for r in records for note in r.notes) == 1
    assert walk.offsets.market.register.batches[0].issued_kg > 0


AVOIDED = """
[carbon.avoided]
auditor = "ann"
marginal_g_per_kwh = 400
price_micro_per_t = 10_000_000

[data]"""
WITH_CREDITS = 'pv_w = 5_000\ncredits = "avoided"\ngenerator = { commissioned = "2016-05-01" }'


def community(folder: Path, old: str = "", new: str = "") -> Path:
    """The sample in which c's PV earns credits."""
    path = write_community(folder)
    text = path.read_text().replace("\n[data]", AVOIDED).replace("pv_w = 5_000", WITH_CREDITS)
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Community file, state folder and what the run said."""
    folder = tmp_path_factory.mktemp("avoided")
    path, state = community(folder), folder / "state"
    made = call("run", path, "--no-page", "--json", "--state", state)
    assert made.code == 0, made.err
    return path, state, json.loads(made.out)


@pytest.mark.long
def test_the_statement_says_it_and_verify_computes_it_again(whole, tmp_path):
    _, state, said = whole
    path, table = tmp_path / "c.json", tmp_path / "c.csv"
    assert call("statement", "--state", state, "--member", "c", "-o", path).code == 0
    statement = decode(path.read_bytes(), path.name)
    notes = [(n, note) for n, slot in enumerate(statement.slots) for note in slot.credits if isinstance(note, Avoided)]
    assert statement.totals.avoided_kg == sum(note.issued_kg for _, note in notes) > 0
    assert said["carbon"]["offsets"]["avoided_kg"] == statement.totals.avoided_kg
    assert call("verify", path, "--state", state).code == 0
    assert call("statement", "--state", state, "--member", "c", "-o", table).code == 0
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert sum(int(row["avoided_kg"]) for row in rows) == statement.totals.avoided_kg
    assert sum(int(row["offset_n"]) for row in rows) == int(statement.totals.offset_n) < 0  # it sold some
    from transactive.services.statements.checks.credits import check_credits
    from transactive.services.statements.checks.words import Contradiction

    place, note = notes[0]
    for change, said in (
        ({"issued_kg": note.issued_kg + 1}, "and carry the rest on"),
        ({"gross_mg": note.gross_mg + 5, "carried_mg": note.carried_mg + 5}, "meters and factors make"),
        ({"generation_wh": 1}, "meters and factors make"),
        ({"marginal_g_per_kwh": note.marginal_g_per_kwh[1:]}, "not one for each slot"),
    ):
        slot = msgspec.structs.replace(statement.slots[place], credits=(msgspec.structs.replace(note, **change),))
        slots = (*statement.slots[:place], slot, *statement.slots[place + 1 :])
        with pytest.raises(Contradiction, match=said):
            check_credits(msgspec.structs.replace(statement, slots=slots))
    slot = statement.slots[12]
    twice = msgspec.structs.replace(slot, bundles=((4, 0, 9, 2, 3, 0), *slot.bundles))
    slots = (*statement.slots[:12], twice, *statement.slots[13:])
    with pytest.raises(Contradiction, match="9 Wh of it have certificates"):
        check_credits(msgspec.structs.replace(statement, slots=slots))
    path.write_bytes(encode(statement).replace(b'"issued_kg":', b'"issued_kg":1', 1))
    assert call("verify", path, "--state", state).code == 1
    shown = json.loads(call("credits", "show", "--state", state, "--json").out)
    assert shown["projects"]["c-pv"]["auditor"] == "ann"
    assert any(serial.startswith("c-pv-2017-06-06") for serial in shown["batches"])


@pytest.mark.long
def test_an_interrupted_run_issues_and_buys_the_same(whole, tmp_path):
    """Killed between the first period's credits and their block, it goes on to the same hash, kg and receipts."""
    path, undisturbed, expected = whole
    state = tmp_path / "state"
    program = [sys.executable, "-c", KILL_AT, "database", "24", *command(path, state)]
    died = subprocess.run(program, capture_output=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    finish(path, state, expected)
    registers = [call("credits", "show", "--state", folder, "--json").out for folder in (undisturbed, state)]
    assert registers[0] == registers[1]
    assert '"receipt":0' in registers[0]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("\ngenerator = {", "\n# generator = {", "c: credits: its PV has no generator.commissioned"),
        ("2016-05-01", "2011-05-01", "was commissioned 2011-05-01; additional is"),
        ("2016-05-01", "2016-02-31", "there is no such day"),
        ("\n[carbon.avoided]", "\n[carbon.levy]", "auditor"),
        ('\nauditor = "ann"', "", "auditor"),
        ("marginal_g_per_kwh = 400\n", "", "carbon.avoided.marginal_g_per_kwh is missing"),
        ("marginal_g_per_kwh = 400", "marginal_g_per_kwh = -1", "marginal_g_per_kwh must be a whole number, 0 or more"),
        ("price_micro_per_t = 10_000_000", 'named = ["zoe"]', "carbon.avoided.named: 'zoe' is no member"),
        ('credits = "avoided"', 'credits = "green"', "credits"),
        ('id = "b"\n', 'id = "b"\ncredits = "avoided"\n', "b: credits are for PV, and it has none"),
        ('file = "credits.toml"', 'file = "none.toml"', "carbon.offsets.file none.toml: cannot be read"),
        ('file = "credits.toml"', 'file = "readings.csv"', "carbon.offsets.file readings.csv"),
        ("offset = { most_micro_per_t", "offset = { highest", "unknown key members"),
        ("offset = { most_micro_per_t = 50_000_000", "offset = { most_micro_per_t = -1", "a whole number, 0 or more"),
        ('file = "credits.toml"', "community = { most_micro_per_t = 1 }", 'carbon.levy.use = "offsets"'),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(tmp_path, old, new, said):
    path = community(tmp_path, old, new)
    made = call("run", path, "--no-page", "--json", "--state", tmp_path / "state")
    assert (made.code, made.out, made.err.count("\n")) == (3, "", 1), made.err
    assert said in made.err
    assert not (tmp_path / "state").exists()
