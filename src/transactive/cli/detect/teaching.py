"""Teach a judge of falsified readings, and say how good it is."""

from __future__ import annotations

from pathlib import Path
from time import process_time

import msgspec

from transactive.cli.progress import tell
from transactive.cli.report import report
from transactive.core.errors import DataError, InputError
from transactive.engine.daily.detector import demo_days, teach
from transactive.insight.detection.folded import fold
from transactive.insight.detection.learned.backtest import Marks, back_test, baselines, median_marks
from transactive.insight.detection.learned.features import HISTORY, WINDOW
from transactive.insight.detection.meters import FloatArray
from transactive.studies.recordings.meters import MeterColumns, read_meters

LEAST_HOMES = 4
"""Fewest homes of which one can be left out."""


class MarksRecord(msgspec.Struct, frozen=True):
    """Medians over the seeds; unseen: area of each attack that was not learned, home unseen too."""

    area: float
    recall_at_1_percent: float
    unseen_mean: float
    unseen_worst: float
    unseen: dict[str, float]


def back_test_file(path: Path | None, named: MeterColumns, *, unit: str, seeds: int, json: bool) -> None:
    """Back-test on a file, or on the demo's homes, and print the marks. Raises DataError, InputError."""
    began = process_time()
    if seeds < 1:
        raise InputError("--seeds is 1 or more")
    days = honest_days(path, named, unit)
    if len(days) < LEAST_HOMES:
        raise DataError(f"{len(days)} homes; give {LEAST_HOMES} or more, so that each can be left out")
    runs = list(range(seeds))
    found = {"judge": back_test(days, runs, progress=lambda done, of: tell(f"home {done} of {of}"))}
    found |= baselines(days, runs)
    tell("")
    facts = {name: msgspec.to_builtins(record(median_marks(marks))) for name, marks in found.items()}
    report({"homes": len(days), "seeds": seeds, **facts, "cpu_s": round(process_time() - began, 1)}, json=json)


def train_file(path: Path | None, output: Path, named: MeterColumns, *, unit: str, json: bool) -> None:
    """Teach on a file, or on the demo's homes, and write the judge. Raises DataError, InputError."""
    import hashlib

    if output.suffix != ".npz":
        raise InputError(f"-o {output.name}: a judge is written as .npz")
    days = honest_days(path, named, unit)
    tell(f"teaching on {len(days)} homes")
    data = teach(days).to_bytes()
    tell("")
    partial = output.with_name(f".{output.name}.part")
    try:
        partial.write_bytes(data)
        partial.replace(output)
    except OSError as error:
        raise InputError(f"{output}: cannot be written ({error.strerror}); choose another place") from None
    finally:
        partial.unlink(missing_ok=True)
    report({"file": str(output), "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}, json=json)


def honest_days(path: Path | None, named: MeterColumns, unit: str) -> FloatArray:
    """Days of homes, (homes, days, 24) [Wh]. Raises DataError if they are too few."""
    if path is None:
        return demo_days()
    days = fold(read_meters(path, named, None, unit).meters).consumption
    if days.shape[1] < HISTORY + WINDOW:
        raise DataError(f"{path.name}: {days.shape[1]} whole days; {HISTORY + WINDOW} are needed at least")
    return days


def record(marks: Marks) -> MarksRecord:
    """Marks as they are printed."""
    unseen = {name: round(value, 4) for name, value in marks.unseen.items()}
    return MarksRecord(
        round(marks.area, 4), round(marks.recall, 4), round(marks.mean, 4), round(marks.worst, 4), unseen
    )
