"""The frame of all benches: medians, pairwise ratios, targets, report; on a clock that only moves when told."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from transactive.bench import frame, registry
from transactive.bench.markets.clearing import clear_packed, random_book
from transactive.bench.measure import BenchTimer, Reference
from transactive.bench.registry import Bench
from transactive.bench.report import BenchReport, BenchRows, Row, render_table, this_machine
from transactive.bench.targets import BenchTarget, judge, load_targets
from transactive.core.errors import InputError, RuleBroken
from transactive.market.book import pack_keys


class Clock:
    """Seconds that pass only while fake work is done."""

    def __init__(self) -> None:
        self.now = 0.0
        self.done: list[str] = []

    def __call__(self) -> float:
        return self.now

    def work(self, name: str, *durations: float):
        """Work that takes the given seconds, one call after the other."""
        left: Iterator[float] = iter(durations)

        def run() -> None:
            self.now += next(left)
            self.done.append(name)

        return run


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def meter(clock: Clock) -> BenchTimer:
    return BenchTimer(timer=clock)


class TestMeter:
    def test_work_and_reference_take_turns_and_warming_up_is_not_counted(self, clock: Clock, meter: BenchTimer) -> None:
        work = clock.work("work", 900, 4, 6, 50)
        reference = Reference("copy", clock.work("copy", 900, 2, 2, 5))
        row = meter.time("figure", work, reference, unit="s", repeats=3)
        assert clock.done == ["work", "copy"] * 4
        assert row == Row(name="figure", value=6, unit="s", reference="copy", reference_value=2, ratio=3)

    def test_the_ratio_is_the_median_of_pairs_not_the_ratio_of_medians(self, clock: Clock, meter: BenchTimer) -> None:
        reference = Reference("copy", clock.work("copy", 1, 4, 5))
        row = meter.time("figure", clock.work("work", 10, 8, 12), reference, unit="s", repeats=3, warm_up=0)
        assert (row.value, row.reference_value) == (10, 4)
        assert row.ratio == pytest.approx(12 / 5)

    @pytest.mark.parametrize(("unit", "value"), [("s", 2), ("ms", 2e3), ("µs", 2e6)])
    def test_units_of_time(self, clock: Clock, meter: BenchTimer, unit, value) -> None:
        row = meter.time("figure", clock.work("work", 2), unit=unit, repeats=1, warm_up=0)
        assert row == Row(name="figure", value=value, unit=unit)

    def test_a_rate_grows_when_the_work_gets_faster(self, clock: Clock, meter: BenchTimer) -> None:
        reference = Reference("slow", clock.work("slow", 1, 8))
        row = meter.rate("figure", clock.work("work", 1, 2), reference, count=100, unit="slots/s", repeats=1)
        assert row == Row(name="figure", value=50, unit="slots/s", reference="slow", reference_value=12.5, ratio=4)

    def test_a_rate_needs_no_reference(self, clock: Clock, meter: BenchTimer) -> None:
        row = meter.rate("figure", clock.work("work", 4), count=100, unit="slots/s", repeats=1, warm_up=0)
        assert row == Row(name="figure", value=25, unit="slots/s")

    def test_the_first_call_is_one_call(self, clock: Clock, meter: BenchTimer) -> None:
        assert meter.first_call("figure", clock.work("work", 0.5)) == Row(name="figure", value=500, unit="ms")

    def test_measuring_nothing_is_refused(self, clock: Clock, meter: BenchTimer) -> None:
        with pytest.raises(RuleBroken, match="at least once"):
            meter.time("figure", clock.work("work", 1), repeats=0)


def target(**limits: Any) -> BenchTarget:
    return BenchTarget(bench="fake", name="figure", source="here", **limits)


def figure(value: float | None, ratio: float | None = None) -> Row:
    return Row(name="figure", value=value, unit="s", ratio=ratio)


class TestTargets:
    @pytest.mark.parametrize(
        ("limits", "row", "holds"),
        [
            ({"ratio_at_most": 12}, figure(1, 12), True),
            ({"ratio_at_most": 12}, figure(1, 12.01), False),
            ({"ratio_at_least": 8}, figure(1, 8), True),
            ({"ratio_at_least": 8}, figure(1, 7.9), False),
            ({"ratio_at_least": 8}, figure(1), False),
            ({"value_at_most": 30, "unit": "s"}, figure(30), True),
            ({"value_at_most": 30, "unit": "s"}, figure(31), False),
            ({"value_at_least": 100, "unit": "s"}, figure(100), True),
            ({"value_at_least": 100, "unit": "s"}, figure(99), False),
            ({"value_at_least": 1, "ratio_at_most": 2, "unit": "s"}, figure(1, 3), False),
            ({"value_at_least": 1, "ratio_at_most": 2, "unit": "s"}, figure(1, 2), True),
        ],
    )
    def test_limits_hold_in_their_direction_and_are_inclusive(self, limits, row, holds) -> None:
        assert judge([row], [target(**limits)])[0].holds is holds

    def test_a_row_without_a_target_is_not_judged(self) -> None:
        row = Row(name="other", value=1, unit="s")
        assert judge([row], []) == (row,)

    def test_a_target_without_a_row_fails(self) -> None:
        missed = judge([], [target(value_at_most=30, unit="s")])
        assert missed == (Row(name="figure", value=None, unit="s", target="value ≤ 30 s", holds=False),)

    def test_a_target_in_another_unit_than_its_row_is_refused(self) -> None:
        with pytest.raises(InputError, match="is in ms, the row in s"):
            judge([figure(1)], [target(value_at_most=30, unit="ms")])

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ('bench = "fake"\nname = "a"\nsource = "b"', "no limit"),
            ('bench = "fake"\nname = "a"\nsource = "b"\nvalue_at_most = 1', "add its unit"),
            ('bench = "fake"\nname = "a"\nsource = "b"\nratio_max = 1', "ratio_max"),
            ('bench = "fake"\nname = "a"\nratio_at_most = 1', "source"),
            ('bench = "gone"\nname = "a"\nsource = "b"\nratio_at_most = 1', "unknown bench 'gone'"),
            ("bench = ", "targets.toml: "),
            (
                "\n[[target]]\n".join(['bench = "fake"\nname = "a"\nsource = "b"\nratio_at_most = 1'] * 2),
                "2 targets for 'a'",
            ),
        ],
    )
    def test_a_wrong_file_is_refused(self, tmp_path: Path, text, message) -> None:
        path = tmp_path / "targets.toml"
        path.write_text(f"[[target]]\n{text}\n", encoding="utf-8")
        with pytest.raises(InputError, match=message):
            load_targets(["fake"], path)

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"targets\.toml is missing"):
            load_targets([], tmp_path / "targets.toml")

    def test_the_projects_own_targets_can_be_read(self) -> None:
        assert load_targets(registry.names())


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> list[str]:
    """Two benches, `fake` with targets for a good, a bad and a forgotten row, `free` with none; names as they ran."""
    ran: list[str] = []

    def fake(meter: BenchTimer) -> Iterator[Row]:
        ran.append("fake")
        yield meter.time("good", clock.work("work", 1), unit="s", repeats=1, warm_up=0)
        yield meter.time("bad", clock.work("work", 3), Reference("r", clock.work("r", 1)), repeats=1, warm_up=0)

    def free(meter: BenchTimer) -> Sequence[Row]:
        ran.append("free")
        return [meter.first_call("any", clock.work("work", 1))]

    benches = {"fake": Bench("fake", "rows with targets", fake), "free": Bench("free", "a row without", free)}
    targets = (
        BenchTarget(bench="fake", name="good", source="here", value_at_most=1, unit="s"),
        BenchTarget(bench="fake", name="bad", source="here", ratio_at_most=2),
        BenchTarget(bench="fake", name="forgotten", source="here", ratio_at_most=2),
    )
    monkeypatch.setattr(registry, "MODULES", dict.fromkeys(benches, "transactive.bench.markets.clearing"))
    monkeypatch.setattr(registry, "_loaded", benches)
    monkeypatch.setattr(frame, "load_targets", lambda known: targets)
    return ran


class TestRun:
    def test_no_name_means_all_and_no_bench_runs_twice(self, fakes: list[str], meter: BenchTimer) -> None:
        frame.run([], meter)
        frame.run(["free", "free"], meter)
        assert fakes == ["fake", "free", "free"]

    def test_every_target_of_a_bench_that_ran_is_judged(self, fakes: list[str], meter: BenchTimer) -> None:
        report = frame.run(["fake"], meter)
        assert {row.name: row.holds for row in report.benches[0].rows} == {
            "good": True,
            "bad": False,
            "forgotten": False,
        }
        assert report.exit_code == 1

    def test_targets_of_other_benches_do_not_matter(self, fakes: list[str], meter: BenchTimer) -> None:
        assert frame.run(["free"], meter).exit_code == 0

    def test_a_wrong_name_is_refused_before_anything_runs(self, fakes: list[str], meter: BenchTimer) -> None:
        with pytest.raises(InputError, match="'fakes'; did you mean fake"):
            frame.run(["free", "fakes"], meter)
        with pytest.raises(InputError, match="'xyz'; known: fake, free"):
            frame.run(["xyz"], meter)
        assert fakes == []

    def test_progress_is_shown_to_a_person_only(self, fakes, meter, monkeypatch, capsys) -> None:
        frame.run(["free"], meter)
        assert capsys.readouterr() == ("", "")
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        frame.run(["free"], meter)
        assert capsys.readouterr() == ("", "bench 1/1 free: a row without\n")


class TestReport:
    REPORT = BenchReport(
        this_machine(),
        (
            BenchRows(
                "fake",
                (
                    Row(name="a", value=1.5, unit="ms", reference="copy", reference_value=0.5, ratio=3.0),
                    Row(name="b", value=None, unit="s", target="value ≤ 30 s", holds=False),
                    Row(name="c", value=123_456.7, unit="slots/s", target="value ≥ 9 slots/s", holds=True),
                ),
            ),
        ),
    )

    def test_json_has_exactly_these_fields(self) -> None:
        report = json.loads(self.REPORT.to_json())
        assert list(report) == ["machine", "benches"]
        assert list(report["machine"]) == ["python", "implementation", "machine", "system", "cpus", "numpy"]
        assert list(report["benches"][0]) == ["bench", "rows"]
        assert report["benches"][0]["rows"][:2] == [
            {
                "name": "a",
                "value": 1.5,
                "unit": "ms",
                "reference": "copy",
                "reference_value": 0.5,
                "ratio": 3.0,
                "target": None,
                "holds": None,
            },
            {
                "name": "b",
                "value": None,
                "unit": "s",
                "reference": None,
                "reference_value": None,
                "ratio": None,
                "target": "value ≤ 30 s",
                "holds": False,
            },
        ]

    def test_the_table_says_the_same(self) -> None:
        console = Console(width=120)
        with console.capture() as capture:
            console.print(render_table(self.REPORT))
        lines = [" ".join(line.split()) for line in capture.get().splitlines()]
        assert "a 1.5 ms 3 x copy" in lines
        assert "missed b not measured value ≤ 30 s" in lines
        assert "holds c 123,457 slots/s value ≥ 9 slots/s" in lines


class TestRegistry:
    @pytest.mark.parametrize("name", registry.names())
    def test_every_listed_bench_is_in_its_module(self, name: str) -> None:
        assert registry.load(name).name == name

    def test_listing_names_imports_no_bench_and_none_of_the_rooms(self) -> None:
        code = (
            "import sys; from transactive.bench import frame, registry; registry.names();"
            "print(sorted(m for m in sys.modules if m == 'numpy' or m.startswith(('transactive.market', 'web3'))))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout == "[]\n"


def test_the_clearing_bench_measures_real_trades() -> None:
    tick, is_buy, energy = random_book(1000, seed=1)
    keys = pack_keys(tick, is_buy, 8192)
    given = clear_packed(keys, energy)
    assert 0 < given[is_buy].sum() == given[~is_buy].sum() < energy.sum()
