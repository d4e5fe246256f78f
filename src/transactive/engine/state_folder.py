"""Keeps a state folder, for its life, to one community and its data, which may grow and be corrected."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any, NamedTuple

import msgspec

from transactive.carbon.credits.steps import encode
from transactive.config.setting import Setting
from transactive.core.community.community import Community
from transactive.core.errors import StateError
from transactive.core.slots import parse_time, time_text
from transactive.engine.accounts.joining import before_joining, joined_rosters, require_movable
from transactive.engine.books.corrections import CorrectionList, corrections, to_settle
from transactive.store import Store
from transactive.store.corrections import ReadingSource, waiting
from transactive.store.database import ROSTERS
from transactive.store.read.certificates import REGISTER, require_not_behind
from transactive.store.read.stages import ENDED, ended_slots
from transactive.store.write.corrections import take_up_source

DATA_END, READINGS = "data end", "readings"
"""Where the readings ended when the run last began or went on, in states of before none; and which ones they were."""

BLOCK = ", put what is new into a [[from]] block with slot = {} or later,"
"""What to do about rules that are others now."""

PRICES = ("supply_micro_per_kwh", "feed_in_micro_per_kwh", "network_fee_micro_per_kwh")
CHARGES = ("standing_charge_n_per_day", "standing_charge_n_per_month")
"""What a slot's place in the local day decides, where a price is more than a number, and where there is a charge."""


class Word(NamedTuple):
    """What the operator says of corrections: digest of the list it accepts. at: when readings are read [Unix s]."""

    accepted: str | None = None
    at: int = 0


UNASKED = Word()
"""An operator that was asked nothing."""


def claim(
    store: Store,
    setting: Setting,
    slots: range,
    seed: str,
    node: str | None,
    word: Word = UNASKED,
    *,
    keys_here: bool = True,
) -> int:
    """Mark a new folder as this run's, or check that it is. More readings let the run go on over more slots.

    Rules may change from the end of the readings on that the folder has seen: what came before is settled, or planned.
    Corrected readings of settled slots are kept for the next slots to settle; returns how many wait. keys_here: whether
    the run has the keys of all accounts, so that they can move as members join.

    A node at another URL passes here: whether it is on the same chain is seen once it is asked.
    Raises StateError naming the first difference, a receipt that the folder is behind, or corrections for which the
    operator's word is missing.
    """
    whole = {"community": json.loads(setting.community.to_json())}
    text = store.setting("run")
    node = _known_node(text, node)
    mine = describe(setting.until(setting.measured_end), slots, seed, node) | whole
    told = {"run": json.dumps(mine, sort_keys=True), "community": setting.community.to_json()}
    if text is None:
        told[REGISTER] = secrets.token_hex(8)
        take_up_source(store, _source(setting, slots, word), [], "", **told)
        return 0
    require_not_behind(store)
    theirs = _today(json.loads(text), mine)
    earlier = slots[: theirs["slots"]]
    before = before_joining(setting, theirs)
    found = _corrected(store, before, earlier, theirs, (seed, node))
    found.require_word(word.accepted)
    if before is not setting:
        require_movable(store, setting, before, keys_here=keys_here)
        told[ROSTERS] = joined_rosters(store, setting, before, slots, earlier)
    if len(slots) > len(earlier):
        over = [earlier[-1]] if store.setting("outcome") is not None else []
        told[ENDED] = json.dumps([*ended_slots(store), *over])
        take_up_source(store, _source(setting, slots, word), to_settle(found), "outcome", **told)
    elif theirs[READINGS] != mine[READINGS]:
        take_up_source(store, _source(setting, slots, word), to_settle(found), "", **told)
    elif theirs["community"] != mine["community"]:
        store.set(**told | {"run": json.dumps(theirs | whole, sort_keys=True)})
    return len(waiting(store))


def _source(setting: Setting, slots: range, word: Word) -> ReadingSource:
    """Where the readings of a run come from."""
    name, digest = setting.source
    return ReadingSource(slots[0], min(slots.stop, setting.measured_end), word.at, name, digest)


