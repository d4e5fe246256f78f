"""What the commands of `transactive models` do, and how they say it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from transactive.cli.report import report
from transactive.config.setting import Setting, load_setting
from transactive.config.shipped import DEMO
from transactive.core.errors import InputError
from transactive.core.slots import time_text
from transactive.engine.models.active_models import LEAST_TEST_DAYS, ActiveModelState
from transactive.engine.models.maintenance import EMPIRICAL, ModelMaintenance
from transactive.forecasting.evaluation.monitor import WEEK
from transactive.services import models
from transactive.services.models import ModelService, opened
from transactive.store.model_records import ActiveModelRecord, ModelEvent, ModelRecord

MONTH = 28
"""Days over which coverage is said beside that of the week."""


def show_list(folder: Path, *, json: bool) -> None:
    """Print the active models, and the models by number."""
    with opened(folder) as service:
        if json:
            report(
                {"in_charge": _active_names(service), "models": [_facts(model) for model in service.models]}, json=True
            )
            return
        for target, name in _active_names(service).items():
            print(f"{target:<12}  {name}")
        if service.models:
            print(f"\n{'no.':>4}  {'target':<12}  {'forecaster':<16}  {'status':<9}  {'learnt until':<17}  hash")
        for model in service.models:
            until = time_text(model.learnt.until)
            head = f"{model.number:>4}  {model.target:<12}  {model.learnt.forecaster:<16}  {model.status:<9}"
            print(f"{head}  {until:<17}  {model.hash[:12]}  {model.contest.text if model.contest else 'not tested'}")


def show_model(folder: Path, number: int, *, json: bool) -> None:
    """Print one model, once its file has been checked."""
    with opened(folder) as service:
        model, file = service.model(number), service.verified(number)
        facts = _facts(model) | {"libraries": file.libraries, "bytes": len(file.content), "hash_holds": True}
        report(facts, json=json)


def train_model(folder: Path, community: str, target: str, forecaster: str, until: str | None, *, json: bool) -> None:
    """Train and print what came of it."""
    model = models.train(folder, _setting(community), target, forecaster, until)
    won = model.contest is not None and model.contest.won
    undo = f"transactive models promote {model.number} --state {folder}" if won else "none: it has not won its test"
    report(_facts(model) | {"next": undo}, json=json)


def try_model(folder: Path, community: str, number: int, days: int, until: str | None, *, json: bool) -> None:
    """Test and print the scores."""
    if days < LEAST_TEST_DAYS:
        raise InputError(f"--days {days}: give {LEAST_TEST_DAYS} or more")
    contest = models.test(folder, _setting(community), number, until, days)
    report(msgspec.to_builtins(contest) | {"won": contest.won}, json=json)


def promote_model(folder: Path, number: int, *, force: bool, json: bool) -> None:
    """Promote and say how to undo it."""
    with opened(folder, change=True) as service:
        event = service.promote(number, force=force)
    report(_event(event) | {"undo": f"transactive models rollback {event.target} --state {folder}"}, json=json)


def roll_back(folder: Path, target: str, *, json: bool) -> None:
    """Roll back and say how to undo it."""
    with opened(folder, change=True) as service:
        before = service.target(target).model
        event = service.rollback(target)
    undo = f"transactive models promote {before} --force --state {folder}"
    report(_event(event) | {"undo": undo}, json=json)


def show_monitors(folder: Path, target: str | None, *, json: bool) -> None:
    """Print how the forecasts fare."""
    with opened(folder) as service:
        names = [service.target(target).target] if target else list(service.active_models)
        facts: dict[str, Any] = {name: _monitor(service, service.active_models[name]) for name in names}
        events = [_event(event) for event in service.events if event.target in names]
    if json:
        report({"targets": facts, "events": events}, json=True)
        return
    report(facts, json=False)
    print()
    for event in events:
        print(f"{event['at']}  {event['target']:<12}  {event['kind']:<11}  {event['text']}")


def _monitor(service: ModelService, active: ActiveModelRecord) -> dict[str, Any]:
    """Coverage, place and alarms of one target."""
    monitor = ActiveModelState.of(active).monitor
    days = models.last_days(service, active.target, MONTH)
    return {
        "in_charge": _active_names(service)[active.target],
        "days": len(days),
        f"covered_{WEEK}_days": _covered(days[-WEEK:]),
        f"covered_{MONTH}_days": _covered(days),
        "place_of_what_came": round(sum(c.day.pit for c in days if c.day) / len(days), 3) if days else None,
        "cusum": [round(monitor.up, 2), round(monitor.down, 2)],
        "drifting": monitor.drifting,
    }


def _covered(days: list[ActiveModelRecord]) -> float | None:
    """Share of some days inside the 90 % interval."""
    counted = sum(active.day.counted for active in days if active.day)
    return round(sum(c.day.inside for c in days if c.day) / counted, 3) if counted else None


def _active_names(service: ModelService) -> dict[str, str]:
    """Active model of each target, by name."""
    return {
        target: EMPIRICAL if active.model is None else ModelMaintenance.title(service.model(active.model))
        for target, active in service.active_models.items()
    }


def _facts(model: ModelRecord) -> dict[str, Any]:
    """A model as facts."""
    learnt = model.learnt
    return {
        "number": model.number,
        "target": model.target,
        "forecaster": learnt.forecaster,
        "status": model.status,
        "file": model.file,
        "hash": model.hash,
        "made_at": time_text(model.made_at),
        "learnt_since": time_text(learnt.since),
        "learnt_until": time_text(learnt.until),
        "members": len(learnt.members),
        "slot_minutes": learnt.slot_seconds // 60,
        "horizon_slots": learnt.horizon,
        "program": model.program,
        "features": model.features,
        "test": msgspec.to_builtins(model.contest) | {"won": model.contest.won} if model.contest else None,
    }


def _event(event: ModelEvent) -> dict[str, Any]:
    """An event as facts."""
    facts: dict[str, Any] = msgspec.to_builtins(event)
    return facts | {"at": time_text(event.at)}


def _setting(community: str) -> Setting:
    """The setting that a name or a file gives."""
    return load_setting(DEMO if community == "demo" else Path(community))
