"""What each person chose to be told, and how. One file of its owner's, changed under a lock.

An e-mail address counts once its owner has typed the code that was sent there; so nobody signs up anybody else.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
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
"""Keys of what somebody was told and is not there any more, at most; the oldest are forgotten."""
EMAIL = re.compile(r"[\w.!#$%&'*+/^`{|}~-]{1,64}@[\w-]{1,63}(\.[\w-]{1,63})+")
"""One address: nothing that a header of mail takes for a second one, a name or an encoded word."""
Address = Annotated[str, Meta(max_length=254)]


class NoticeChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Of one account. confirmed: whether the address is its own. secret: what a webhook is signed with.

    code: SHA-256 of what was sent to the address, until `code_until` [Unix s]; tries: wrong ones. told: keys of what
    was told, or was there before, each with the way before it where it was told in that way only; daily: when the
    newest digest went out [Unix s]; failed: what went wrong last.
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
    with _changed(folder) as kept:
        before = kept.get(account) or NoticeChoice(account=account, told=tuple(there))
        kept[account] = msgspec.structs.replace(
            before,
            kinds=tuple(kind for kind in KINDS if kind in kinds),
            rhythm=rhythm,
            email=email,
            confirmed=before.confirmed and email == before.email,
            code="",
            code_until=0,
            tries=0,
            webhook=webhook,
            secret=before.secret or secrets.token_urlsafe(24) if webhook else "",
            failed="",
        )


def new_code(folder: Path, choice: NoticeChoice, now: int) -> str:
    """A code for an address that waits to be confirmed; only its hash is kept."""
    code = f"{secrets.randbelow(10**8):08d}"

    def coded(chosen: NoticeChoice) -> NoticeChoice:
        until = now + CODE_HOURS * HOUR
        return msgspec.structs.replace(chosen, code=hashed(code), code_until=until, tries=0)

    change(folder, choice.account, lambda chosen: coded(chosen) if chosen.email == choice.email else chosen)
    return code


def confirm(folder: Path, account: str, code: str, now: int) -> None:
    """Take an address as its owner's. Raises InputError for a wrong code, an old one, or too many tries."""
    with _changed(folder) as kept:
        found = kept.get(account)
        if found is None or not found.code or now >= found.code_until or found.tries >= MOST_TRIES:
            raise InputError("this code holds no more; save the address again, and a new one is sent")
        is_right = hmac.compare_digest(found.code, hashed(code.strip()))
        done = msgspec.structs.replace(found, confirmed=True, code="", code_until=0, tries=0)
        kept[account] = done if is_right else msgspec.structs.replace(found, tries=found.tries + 1)
    if not is_right:
        raise InputError("this is not the code that was sent; look again")


def change(folder: Path, account: str, how: Callable[[NoticeChoice], NoticeChoice]) -> None:
    """Change what an account chose, as it stands now; one that is gone stays gone."""
    with _changed(folder) as kept:
        if account in kept:
            kept[account] = how(kept[account])


def remembered(told: Iterable[str], there: set[str]) -> tuple[str, ...]:
    """What is kept of keys that were told: all that are there, or in one way only, and the newest others."""
    known = tuple(dict.fromkeys(told))
    gone = [key for key in known if key not in there]
    over = set(gone[: max(0, len(gone) - MOST_KEPT)])
    return tuple(key for key in known if key not in over)


def forget_choices(folder: Path, accounts: set[str]) -> None:
    """Forget what some accounts chose, with their addresses."""
    if any(each.account in accounts for each in choices(folder)):
        with _changed(folder) as kept:
            for account in accounts:
                kept.pop(account, None)


def hashed(text: str) -> str:
    """SHA-256 of a code, as hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def _check(email: str, webhook: str) -> None:
    if email and not EMAIL.fullmatch(email):
        raise InputError(f"{email[:60]!r}: is no e-mail address; write it like name@example.org, or leave it empty")
    if webhook:
        try:
            parts = urlsplit(webhook)
            port = parts.port
            (parts.hostname or "").encode("idna")
            f"{parts.path}?{parts.query}".encode("ascii")
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme != "https" or not parts.hostname or parts.username is not None or port == 0:
            raise InputError(
                "webhook: give an address like https://example.org/path, without a password in it, with other letters"
                " than those of English as browsers write them (%…)"
            )


@contextmanager
def _changed(folder: Path) -> Iterator[dict[str, NoticeChoice]]:
    """Choices by account, to be changed; kept when the block ends without an error."""
    with filelock.FileLock(folder / LOCK, mode=0o600):
        kept = {each.account: each for each in choices(folder)}
        yield kept
        write_private(folder / FILE, msgspec.json.format(msgspec.json.encode(list(kept.values()))) + b"\n")
