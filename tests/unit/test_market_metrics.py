"""What a market tells Prometheus of itself: read by its own parser, and nothing that is not known."""

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.unit.test_box_trades import ADA, Street, street
from transactive.core.boxes.messages import NotFollowed
from transactive.core.errors import StateError
from transactive.engine.live.standing_keeper import StandingKeeper
from transactive.node.metrics import metrics_text
from transactive.node.status import BoxStatus
from transactive.services.feeds.taking import FeedAge
from transactive.store.live.standing import (
    STANDING_FILE,
    LiveStanding,
    MeterStanding,
    PlanFailure,
    live_standing,
    write_standing,
)
from transactive.texts.prometheus import Metric, metrics_page
from transactive.web.watching import market_metrics as market_metrics_module
from transactive.web.watching.market_metrics import market_metrics

__all__ = ["street"]
DASHBOARD = Path(__file__).parents[2] / "examples" / "grafana" / "market.json"


def reader_of(folder: Path) -> Any:
    """A reader of a run that has committed three slots of four."""
    clock = SimpleNamespace(length=900)
    run = SimpleNamespace(
        clock=clock,
        names=["ada", 'be"n\\'],
        community=SimpleNamespace(members=("ada", "ben")),
        number=lambda slot: slot // 900,
    )
    position = SimpleNamespace(cleared=3_600, delivered=2_700, committed=1_800)
    return SimpleNamespace(
        store=SimpleNamespace(path=folder / "run.sqlite"),
        run=lambda: run,
        position=lambda: position,
        last_block=lambda: 17,
    )


def values(text: str) -> dict[tuple[str, ...], float]:
    """Samples as Prometheus' parser has them: by name and labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def standing() -> LiveStanding:
    meters = (MeterStanding(0, 12, 3_600), MeterStanding(1, 0, 0))
    failures = (PlanFailure(1, 0, 3_000, "why"), PlanFailure(1, 1, 3_100, "why"))
    counts = {"refused": {"order": 2, "torn": 1}, "orders_refused": {"closed": 4}}
    return LiveStanding(
        100,
        4_000,
        is_connected=True,
        backlog=7,
        meters=meters,
        **counts,
        settled=2_700,
        settled_after=25,
        failures=failures,
    )


def test_a_market_tells_how_it_stands(tmp_path):
    reader = reader_of(tmp_path)
    told = values(market_metrics(reader, 130))
    assert told == {
        ("transactive_market_members",): 2,
        ("transactive_market_slot_end_timestamp_seconds", "cleared"): 4_500,
        ("transactive_market_slot_end_timestamp_seconds", "delivered"): 3_600,
        ("transactive_market_slot_end_timestamp_seconds", "committed"): 2_700,
        ("transactive_market_commitments_total",): 3,
        ("transactive_market_chain_height",): 17,
    }
    write_standing(tmp_path, standing())
    live = values(market_metrics(reader, 130))
    short = {(name.removeprefix("transactive_market_"), *labels): value for (name, *labels), value in live.items()}
    added = {key: value for key, value in short.items() if (f"transactive_market_{key[0]}", *key[1:]) not in told}
    assert added == {
        ("standing_age_seconds",): 30,
        ("broker_connected",): 1,
        ("backlog_messages",): 7,
        ("meter_age_seconds", "ada"): 400,
        ("meter_records_total", "ada"): 12,
        ("meter_records_total", 'be"n\\'): 0,
        ("refused_records_total", "order"): 2,
        ("refused_records_total", "torn"): 1,
        ("refused_orders_total", "closed"): 4,
        ("settled_after_seconds",): 25,
        ("plans_not_followed", 'be"n\\'): 2,
    }
    (tmp_path / STANDING_FILE).write_text("{")
    assert values(market_metrics(reader, 130)) == told


def test_the_dashboard_asks_for_metrics_that_there_are(tmp_path):
    write_standing(tmp_path, standing())
    told = {name for name, *_ in values(market_metrics(reader_of(tmp_path), 130))}
    text = DASHBOARD.read_text()
    asked = set(re.findall(r"transactive_market_\w+", text))
    assert asked == told - {"transactive_market_members", "transactive_market_meter_records_total"}
    assert json.loads(text)["panels"]


def test_it_tells_how_old_feeds_are_and_nothing_where_none_came(tmp_path, monkeypatch):
    now = 10_000
    before = market_metrics(reader_of(tmp_path), now)
    assert "feed" not in before
    ages = [FeedAge("spot_price_micro_per_kwh", "energy-charts", 6_400, 7_200)]
    monkeypatch.setattr(market_metrics_module, "community_file", lambda _: tmp_path / "community.toml")
    monkeypatch.setattr(market_metrics_module, "ages_of", lambda _: ages)
    told = values(market_metrics(reader_of(tmp_path), now))
    assert told["transactive_market_feed_age_seconds", "spot_price_micro_per_kwh"] == 3_600
    assert told["transactive_market_feed_until_timestamp_seconds", "spot_price_micro_per_kwh"] == 7_200

    def broken(_: Path) -> list[FeedAge]:
        raise StateError("its journal is damaged")

    monkeypatch.setattr(market_metrics_module, "ages_of", broken)
    assert market_metrics(reader_of(tmp_path), now) == before


def test_a_box_is_read_by_the_same_parser():
    status = BoxStatus("0x" + "ab" * 20, "a meter", standing=(7, 8), heard=40)
    assert values(metrics_text(status, 50))["transactive_box_energy_watthours_total", "export"] == 8


def test_a_metric_without_a_known_value_is_left_out():
    assert metrics_page(
        "x", [Metric("a", "gauge", "A.", {None: None}), Metric("b", "gauge", "B.", {("l", "x\ny"): 1})]
    ) == ('# HELP x_b B.\n# TYPE x_b gauge\nx_b{l="x\\ny"} 1\n')


def test_what_a_device_does_not_do_is_kept_with_its_reason_also_over_a_new_start(street: Street, tmp_path):
    commands, collector = street.commands, street.commands._collector
    street.meet()
    street.counter.hear(street.key.address, street.say(NotFollowed(1, 5, "the charger refuses:\x1b[2J Rejected")))
    keeper = StandingKeeper(tmp_path, street.clock, collector, commands, street.desk.refused)
    keeper.settled(900, street.clock.now - 30)
    keeper.look(is_connected=True, backlog=lambda: 3)
    keeper.look(is_connected=False, backlog=lambda: 4)  # too early to write again
    found = live_standing(tmp_path)
    assert found is not None
    assert (found.is_connected, found.backlog, found.settled_after) == (True, 3, 30)
    assert found.meters == (MeterStanding(ADA, 0, 0),)
    assert found.failures == (PlanFailure(ADA, 1, street.clock.now, "the charger refuses:[2J Rejected"),)
    commands.failures.clear()
    StandingKeeper(tmp_path, street.clock, collector, commands, street.desk.refused)
    assert list(commands.failures) == list(found.failures)
