"""Accounts of a state folder: who was invited, who signs in, and which browsers are in. One file of its owner's.

What lets somebody in is kept as a hash only: SHA-256 of codes and sessions, which are random, Argon2 of passwords.
Page and commands change the file in turn, each under a lock.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import filelock
import msgspec

from transactive.core.errors import StateError
from transactive.core.slots import DAY, HOUR
from transactive.store.folder import write_private
from transactive.web.viewers import Scope, Viewer

FILE, LOCK = "accounts.json", "accounts.lock"
INVITATION_DAYS, SESSION_DAYS = 14, 30
ID_LENGTH = 8


class Passkey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key that a person's device or password manager keeps. id, public_key: as base64url. site: name it is good for.

    count: how often it signed, where it counts. label: what the person calls it. used: [Unix s], 0 before it was.
    """

    id: str
    public_key: str
    count: int
    site: str
    label: str
    made: int
    used: int = 0


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person. name: what it signs in with. member: whose figures it sees, for scope member; several may share one.

    language: what it wants pages in, as a code such as de; empty before it chose.
    """

    name: str
    scope: Scope
    member: str | None
    password: str
    made: int
    passkeys: tuple[Passkey, ...] = ()
    language: str = ""


class AccountInvitation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A link that makes an account once. account: the one that gets a new password by it, else None."""

    sha256: str
    scope: Scope
    member: str | None
    account: str | None
    made: int
    expires: int

    @property
    def id(self) -> str:
        """What pages call it: the beginning of its hash."""
        return self.sha256[:ID_LENGTH]


class BrowserSession(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A browser that is in. used: when it was seen last, to the hour [Unix s]."""

    sha256: str
    account: str
    made: int
    used: int
    expires: int

    @property
    def id(self) -> str:
        """What pages call it: the beginning of its hash."""
        return self.sha256[:ID_LENGTH]


Kept = TypeVar("Kept", AccountInvitation, BrowserSession)


class AccountBook(msgspec.Struct, forbid_unknown_fields=True):
    """All of it."""

    accounts: list[Account] = []
    invitations: list[AccountInvitation] = []
    sessions: list[BrowserSession] = []

    def account(self, name: str) -> Account | None:
        """An account by its name, whatever its case."""
        return next((each for each in self.accounts if each.name.casefold() == name.casefold()), None)

    def keep(self, changed: Account) -> None:
        """Keep an account in place of the one of its name."""
        self.accounts = [changed if each.name == changed.name else each for each in self.accounts]

    def begin(self, account: str, now: int) -> str:
        """A new session: what the browser keeps."""
        token = secrets.token_urlsafe(32)
        self.sessions.append(BrowserSession(hashed(token), account, now, now, now + SESSION_DAYS * DAY))
        return token

    def end(self, account: str, *, but: str = "") -> None:
        """End the sessions of an account, but for one hash."""
        self.sessions = [each for each in self.sessions if each.account != account or each.sha256 == but]

    def forget_links(self, account: str) -> None:
        """Let no link that was made for a new password of an account be used any more."""
        self.invitations = [each for each in self.invitations if each.account != account]


def read_book(folder: Path) -> AccountBook:
    """Accounts of a folder; none without a file. Raises StateError if the file cannot be understood."""
    path = folder / FILE
    if not path.exists():
        return AccountBook()
    try:
        return msgspec.json.decode(path.read_bytes(), type=AccountBook)
    except (OSError, msgspec.MsgspecError) as error:
        raise StateError(f"{path}: cannot be read ({error}); take it from a backup, or invite people anew") from None


@contextmanager
def changed_book(folder: Path, now: int) -> Iterator[AccountBook]:
    """The accounts, to be changed; kept when the block ends without an error. What is over is left out."""
    with filelock.FileLock(folder / LOCK, mode=0o600):
        book = read_book(folder)
        book.invitations = [each for each in book.invitations if now < each.expires]
        book.sessions = [each for each in book.sessions if now < each.expires]
        yield book
        write_private(folder / FILE, msgspec.json.format(msgspec.json.encode(book)) + b"\n")


def session_viewer(folder: Path, token: str, now: int) -> Viewer | None:
    """Who a browser stands for at a time; None if it is not in. That it was seen is noted once an hour."""
    book, given = read_book(folder), hashed(token)
    found = find_hash(book.sessions, given)
    if found is None or now >= found.expires:
        return None
    account = book.account(found.account)
    if account is None:
        return None
    if now - found.used >= HOUR:
        with changed_book(folder, now) as fresh:
            fresh.sessions = [
                msgspec.structs.replace(each, used=now) if each.sha256 == given else each for each in fresh.sessions
            ]
    acts = account.member is not None
    return Viewer(account.scope, account.member, account.name, acts=acts, language=account.language)


def find_hash(among: list[Kept], sha256: str) -> Kept | None:
    """The one with a hash; every hash is compared in constant time, whichever matches."""
    found = None
    for each in among:
        if hmac.compare_digest(each.sha256, sha256):
            found = each
    return found


def hashed(text: str) -> str:
    """SHA-256 of a random code or session, as hex."""
    return hashlib.sha256(text.encode()).hexdigest()
