"""What each person chose to be told, and how. One file of its owner's, changed under a lock.

An e-mail address counts once its owner has typed the code that was sent there; so nobody signs up anybody else.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

import filelock
import msgspec
from msgspec import Meta

from transactive.core.errors import InputError, StateError
from transactive.core.slots import HOUR
from transactive.store.folder import write_private

FILE, LOCK = "notices.json", "notices.lock"
NoticeKind = Literal["findings", "papers", "drafts", "decisions"]
KINDS: tuple[NoticeKind, ...] = get_args(NoticeKind)
Rhythm = Literal["at once", "daily"]
CODE_HOURS, MOST_TRIES = 48, 5
MOST_KEPT = 500
"""Keys of what somebody was told, at most; the oldest are forgotten."""
Address = Annotated[str, Meta(max_length=254)]


class NoticeChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Of one account. confirmed: whether the address is its own. secret: what a webhook is signed with.

    code: SHA-256 of what was sent to the address, until `code_until` [Unix s]; tries: wrong ones. told: keys of what
    was told, or was there before; daily: when the newest digest went out [Unix s]; failed: what went wrong last.
    """

    account: str
    kinds: tuple[NoticeKind, ...] = KINDS
    rhythm: Rhythm = "daily"
    email: Address = ""
    confirmed: bool = False
    code: str = ""
    code_until: int = 0
    tries: int = 0
    webhook: Annotated[str, Meta(max_length=500)] = ""
    secret: str = ""
    told: tuple[str, ...] = ()
    daily: int = 0
    failed: str = ""


def choices(folder: Path) -> list[NoticeChoice]:
    """Choices of a state folder; none without a file. Raises StateError for a damaged one."""
    path = folder / FILE
    if not path.exists():
        return []
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[NoticeChoice])
    except (OSError, msgspec.MsgspecError) as error:
        raise StateError(f"{path}: cannot be read ({error}); remove it, and people choose anew") from None


def choice_of(folder: Path, account: str) -> NoticeChoice | None:
    """What an account chose; None where it chose nothing."""
    return next((each for each in choices(folder) if each.account == account), None)


def choose(
    folder: Path,
    account: str,
    kinds: tuple[NoticeKind, ...],
    rhythm: Rhythm,
    email: str,
    webhook: str,
    there: Iterable[str] = (),
) -> None:
    """Keep what an account chooses. there: keys of what is on the page already, which is not told any more.

    A new e-mail address is sent a code with the next round. Raises InputError for an address that is none.
    """
    email, webhook = email.strip(), webhook.strip()
    _check(email, webhook)
    before = choice_of(folder, account) or NoticeChoice(account=account, told=tuple(there))
    same = email == before.email
    fresh = msgspec.structs.replace(
        before,
        kinds=tuple(kind for kind in KINDS if kind in kinds),
        rhythm=rhythm,
        email=email,
        confirmed=before.confirmed and same,
        code=before.code if same else "",
        code_until=before.code_until if same else 0,
        tries=before.tries if same else 0,
        webhook=webhook,
        secret=before.secret or secrets.token_urlsafe(24) if webhook else "",
        failed="",
    )
    keep(folder, fresh)


def new_code(folder: Path, choice: NoticeChoice, now: int) -> str:
    """A code for an address that waits to be confirmed; only its hash is kept."""
    code = f"{secrets.randbelow(10**8):08d}"
    keep(folder, msgspec.structs.replace(choice, code=hashed(code), code_until=now + CODE_HOURS * HOUR, tries=0))
    return code


def confirm(folder: Path, account: str, code: str, now: int) -> None:
    """Take an address as its owner's. Raises InputError for a wrong code, an old one, or too many tries."""
    found = choice_of(folder, account)
    if found is None or not found.code or now >= found.code_until or found.tries >= MOST_TRIES:
        raise InputError("this code holds no more; save the address again, and a new one is sent")
    if not hmac.compare_digest(found.code, hashed(code.strip())):
        keep(folder, msgspec.structs.replace(found, tries=found.tries + 1))
        raise InputError("this is not the code that was sent; look again")
    keep(folder, msgspec.structs.replace(found, confirmed=True, code="", code_until=0, tries=0))


def keep(folder: Path, changed: NoticeChoice) -> None:
    """Keep a choice in place of the one of its account."""
    with _changed(folder) as kept:
        kept[:] = [each for each in kept if each.account != changed.account]
        kept.append(msgspec.structs.replace(changed, told=changed.told[-MOST_KEPT:]))


def forget_choices(folder: Path, accounts: set[str]) -> None:
    """Forget what some accounts chose, with their addresses."""
    if any(each.account in accounts for each in choices(folder)):
        with _changed(folder) as kept:
            kept[:] = [each for each in kept if each.account not in accounts]


def hashed(text: str) -> str:
    """SHA-256 of a code, as hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def _check(email: str, webhook: str) -> None:
    name, at, host = email.rpartition("@")
    if email and (not (name and at and "." in host) or any(each.isspace() or ord(each) < 33 for each in email)):
        raise InputError(f"{email[:60]!r}: is no e-mail address; write it like name@example.org, or leave it empty")
    if webhook:
        try:
            parts = urlsplit(webhook)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme != "https" or not parts.hostname or parts.username is not None or port == 0:
            raise InputError("webhook: give an address like https://example.org/path, without a password in it")


@contextmanager
def _changed(folder: Path) -> Iterator[list[NoticeChoice]]:
    with filelock.FileLock(folder / LOCK, mode=0o600):
        kept = choices(folder)
        yield kept
        write_private(folder / FILE, msgspec.json.format(msgspec.json.encode(kept)) + b"\n")
