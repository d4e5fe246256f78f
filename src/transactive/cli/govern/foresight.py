"""`transactive govern consequences` and `line`: what a change would have meant, and a member's own line of it."""

from __future__ import annotations

import secrets
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from transactive.core.community.validation import explained
from transactive.core.errors import InputError
from transactive.core.governance.consequences import Document, OwnLine, Spread, check_line
from transactive.core.governance.numbers import change_of, numbers_written
from transactive.core.slots import parse_time, time_text
from transactive.core.units import money_text
from transactive.store import holds_state

if TYPE_CHECKING:
    from transactive.studies.consequences import Replayed

SALTED_BY = "secret.hex"
"""Beside the lines: from it the salts of all lines follow, so it stays with who made them."""


class ReplayAsked(NamedTuple):
    """What is replayed: numbers as they are typed, or those of a proposal on a node; and which days."""

    sets: list[str]
    number: int | None
    node: str | None
    deployment: Path
    days: int | None
    start: str | None


def run_consequences(
    community: Path, asked: ReplayAsked, output: Path | None, lines: Path | None, state: Path | None, *, keep: bool
) -> dict[str, Any]:
    """Replay the last weeks under changed numbers; write what a proposal binds, and each member's own line."""
    from transactive.engine.governance.recorded_rules import beside, recorded
    from transactive.studies.consequences import consequences

    if state is not None and not holds_state(state):
        raise InputError(f"--state {state}: no run is there; give the folder of the run that took decisions up")
    values, bound = _values(asked)
    begin = None if asked.start is None else parse_time(asked.start)
    folder = state or beside(community)
    if keep and not holds_state(folder):
        raise InputError(f"--keep: {folder} holds no run whose page would show it; give --state")
    replayed = consequences(community, change_of(values, begin or 0), asked.days, begin, recorded(folder))
    secret = _secret(lines)
    document = replayed.document(secret)
    facts, written = _facts(document), msgspec.json.format(msgspec.json.encode(document)) + b"\n"
    if bound is not None:
        facts["proposal_binds"] = bound.hex() if any(bound) else "nothing"
        facts["is_what_it_binds"] = sha256(written).digest() == bound
    if output is not None:
        _write(output, written)
        facts["written"] = str(output)
    if lines is not None:
        _write_lines(lines, replayed, secret)
        facts["lines"] = f"{len(replayed.lines)} files in {lines}, each for its member alone"
    if keep:
        from transactive.services.governing.kept import keep as keep_in

        facts["kept"] = keep_in(folder, written, replayed.own_lines(secret))
    return facts


def _values(asked: ReplayAsked) -> tuple[dict[str, int], bytes | None]:
    """Numbers that change, by name, and what the proposal that says so binds. Raises InputError."""
    if asked.number is None:
        values = numbers_written(asked.sets)
        if not values:
            raise InputError("nothing is changed; give --set NAME=VALUE, or the number of a proposal")
        return values, None
    if asked.sets or asked.node is None:
        raise InputError(f"proposal {asked.number}: give --node, and no --set: it says itself what it changes")
    from transactive.chain.deployments.deployment import load
    from transactive.chain.governance.proposals import Governance
    from transactive.chain.nodes.client import ChainClient
    from transactive.chain.nodes.urls import existing_path, is_embedded

    if is_embedded(asked.node):
        existing_path(asked.node)
    known = load(asked.deployment)
    with closing(ChainClient.open(asked.node)) as client:
        known.check(client)
        client.first_block = known.block
        governance = Governance(client, known)
        found = governance.proposal(asked.number)
        numbers = [one for action in found.actions if (one := governance.number_set(action))]
    if not numbers or len(numbers) < len(found.actions):
        raise InputError(f"proposal {asked.number}: changes more than numbers of the rules, which no replay can tell")
    return {one.number.name: one.value for one in numbers}, found.document


def run_line(line: Path, document: Path) -> dict[str, Any]:
    """Check a member's line against what a proposal binds. Raises InputError if it is none of its lines."""
    own, bound = _read(line, OwnLine), _read(document, Document)
    check_line(own, bound)
    bills = own.line
    return {
        "member": own.member,
        "today": money_text(bills.today_n, bound.currency),
        "behaviour_held": money_text(bills.held_n, bound.currency),
        "re_planned": money_text(bills.planned_n, bound.currency),
        "checked": "the line is one of those that the proposal binds, and all lines add up to its totals",
        "note": bound.note,
    }


def _secret(lines: Path | None) -> bytes:
    """The secret of lines that were written before, so that they are the same again; else a new one."""
    kept = None if lines is None else lines / SALTED_BY
    if kept is not None and kept.exists():
        try:
            return bytes.fromhex(kept.read_text(encoding="ascii").strip())
        except (OSError, ValueError):
            raise InputError(f"{kept}: is no secret in hexadecimal; give another --lines folder") from None
    return secrets.token_bytes(32)


def _write_lines(folder: Path, replayed: Replayed, secret: bytes) -> None:
    """A file for each member, and the secret, readable by their owner alone."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / SALTED_BY, secret.hex().encode() + b"\n", private=True)
    for index, made in replayed.own_lines(secret).items():
        _write(folder / f"{index}.json", made, private=True)


def _write(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write a file, whole or not at all. Raises InputError."""
    partial = path.with_name(f".{path.name}.part")
    try:
        if private:
            partial.touch(mode=0o600)
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; give a place that can be written") from error


def _read(path: Path, kind: type[Any]) -> Any:  # noqa: ANN401 - a value of the kind
    """A file that `govern consequences` wrote. Raises InputError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); `govern consequences` writes it") from None
    except msgspec.DecodeError as error:
        raise InputError(f"{path}: {explained(str(error), kind)}; `govern consequences` writes it") from None


def _facts(document: Document) -> dict[str, Any]:
    """What is public of the consequences."""
    end = parse_time(document.first_slot) + document.slots * document.slot_minutes * 60
    totals = {name: money_text(int(total), document.currency) for name, total in document.totals_n.items()}
    return {
        "replayed": f"{document.first_slot} to {time_text(end)}, {document.members} members",
        "all_pay": {"today": totals["today"], "behaviour_held": totals["held"], "re_planned": totals["planned"]},
        "behaviour_held": _spread(document.held, document.currency),
        "re_planned": _spread(document.planned, document.currency),
        "root": document.root,
        "note": document.note,
    }


def _spread(found: Spread, currency: str) -> dict[str, Any]:
    """A spread in money."""
    names = ("least", "lower_quartile", "middle", "upper_quartile", "most")
    quartiles = dict(zip(names, found.quartiles_n or (), strict=False))
    return {
        "all_together": money_text(int(found.total_n), currency),
        "lose": found.losers,
        **{name: money_text(int(value), currency) for name, value in quartiles.items()},
        "largest_loss": None if found.largest_loss_n is None else money_text(int(found.largest_loss_n), currency),
        **{
            f"of_those_{name.replace(' ', '_')}": money_text(int(value), currency)
            for name, value in found.groups_n.items()
        },
    }
