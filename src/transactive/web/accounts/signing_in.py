"""What people do with their accounts: be invited, join, sign in, change a password, end a browser's session."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from threading import Semaphore
from typing import TYPE_CHECKING

import msgspec

from transactive.core.errors import InputError
from transactive.core.slots import DAY
from transactive.services.notices.choices import forget_choices
from transactive.web.accounts.book import (
    INVITATION_DAYS,
    Account,
    AccountBook,
    AccountInvitation,
    changed_book,
    find_hash,
    hashed,
    read_book,
)
from transactive.web.viewers import INSIDE

if TYPE_CHECKING:
    from argon2 import PasswordHasher

NAME = re.compile(r"[\w][\w .@+-]{1,63}")
SHORTEST, LONGEST = 10, 200
"""Letters of a password (NIST SP 800-63B: length counts, kinds of letters do not)."""
_ROOM = Semaphore(2)
"""Passwords that are hashed at once: each takes 64 MiB, and many who try together shall not take all."""
NOT_IN = "Name or password are not right. Who lost the password asks the operator for a new link."


def invite(
    folder: Path, scope: str, member: str | None, known: Sequence[str], now: int, account: str | None = None
) -> str:
    """Make an invitation and return its code: it is shown this once.

    account: who gets a new password by it, with the rights that it has. Raises InputError.
    """
    with changed_book(folder, now) as book:
        if account is not None:
            person = book.account(account)
            if person is None:
                raise InputError(f"{account}: has no account here; invite it as somebody new")
            scope, member, account = person.scope, person.member, person.name
        if scope not in INSIDE:
            raise InputError(f"scope {scope}: choose one of {', '.join(INSIDE)}")
        if (scope == "member") != (member is not None):
            raise InputError("member: name the home of a member, and of nobody else")
        if member is not None and member not in known:
            raise InputError(f"member {member}: not in this community; its members are {', '.join(known[:20])}")
        code = secrets.token_urlsafe(24)
        expires = now + INVITATION_DAYS * DAY
        book.invitations.append(AccountInvitation(hashed(code), scope, member, account, now, expires))
    return code


def join(folder: Path, code: str, name: str, password: str, now: int) -> str:
    """Use an invitation up: make its account, or set its password anew, and begin a session. Raises InputError."""
    name = name.strip()
    invitation = _invited(read_book(folder), code, now)  # who has none costs no Argon2
    _check_password(invitation.account or name, password)
    hash_of = _hash(password)
    with changed_book(folder, now) as book:
        invitation = _invited(book, code, now)
        if invitation.account is None:
            if not NAME.fullmatch(name):
                raise InputError("name: takes 2 to 64 letters, digits, spaces and . @ + - _")
            if book.account(name) is not None:
                raise InputError(f"name {name}: is taken; choose another")
        else:
            name = invitation.account
            book.end(name)
            book.forget_links(name)
        book.invitations = [each for each in book.invitations if each != invitation]
        book.accounts = [each for each in book.accounts if each.name != name]
        book.accounts.append(Account(name, invitation.scope, invitation.member, hash_of, now))
        return book.begin(name, now)


def sign_in(folder: Path, name: str, password: str, now: int) -> str:
    """Begin a session of who knows the password. Raises InputError, after the same work whether the name is known."""
    account = read_book(folder).account(name.strip())
    if not _matches(account, password) or account is None:
        raise InputError(NOT_IN)
    with changed_book(folder, now) as book:
        if book.account(account.name) is None:
            raise InputError(NOT_IN)
        return book.begin(account.name, now)


def with_password(folder: Path, name: str, password: str) -> Account:
    """The account of who shows its password again. Raises InputError."""
    account = read_book(folder).account(name)
    if not _matches(account, password) or account is None:
        raise InputError("The password is not right.")
    return account


def change_password(folder: Path, name: str, old: str, new: str, session: str, now: int) -> None:
    """Set another password and end all other sessions. Raises InputError."""
    _check_password(name, new)
    if not _matches(read_book(folder).account(name), old):
        raise InputError("The old password is not right.")
    hash_of = _hash(new)
    with changed_book(folder, now) as book:
        book.accounts = [
            msgspec.structs.replace(each, password=hash_of) if each.name == name else each for each in book.accounts
        ]
        book.end(name, but=hashed(session))
        book.forget_links(name)


def end_session(folder: Path, name: str, session_id: str, now: int) -> None:
    """End a session of an account by its id."""
    with changed_book(folder, now) as book:
        book.sessions = [each for each in book.sessions if each.account != name or each.id != session_id]


def withdraw(folder: Path, invitation_id: str, now: int) -> None:
    """Let a link that was not used yet let nobody in any more. Raises InputError."""
    with changed_book(folder, now) as book:
        kept = [each for each in book.invitations if each.id != invitation_id]
        if len(kept) == len(book.invitations):
            raise InputError("This link was used, withdrawn, or is too old; nothing was changed.")
        book.invitations = kept


def sign_out(folder: Path, session: str, now: int) -> None:
    """End the session that a browser keeps, if it keeps one."""
    if not session:
        return
    with changed_book(folder, now) as book:
        book.sessions = [each for each in book.sessions if each.sha256 != hashed(session)]


def remove(folder: Path, name: str, now: int) -> None:
    """Take an account away with its sessions; what it may still use of links, too. Raises InputError."""
    with changed_book(folder, now) as book:
        if book.account(name) is None:
            raise InputError(f"{name}: has no account here")
        book.accounts = [each for each in book.accounts if each.name != name]
        book.forget_links(name)
        book.end(name)
    forget_choices(folder, {name})


def _invited(book: AccountBook, code: str, now: int) -> AccountInvitation:
    """The invitation of a code. Raises InputError for one that is not known, or too old."""
    found = find_hash(book.invitations, hashed(code))
    if found is None or now >= found.expires:
        raise InputError("This link was used, or is older than two weeks; ask the operator for another.")
    return found


def _check_password(name: str, password: str) -> None:
    if not SHORTEST <= len(password) <= LONGEST:
        raise InputError(f"password: takes {SHORTEST} to {LONGEST} letters; a few words are good")
    if name and name.casefold() in password.casefold():
        raise InputError("password: has the name in it; choose another")


def _matches(account: Account | None, password: str) -> bool:
    """Whether a password is that of an account; one that is not there takes as long."""
    from argon2.exceptions import VerificationError

    try:
        with _ROOM:
            return _hasher().verify(_nobody() if account is None else account.password, password)
    except VerificationError:
        return False


def _hash(password: str) -> str:
    """What is kept of a password."""
    with _ROOM:
        return _hasher().hash(password)


@cache
def _hasher() -> PasswordHasher:
    """Argon2id with the parameters of RFC 9106 for little memory (64 MiB, three passes)."""
    from argon2 import PasswordHasher
    from argon2.profiles import RFC_9106_LOW_MEMORY

    return PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)


@cache
def _nobody() -> str:
    """A hash that no password has."""
    return _hasher().hash(secrets.token_urlsafe(32))
