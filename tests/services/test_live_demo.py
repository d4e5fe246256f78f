"""`transactive demo --live`: a street that anyone sees living within a minute."""

import json
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.waiting import LIMIT_SECONDS
from transactive.core.proofs.order_records import order_of
from transactive.store import Store
from transactive.store.live.journal import JOURNAL_FILE, ArrivalKind, JournalReader
from transactive.studies.live_street.street import FIRST, HOMES, SLOT

pytestmark = pytest.mark.service
TRANSACTIVE = Path(sys.executable).with_name("transactive")
SLOTS = 6


def test_a_street_lives_trades_with_its_own_keys_and_moves_its_battery(tmp_path, broker, processes):
    """Five boxes, one of which goes away and comes back; two trade with their own keys, one drives a battery."""
    log, state = tmp_path / "said", tmp_path / "street"
    options = ("--no-serve", "--json", "--broker", broker.url, "--speed", 120, "--slots", SLOTS, "--state", state)
    running = processes(TRANSACTIVE, "demo", "--live", *options, log=log)
    printed, _ = running.communicate(timeout=LIMIT_SECONDS)
    said = log.read_text()
    assert running.returncode == 0, said
    assert json.loads(printed)["ledger_equals_chain"], printed

    with closing(JournalReader(state / "market" / JOURNAL_FILE)) as journal:
        orders = [order_of(each.body).order.account for each in journal.of_kinds((ArrivalKind.ORDER,), 0)]
    assert {HOMES[account].name for account in orders} == {"ada", "eve"}
    assert "dora: the box is switched off" in said
    assert "cem: battery at" in said
    for home in HOMES:  # each box has verified what was settled, and found nothing wrong
        assert f"{home.name}: leaf of " in said, said
    assert "WRONG" not in said
    assert "ben: charger GARAGE is there: OCPP 2.0.1" in said
    assert "Wh: draws 7400 W" in said
    with closing(Store(state / "market")) as store:
        slots = [store.readings(FIRST + place * SLOT, len(HOMES)) for place in range(SLOTS)]
        dora = [bool(readings.quality[3]) for readings in slots]
    assert any(dora)
    assert not dora[0]
