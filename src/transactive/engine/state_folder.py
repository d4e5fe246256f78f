"""Keeps a state folder, for its life, to one community and its data, which may grow at their end."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec

from transactive.carbon.credits.steps import encode
from transactive.config.setting import Setting
from transactive.core.community.community import Community
from transactive.core.errors import StateError
from transactive.core.slots import parse_time, time_text
from transactive.engine.books.corrections import first_correction
from transactive.store import Store
from transactive.store.read.stages import ENDED, ended_slots

DATA_END = "data end"
"""Where the readings ended when the run last began or went on; states from before have none."""

BLOCK = ", put what is new into a [[from]] block with slot = {} or later,"
"""What to do about rules that are others now."""


def claim(store: Store, setting: Setting, slots: range, seed: str, node: str | None) -> None:
    """Mark a new folder as this run's, or check that it is. More readings let the run go on over more slots.

    Rules may change from the end of the readings on that the folder has seen: what came before is settled, or planned.

    Raises StateError naming the first difference, and the first readings of settled slots that are others now.
    """
    whole = {"community": json.loads(setting.community.to_json())}
    mine = describe(setting.until(setting.measured_end), slots, seed, node) | whole
    text = store.setting("run")
    if text is None:
        store.set(run=json.dumps(mine, sort_keys=True), community=setting.community.to_json())
        return
    theirs = _today(json.loads(text), mine)
    earlier = slots[: theirs["slots"]]
    ends = [parse_time(theirs[DATA_END])] if theirs[DATA_END] else [setting.measured_end, earlier.stop]
    _require_later(setting.community, theirs["community"], ends[0], f"{store.path.parent}")
    then = [describe(setting.until(min(end, setting.measured_end)), earlier, seed, node) for end in ends]
    theirs_then = [theirs | {"community": _until(theirs["community"], end)} for end in ends]
    difference, *others = (
        _difference(was | {DATA_END: None}, each | {DATA_END: None})
        for was, each in zip(theirs_then, then, strict=True)
    )
    if None in others:  # a state from before the end of its readings was noted, whose run went up to it
        difference = None
    if difference:
        corrected = first_correction(store, setting) if difference.startswith("readings") else ""
        later = BLOCK.format(time_text(ends[0])) if difference.startswith("community.") else ""
        raise StateError(
            f"{store.path.parent}: was made with {difference}; {corrected}use the same again{later} or another --state"
            " folder"
        )
    grown = len(slots) > len(earlier)
    if grown or theirs["community"] != mine["community"]:
        over = [earlier[-1]] if grown and store.setting("outcome") is not None else []
        ended = json.dumps([*ended_slots(store), *over])
        run = json.dumps(mine if grown else theirs | whole, sort_keys=True)
        texts = {"run": run, "community": setting.community.to_json(), ENDED: ended}
        store.set(without="outcome" if grown else "", **texts)


def _require_later(community: Community, theirs: Any, end: int, folder: str) -> None:  # noqa: ANN401 - JSON
    """Refuse a new change of rules that reaches back before `end` [Unix s]. Raises StateError naming its slot."""
    known = theirs.get("from", []) if isinstance(theirs, dict) else []
    for number, (change, written) in enumerate(
        zip(community.changes, json.loads(community.to_json())["from"], strict=True)
    ):
        if parse_time(change.slot) < end and written not in known:
            raise StateError(
                f"{folder}: from[{number}].slot = {change.slot} reaches into what is settled, which goes to"
                f" {time_text(end)}; rules never change backwards: let the block begin there or later"
            )


def _until(community: Any, end: int) -> Any:  # noqa: ANN401 - JSON values
    """A community without the changes from `end` [Unix s] on."""
    if not isinstance(community, dict) or "from" not in community:
        return community
    return community | {"from": [change for change in community["from"] if parse_time(change["slot"]) < end]}


def begun_at(store: Store) -> int | None:
    """First slot [Unix s] of the run that a folder holds, or None of a new one."""
    text = store.setting("run")
    return None if text is None else parse_time(json.loads(text)["first slot"])


def describe(setting: Setting, slots: range, seed: str, node: str | None) -> dict[str, Any]:
    """Everything that decides a run: community, data, slots, seed, and the node if it is elsewhere."""
    return {
        "community": json.loads(setting.community.to_json()),
        "first slot": time_text(slots[0]),
        "slots": len(slots),
        DATA_END: time_text(setting.measured_end),
        "seed": seed,
        "node": node,
        "readings": setting.readings_digest.hex()[:16],
        "environment": setting.environment.digest().hex()[:16],
        "prices": setting.prices.digest().hex()[:16] if setting.prices else None,
        "feeder": feeder.hex()[:16] if (feeder := setting.feeder_digest) else None,
        "credits": hashlib.sha256(b"".join(map(encode, setting.credits))).hexdigest()[:16],
    }


def _today(theirs: dict[str, Any], mine: dict[str, Any]) -> dict[str, Any]:
    """A description as today's program would have written it: keys that came later have their defaults.

    A part that did not exist then was not used, so it is what a run without it says: nothing.
    """
    known = dict.fromkeys(mine) | theirs
    try:
        community = msgspec.convert(known["community"], Community)
    except msgspec.ValidationError:  # a key that is gone: the comparison names it
        return known
    return known | {"community": json.loads(community.to_json())}


def _difference(theirs: Any, mine: Any, place: str = "") -> str | None:  # noqa: ANN401 - JSON values
    """First place where two JSON values differ, as "place = theirs, not mine"."""
    if isinstance(theirs, dict) and isinstance(mine, dict):
        for key in dict.fromkeys((*theirs, *mine)):
            found = _difference(theirs.get(key), mine.get(key), f"{place}.{key}".lstrip("."))
            if found:
                return found
        return None
    if isinstance(theirs, list) and isinstance(mine, list):
        for i, (a, b) in enumerate(zip(theirs, mine, strict=False)):
            if found := _difference(a, b, f"{place}[{i}]"):
                return found
        return None if len(theirs) == len(mine) else f"{len(theirs)} {place}, not {len(mine)}"
    return None if theirs == mine else f"{place} = {theirs}, not {mine}"