def _corrected(
    store: Store, setting: Setting, earlier: range, theirs: dict[str, Any], by: tuple[str, str | None]
) -> CorrectionList:
    """What the data correct of a run's settled readings. by: seed and node.

    Raises StateError where anything else is different.
    """
    ends = [parse_time(theirs[DATA_END])] if theirs[DATA_END] else [setting.measured_end, earlier.stop]
    _require_later(setting.community, theirs["community"], ends[0], f"{store.path.parent}")
    pairs = [
        (
            theirs | {"community": _until(theirs["community"], end), DATA_END: None},
            describe(setting.until(min(end, setting.measured_end)), earlier, *by) | {DATA_END: None},
        )
        for end in ends
    ]  # the last one of a state from before the end of its readings was noted, whose run went up to it
    pairs = [(was, _named_before(was, mine)) for was, mine in pairs]
    if any(_difference(was, each) is None for was, each in pairs):
        return CorrectionList([], 0)
    was, each = pairs[0]
    difference = _difference(was, each | {READINGS: was[READINGS]})
    if difference is None and (unseen := _unseen(setting.community)):
        difference = (
            f"{READINGS} = {was[READINGS]}, not {each[READINGS]}, and {unseen} cannot be told from a correction"
        )
    if difference:
        later = BLOCK.format(time_text(ends[0])) if difference.startswith("community.") else ""
        raise StateError(
            f"{store.path.parent}: was made with {difference}; use the same again{later} or another --state folder"
        )
    return corrections(store, setting)


def _named_before(was: dict[str, Any], mine: dict[str, Any]) -> dict[str, Any]:
    """What is mine without forecasters behind those whom the folder knows, of whom nothing can have come by then."""
    if not isinstance(was["community"], dict):
        return mine
    theirs, ours = (each["community"].get("forecasters", []) for each in (was, mine))
    if ours[: len(theirs)] != theirs:
        return mine
    return mine | {"community": mine["community"] | {"forecasters": theirs}}


def _unseen(community: Community) -> str:
    """What stands in settled readings and in no file, so that corrections cannot be told from it; empty for nothing."""
    waits = [member.id for member in community.members if member.devices]
    if waits:
        return f"what loads that can wait drew at {waits[0]}"
    unpaid = community.network is not None and community.grid.compensation_micro_per_kwh == 0
    return "solar energy that was held back without pay" if unpaid else ""


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
    """What of a community decides slots, without the changes from `end` [Unix s] on."""
    if not isinstance(community, dict) or "from" not in community:
        return community
    changes = [change for change in community["from"] if parse_time(change["slot"]) < end]
    return _deciding(community | {"from": changes})


def _deciding(community: dict[str, Any]) -> dict[str, Any]:
    """What of a community decides slots: how members are billed may change at any time, and a zone that none asks."""
    deciding = {key: value for key, value in community.items() if key != "billing"}
    if isinstance(tariff := community.get("tariff"), dict) and not _asks_for_local_times(community):
        deciding["tariff"] = {key: value for key, value in tariff.items() if key != "time_zone"}
    return deciding


def _asks_for_local_times(community: dict[str, Any]) -> bool:
    """Whether some slot could become another one in another zone: by a price with hours, a day's charge, or sharing."""
    changed = [change["tariff"] for change in community.get("from", []) if change.get("tariff")]
    tariffs = [community["tariff"], *changed]
    groups = [group for tariff in tariffs for group in (tariff.get("groups") or {}).values()]
    said = [*tariffs, *groups, *community["members"]]
    return (
        community.get("sharing") is not None
        or any(isinstance(each.get(key), dict) for each in said for key in PRICES)
        or any(tariff.get(key) for tariff in tariffs for key in CHARGES)
        or any(tariff.get("time_zone") for tariff in changed)
    )


def begun_at(store: Store) -> int | None:
    """First slot [Unix s] of the run that a folder holds, or None of a new one."""
    text = store.setting("run")
    return None if text is None else parse_time(json.loads(text)["first slot"])


def _known_node(text: str | None, node: str | None) -> str | None:
    """The node as the run knows it so far: a chain elsewhere is known by itself and not by its URL, see `moved`."""
    known = None if text is None else json.loads(text).get("node")
    return known if known is not None and node is not None else node


def moved(store: Store, node: str) -> None:
    """Note that the run's chain is found at another URL now."""
    known = json.loads(store.setting("run") or "{}")
    store.set(run=json.dumps(known | {"node": node}, sort_keys=True))


def describe(setting: Setting, slots: range, seed: str, node: str | None) -> dict[str, Any]:
    """Everything that decides a run: community, data, slots, seed, and the node if it is elsewhere."""
    return {
        "community": _deciding(json.loads(setting.community.to_json())),
        "first slot": time_text(slots[0]),
        "slots": len(slots),
        DATA_END: time_text(setting.measured_end),
        "seed": seed,
        "node": node,
        READINGS: setting.readings_digest.hex()[:16],
        "environment": setting.environment.digest().hex()[:16],
        "prices": setting.prices.digest().hex()[:16] if setting.prices else None,
        "sharing": setting.sharing.digest().hex()[:16] if setting.sharing else None,
        "feeder": feeder.hex()[:16] if (feeder := setting.feeder_digest) else None,
        "forecasters": submitted.hex()[:16] if (submitted := setting.submitted.digest) else None,
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
