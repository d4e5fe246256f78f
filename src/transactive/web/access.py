"""Who may see what: tokens, their scopes, and what each scope may read.

On a loopback address a request without a token is the operator's: whoever can reach it owns the files anyway. On any
other address every route but the static files needs a token.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import msgspec

from transactive.core.errors import InputError, StateError

Scope = Literal["member", "operator", "grid", "auditor"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
FILE = "tokens.json"
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class TokenGrant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept of a token: its SHA-256 as hex, its scope and, for scope member, whose it is."""

    sha256: str
    scope: Scope
    member: str | None = None


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks. member: the id of the only member whose figures a member's token shows."""

    scope: Scope
    member: str | None = None

    @property
    def sees_all(self) -> bool:
        """Whether every member's figures are shown."""
        return self.scope in ("operator", "auditor")

    @property
    def sees_members(self) -> bool:
        """Whether any member's figures are shown."""
        return self.scope != "grid"


OWNER = Viewer("operator")


def add_token(folder: Path, scope: str, member: str | None, known: list[str] | None) -> str:
    """Make a token, keep its hash in the folder, return it: it is shown this once.

    known: ids of the community's members where a run is there to ask. Raises InputError for an unknown scope or a
    member that does not fit it.
    """
    if scope not in SCOPES:
        raise InputError(f"--scope {scope}: choose one of {', '.join(SCOPES)}")
    if (scope == "member") != (member is not None):
        raise InputError("--member: names the member of a token of scope member, and of no other; give or leave it")
    if member is not None and known is not None and member not in known:
        raise InputError(f"--member {member}: not in this community; its members are {', '.join(known)}")
    token = "ta_" + secrets.token_urlsafe(32)
    grants = [*read_grants(folder), TokenGrant(_hash(token), scope, member)]
    temporary = folder / f"{FILE}.new"
    temporary.touch(mode=0o600)
    temporary.write_bytes(msgspec.json.format(msgspec.json.encode(grants)) + b"\n")
    temporary.replace(folder / FILE)
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


def viewer_of(token: str, grants: list[TokenGrant]) -> Viewer | None:
    """Who a token stands for. Every hash is compared in constant time, whichever matches."""
    given, found = _hash(token), None
    for grant in grants:
        if hmac.compare_digest(given, grant.sha256):
            found = Viewer(grant.scope, grant.member)
    return found


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
