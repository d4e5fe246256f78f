"""Passkeys: a second way to sign in, by a key that never leaves its device (W3C Web Authentication, Level 3).

Each is good for one name of the server, and is asked to verify its person, as it stands in place of a password.
"""

from __future__ import annotations

import secrets
import threading
from pathlib import Path
from typing import Any

import msgspec

from transactive.core.errors import InputError
from transactive.web.accounts.book import Account, Passkey, changed_book, hashed, read_book

MOST_PASSKEYS, LONGEST_LABEL = 20, 60
WAIT, MOST_WAITING = 300, 1_000
"""Seconds within which a device has to answer, and questions that wait at once."""
NOT_KNOWN = "This passkey is not known here: it was removed, or is of another community. Sign in with your password."


class PasskeyChallenges:
    """Random questions that wait for their answer: each serves once, for what it was asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[str, int]] = {}

    def ask(self, purpose: str, now: int) -> bytes:
        """A question for a purpose: an account that gets a passkey, or nobody's name for a sign-in."""
        question = secrets.token_bytes(32)
        with self._lock:
            kept = [(text, of) for text, of in self._waiting.items() if now < of[1]]
            self._waiting = dict(kept[-MOST_WAITING + 1 :])
            self._waiting[_text(question)] = (purpose, now + WAIT)
        return question

    def take(self, credential: dict[str, Any], purpose: str, now: int) -> bytes:
        """The question that a device answered; it serves no more. Raises InputError for another, or too late."""
        try:
            said = msgspec.json.decode(_bytes(credential["response"]["clientDataJSON"]))["challenge"]
            with self._lock:
                asked, until = self._waiting.pop(said, ("", 0))
            answered = _bytes(said)
        except (KeyError, TypeError, ValueError, RecursionError, msgspec.MsgspecError):
            raise InputError("This is no answer of a passkey; try again.") from None
        if asked != purpose or now >= until:
            raise InputError("This took more than five minutes, or was answered already; try again.")
        return answered


def offer(account: Account, site: str, community: str, question: bytes) -> bytes:
    """What a device is asked to make a passkey of an account for a site, as JSON."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    options = generate_registration_options(
        rp_id=site,
        rp_name=community,
        user_name=account.name,
        user_id=bytes.fromhex(hashed(account.name)),
        challenge=question,
        timeout=WAIT * 1_000,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=_bytes(each.id)) for each in account.passkeys],
    )
    return options_to_json(options).encode()


def add(
    folder: Path, name: str, made: tuple[dict[str, Any], bytes], where: tuple[str, str], label: str, now: int
) -> None:
    """Keep the passkey that a device made. made: its answer and the question; where: site and origin.

    Raises InputError where it does not hold.
    """
    from webauthn import verify_registration_response
    from webauthn.helpers.exceptions import WebAuthnException

    (credential, question), (site, origin) = made, where
    try:
        proven = verify_registration_response(
            credential=credential,
            expected_challenge=question,
            expected_rp_id=site,
            expected_origin=origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, LookupError, TypeError) as error:
        raise InputError(f"The passkey was not taken: {error}") from None
    key = Passkey(
        _text(proven.credential_id), _text(proven.credential_public_key), proven.sign_count, site,
        label.strip()[:LONGEST_LABEL] or "passkey", now,
    )  # fmt: skip
    with changed_book(folder, now) as book:
        account = book.account(name)
        if account is None or len(account.passkeys) >= MOST_PASSKEYS:
            raise InputError(f"An account has at most {MOST_PASSKEYS} passkeys; remove one first.")
        if any(each.id == key.id for one in book.accounts for each in one.passkeys):
            raise InputError("This passkey is kept already.")
        book.keep(msgspec.structs.replace(account, passkeys=(*account.passkeys, key)))


def question_of(site: str, question: bytes) -> bytes:
    """What a device is asked to sign somebody in, as JSON: it shows the passkeys that it has for the site."""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers.structs import UserVerificationRequirement

    options = generate_authentication_options(
        rp_id=site,
        challenge=question,
        timeout=WAIT * 1_000,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options).encode()


def sign_in_by(folder: Path, credential: dict[str, Any], question: bytes, where: tuple[str, str], now: int) -> str:
    """Begin a session of whose passkey answered. where: site and origin. Raises InputError."""
    from webauthn import verify_authentication_response
    from webauthn.helpers.exceptions import WebAuthnException

    site, origin = where
    account, key = _known(folder, str(credential.get("id", "")), site)
    try:
        proven = verify_authentication_response(
            credential=credential,
            expected_challenge=question,
            expected_rp_id=key.site,
            expected_origin=origin,
            credential_public_key=_bytes(key.public_key),
            credential_current_sign_count=key.count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, LookupError, TypeError):
        raise InputError(NOT_KNOWN) from None
    with changed_book(folder, now) as book:
        current = book.account(account.name)
        if current is None or key not in current.passkeys:
            raise InputError(NOT_KNOWN)
        used = msgspec.structs.replace(key, count=proven.new_sign_count, used=now)
        kept = tuple(used if each == key else each for each in current.passkeys)
        book.keep(msgspec.structs.replace(current, passkeys=kept))
        return book.begin(current.name, now)


def forget(folder: Path, name: str, key_id: str, now: int) -> None:
    """Let a passkey sign in nobody any more. Raises InputError for one that is not there."""
    with changed_book(folder, now) as book:
        account = book.account(name)
        kept = () if account is None else tuple(each for each in account.passkeys if each.id != key_id)
        if account is None or len(kept) == len(account.passkeys):
            raise InputError("This passkey was removed already.")
        book.keep(msgspec.structs.replace(account, passkeys=kept))


def _known(folder: Path, key_id: str, site: str) -> tuple[Account, Passkey]:
    """Whose passkey has an id. Raises InputError."""
    for account in read_book(folder).accounts:
        for key in account.passkeys:
            if key.id == key_id and key.site == site:
                return account, key
    raise InputError(NOT_KNOWN)


def _text(data: bytes) -> str:
    from webauthn.helpers import bytes_to_base64url

    return bytes_to_base64url(data)


def _bytes(text: str) -> bytes:
    from webauthn.helpers import base64url_to_bytes

    return base64url_to_bytes(text)
