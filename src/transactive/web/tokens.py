"""Tokens of a state folder: made, listed, expired and revoked. Only their hashes are kept, in a file of their owner's.

When a token was used last stands in a file of its own, written at most once a minute, so that a server and a command
never write the same file.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from pathlib import Path

import msgspec

from transactive.core.errors import InputError, StateError
from transactive.core.slots import DAY
from transactive.store.folder import write_private
from transactive.web.accounts.assistants import MOST_DAYS
from transactive.web.viewers import SCOPES, Scope, Viewer

FILE = "tokens.json"
USES = "tokens-used.json"
MINUTE = 60
ID_LENGTH = 8


class TokenGrant(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is kept of a token: its SHA-256 as hex, its scope and, for scope member, whose it is.

    name: what it is for, in words. made, expires: Unix seconds; 0 where it was not noted, or never. acts: whether it
    may do something for its member, such as a pause, or only look. assistant: whether a program has it that reads and
    proposes, and is logged. forecaster: by whose name it submits forecasts, of scope forecaster.
    """

    sha256: str
    scope: Scope
    member: str | None = None
    name: str = ""
    made: int = 0
    expires: int = 0
    acts: bool = False
    assistant: bool = False
    forecaster: str | None = None

    @property
    def id(self) -> str:
        """What commands call it: the beginning of its hash."""
        return self.sha256[:ID_LENGTH]

    def holds(self, now: int) -> bool:
        """Whether it can be used at a time [Unix s]."""
        return not self.expires or now < self.expires


def add_token(
    folder: Path,
    scope: str,
    member: str | None,
    known: Sequence[str] | None,
    *,
    name: str = "",
    days: int | None = None,
    now: int = 0,
    acts: bool = False,
    assistant: bool = False,
    forecaster: str | None = None,
) -> str:
    """Make a token, keep its hash in the folder, return it: it is shown this once.

    known: ids of the community's members where a run is there to ask. days: how long it holds, None for ever; one of an
    assistant has an end. Raises InputError for an unknown scope, a member or forecaster that does not fit, or no days.
    """
    if scope not in SCOPES:
        raise InputError(f"--scope {scope}: choose one of {', '.join(SCOPES)}")
    if (scope == "member") != (member is not None):
        raise InputError("--member: names the member of a token of scope member, and of no other; give or leave it")
    if (scope == "forecaster") != (forecaster is not None):
        raise InputError(
            "--forecaster: names who submits with a token of that scope, and of no other; give or leave it"
        )
    if acts and scope != "member":
        raise InputError("--acts: is for a token of scope member, which may then do things for its home; leave it out")
    if member is not None and known is not None and member not in known:
        raise InputError(f"--member {member}: not in this community; its members are {', '.join(known)}")
    if assistant and (acts or days is None or days > MOST_DAYS):
        raise InputError(f"--assistant: its token ends within {MOST_DAYS} days and only looks; give --days, no --acts")
    if days is not None and days < 1:
        raise InputError(f"--days {days}: give at least 1, or leave it out for a token without end")
    token = "ta_" + secrets.token_urlsafe(32)
    expires = now + days * DAY if days else 0
    grant = TokenGrant(_hash(token), scope, member, name, now, expires, acts, assistant, forecaster)
    _write(folder / FILE, [*read_grants(folder), grant])
    return token


def read_grants(folder: Path) -> list[TokenGrant]:
    """Tokens of a folder; none without a file. Raises StateError if the file cannot be understood."""
    path = folder / FILE
    if not path.exists():
        return []
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[TokenGrant])
    except (OSError, msgspec.MsgspecError) as error:
        raise StateError(f"{path}: cannot be read ({error}); make tokens anew with transactive token create") from None


def revoke(folder: Path, token_id: str) -> TokenGrant:
    """Take a token back by the beginning of its id. Raises InputError unless it names exactly one."""
    grants = read_grants(folder)
    found = [grant for grant in grants if token_id and grant.sha256.startswith(token_id)]
    if len(found) != 1:
        known = ", ".join(grant.id for grant in grants) or "none"
        what = "is no token" if not found else "names several tokens"
        raise InputError(f"{token_id}: {what} of this folder; known: {known}")
    _write(folder / FILE, [grant for grant in grants if grant is not found[0]])
    return found[0]


def forget_tokens(folder: Path, member: str) -> None:
    """Take back all tokens of a member, and forget that they were."""
    grants = read_grants(folder)
    gone = {each.id for each in grants if each.member == member}
    if gone:
        _write(folder / FILE, [each for each in grants if each.member != member])
        _write(folder / USES, {key: used for key, used in last_uses(folder).items() if key not in gone})


def viewer_of(token: str, grants: Sequence[TokenGrant], now: int) -> tuple[Viewer, TokenGrant] | None:
    """Who a token stands for at a time. Every hash is compared in constant time, whichever matches."""
    given, found = _hash(token), None
    for grant in grants:
        if hmac.compare_digest(given, grant.sha256) and grant.holds(now):
            found = Viewer(grant.scope, grant.member, "", grant.acts, grant.id, grant.name, grant.forecaster), grant
    return found


def last_uses(folder: Path) -> dict[str, int]:
    """When each token was used last, by id [Unix s]."""
    try:
        return msgspec.json.decode((folder / USES).read_bytes(), type=dict[str, int])
    except (OSError, msgspec.MsgspecError):
        return {}


def note_use(folder: Path, grant: TokenGrant, now: int) -> None:
    """Note that a token was used, unless that stands there for this minute."""
    uses = last_uses(folder)
    if now - uses.get(grant.id, 0) < MINUTE:
        return
    _write(folder / USES, uses | {grant.id: now})


def _write(path: Path, content: object) -> None:
    """Replace a file that only its owner may read."""
    write_private(path, msgspec.json.format(msgspec.json.encode(content)) + b"\n")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
