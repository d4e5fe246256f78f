"""`transactive token …`: tokens for the API and the page of a run."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from transactive.core.errors import StateError
from transactive.core.slots import time_text
from transactive.store import Store, holds_state
from transactive.web.accounts.assistant_log import asked_by_assistants
from transactive.web.tokens import TokenGrant, add_token, last_uses, read_grants, revoke


def create_token(
    folder: Path,
    scope: str,
    member: str | None,
    name: str = "",
    days: int | None = None,
    *,
    acts: bool = False,
    assistant: bool = False,
    forecaster: str | None = None,
) -> str:
    """Make a token for a run's folder; only its hash is kept. Raises InputError, StateError."""
    from transactive.store.read.runs import Reader

    _check(folder)
    store = Store(folder)
    try:
        run = Reader(store).run()
    finally:
        store.close()
    known = run.community.ids if run else None
    rights = {"acts": acts, "assistant": assistant}
    now = int(time.time())
    return add_token(folder, scope, member, known, name=name, days=days, now=now, forecaster=forecaster, **rights)


def list_tokens(folder: Path, *, json: bool) -> None:
    """Print the tokens of a folder: id, scope, what for, since when, until when, last used."""
    _check(folder)
    uses, now = last_uses(folder), int(time.time())
    rows = [_facts(grant, uses.get(grant.id, 0), now) for grant in read_grants(folder)]
    if json:
        print(msgspec.json.encode({"tokens": rows}).decode())
        return
    if not rows:
        print("no tokens", file=sys.stderr)
        return
    table = Table("id", "whose", "until", "last used", "for", box=None, pad_edge=False)
    for row in rows:
        until = "expired" if row["state"] == "expired" else (row["expires"] or "revoked")[:10]
        used = (row["last_used"] or "never")[:16]
        rights = [name for name in ("acts", "assistant") if row[name]]
        whose = ", ".join([row["member"] or row["forecaster"] or row["scope"], *rights])
        table.add_row(row["id"], whose, until, used, Text(row["name"] or "", no_wrap=True))
    Console(soft_wrap=True).print(table)


def revoke_token(folder: Path, token_id: str) -> None:
    """Take a token back; whoever has it is out with the next request. Raises InputError, StateError."""
    _check(folder)
    gone = revoke(folder, token_id)
    print(f"{gone.id}: revoked ({gone.scope}{f' {gone.member}' if gone.member else ''})", file=sys.stderr)


def show_log(folder: Path, token_id: str, *, json: bool) -> None:
    """Print what assistants asked, oldest first. Raises StateError."""
    _check(folder)
    asked = asked_by_assistants(folder, token_id)
    if json:
        rows = [msgspec.structs.asdict(each) | {"time": time_text(each.time)} for each in asked]
        print(msgspec.json.encode({"requests": rows}).decode())
        return
    if not asked:
        print("no requests of assistants", file=sys.stderr)
    for each in asked:
        what = f"{each.method:<4}  {each.place}" if not each.dropped else f"{each.dropped} more lines were dropped"
        print(f"{time_text(each.time)}  {each.token}  {what}")


def _facts(grant: TokenGrant, used: int, now: int) -> dict[str, Any]:
    return {
        "id": grant.id,
        "scope": grant.scope,
        "member": grant.member,
        "forecaster": grant.forecaster,
        "acts": grant.acts,
        "assistant": grant.assistant,
        "name": grant.name or None,
        "made": time_text(grant.made) if grant.made else None,
        "expires": time_text(grant.expires) if grant.expires else None,
        "state": "holds" if grant.holds(now) else "expired",
        "last_used": time_text(used) if used else None,
    }


def _check(folder: Path) -> None:
    if not holds_state(folder):
        raise StateError(f"{folder}: holds no run; give the --state folder of one")
