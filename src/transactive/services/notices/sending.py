"""Sends notices: by e-mail over the operator's mail server, or to a person's own address on the web, signed.

An event is noted as told after it was sent: a process that is killed in between tells it twice, and never not at all.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import smtplib
import socket
import ssl
import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from functools import partial
from http.client import HTTPException, HTTPSConnection, InvalidURL
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from transactive.core.community.validation import explained
from transactive.core.errors import InputError
from transactive.core.slots import DAY, time_text
from transactive.links.http import HeldLine
from transactive.services.notices.choices import NoticeChoice, change, choices, new_code, remembered
from transactive.services.notices.events import NoticeEvent, NoticePerson

PATIENCE_SECONDS = 20
MOST_IN_ONE = 50
"""Events in one message; more are counted."""
SIGNATURE = "X-TransActive-Signature"


class MailServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How mail is sent. password_file, password_env: where the password is; it stands in no settings.

    security: TLS from the start, by STARTTLS, or none, which only this machine's own server may have.
    """

    host: str
    sender: str
    port: Annotated[int, Meta(ge=1, le=65_535)] = 587
    user: str = ""
    password_file: str = ""
    password_env: str = ""
    security: Literal["starttls", "tls", "none"] = "starttls"


Send = Callable[[NoticeChoice, Sequence[NoticeEvent]], None]


def mail_server(file: Path) -> MailServer:
    """Settings of a mail server from a TOML file. Raises InputError naming the key."""
    try:
        found = msgspec.convert(tomllib.loads(file.read_text()), MailServer)
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}); give a TOML file with host and sender") from None
    except msgspec.ValidationError as error:
        raise InputError(f"{file.name}: {explained(str(error), MailServer)}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{file.name}: is not TOML: {error}") from None
    if found.security == "none" and found.host not in ("127.0.0.1", "::1", "localhost"):
        raise InputError(f"{file.name}: security: none is for a server on this machine; choose starttls or tls")
    return found


class Mailer:
    """Sends mail over a server."""

    def __init__(self, server: MailServer, base: Path, page: str) -> None:
        """base: folder that `password_file` is relative to. page: address of the community's page."""
        self.server, self.page = server, page.rstrip("/")
        self._password = _password(server, base)

    def tell(self, choice: NoticeChoice, events: Sequence[NoticeEvent]) -> None:
        """Send a message about some events. Raises OSError."""
        lines = [f"{each.title}\n{each.text}\n{self.page}{each.place}\n" for each in events[:MOST_IN_ONE]]
        if len(events) > MOST_IN_ONE:
            lines.append(f"and {len(events) - MOST_IN_ONE} more.\n")
        lines.append(f"You chose to be told. Change that at {self.page}/account/notices")
        title = events[0].title if len(events) == 1 else f"{len(events)} things of your community"
        self.send(choice.email, title, "\n".join(lines))

    def send_code(self, email: str, code: str) -> None:
        """Send the code that shows whose an address is. Raises OSError."""
        text = f"Your code is {code}\n\nType it at {self.page}/account/notices within two days.\n"
        self.send(email, "Confirm your e-mail address", text + "If you did not ask for it, do nothing.\n")

    def send(self, to: str, title: str, text: str) -> None:
        """Send one message. Raises OSError."""
        message = EmailMessage()
        message["From"], message["To"] = self.server.sender, to
        message["Subject"] = " ".join(title.split())[:200]
        message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain=self.server.sender.rpartition("@")[2])
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        try:
            with self._connected() as line:
                line.send_message(message)
        except (smtplib.SMTPException, ValueError) as error:
            raise OSError(f"{self.server.host}: {error}") from None

    def _connected(self) -> smtplib.SMTP:
        server = self.server
        line: smtplib.SMTP
        if server.security == "tls":
            context = ssl.create_default_context()
            line = smtplib.SMTP_SSL(server.host, server.port, timeout=PATIENCE_SECONDS, context=context)
        else:
            line = smtplib.SMTP(server.host, server.port, timeout=PATIENCE_SECONDS)
        if server.security == "starttls":
            line.starttls(context=ssl.create_default_context())
        if server.user:
            line.login(server.user, self._password)
        return line


def to_webhook(page: str) -> Send:
    """What posts events to a person's own address, with an HMAC-SHA256 of the body by the person's secret."""

    def post(choice: NoticeChoice, events: Sequence[NoticeEvent]) -> None:
        told = [
            {"key": each.key, "kind": each.kind, "title": each.title, "text": each.text, "page": page + each.place}
            for each in events[:MOST_IN_ONE]
        ]
        body = msgspec.json.encode({"notices": told, "more": max(0, len(events) - MOST_IN_ONE)})
        signed = hmac.new(choice.secret.encode(), body, hashlib.sha256).hexdigest()
        parts = urlsplit(choice.webhook)
        line = _PublicOnly(parts.hostname or "", parts.port or 443, timeout=PATIENCE_SECONDS)
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        headers = {"Content-Type": "application/json", SIGNATURE: f"sha256={signed}"}
        with line.held.held(PATIENCE_SECONDS), closing(line):
            try:
                line.request("POST", path, body, headers)
                answered = line.getresponse().status
            except (InvalidURL, ValueError):
                raise OSError("the address cannot be asked; write it anew") from None
            except HTTPException:  # whose text is what somebody else's server sent
                raise OSError(f"{parts.hostname}: answers with something else than HTTP") from None
        if not 200 <= answered < 300:
            raise OSError(f"{parts.hostname}: answers {answered}")

    return post


def send_codes(folder: Path, people: dict[str, NoticePerson], mailer: Mailer, now: int) -> tuple[int, list[str]]:
    """Send a code to each new address; returns how many, and what failed in words."""
    sent, failed = 0, []
    for choice in choices(folder):
        if choice.account in people and choice.email and not choice.confirmed and not choice.code:
            try:
                mailer.send_code(choice.email, new_code(folder, choice, now))
                sent += 1
            except OSError as error:
                said = f"{time_text(now)}: {error}"[:300]
                change(folder, choice.account, partial(msgspec.structs.replace, code="", failed=said))
                failed.append(f"{choice.account}: {error}")
    return sent, failed


def tell_all(
    folder: Path, people: dict[str, NoticePerson], events: Callable[[NoticePerson], list[NoticeEvent]],
    mail: Send | None, webhook: Send, now: int,
) -> tuple[int, list[str]]:  # fmt: skip
    """Tell everybody what is new and due; returns how many messages went out, and what failed in words.

    people: by account; who has no account any more is told nothing. A way that fails is tried again by itself.
    """
    sent, failed = 0, list[str]()
    for choice in choices(folder):
        person = people.get(choice.account)
        if person is None or (choice.rhythm == "daily" and now - choice.daily < DAY):
            continue
        ways = {"mail": mail} if mail is not None and choice.email and choice.confirmed else {}
        ways |= {"webhook": webhook} if choice.webhook else {}
        there = events(person)
        told, troubles, count = _tell(choice, [each for each in there if each.kind in choice.kinds], ways)
        if not told and not troubles:
            continue
        sent, failed = sent + count, failed + [f"{choice.account}: {each}" for each in troubles]
        said = f"{time_text(now)}: {'; '.join(troubles)}"[:300] if troubles else ""
        kept = {form for each in there for form in (each.key, *(f"{way} {each.key}" for way in ways))}
        daily = now if count else choice.daily
        change(folder, choice.account, partial(_noted, told=told, there=kept, daily=daily, failed=said))
    return sent, failed


def _tell(
    choice: NoticeChoice, events: Sequence[NoticeEvent], ways: Mapping[str, Send]
) -> tuple[list[str], list[str], int]:
    """Tell of events in each way that has not told them: keys that were told, what failed, how many went out."""
    known, troubles, sent = set(choice.told), [], 0
    wanted = [each for each in events if each.key not in known]
    for name, way in ways.items():
        new = [each for each in wanted if f"{name} {each.key}" not in known]
        if not new:
            continue
        try:
            way(choice, new)
            sent += 1
            known |= {f"{name} {each.key}" for each in new}
        except OSError as error:
            troubles.append(str(error))
    whole = [each.key for each in wanted if ways and all(f"{name} {each.key}" in known for name in ways)]
    return [*sorted(known - set(choice.told)), *whole], troubles, sent


def _noted(choice: NoticeChoice, *, told: Sequence[str], there: set[str], daily: int, failed: str) -> NoticeChoice:
    """A choice as it stands after it was told; what was told in all ways stands once."""
    keys = [*choice.told, *told]
    whole = set(keys)
    kept = [key for key in keys if key.partition(" ")[2] not in whole]
    return msgspec.structs.replace(choice, told=remembered(kept, there), daily=daily, failed=failed)


class _PublicOnly(HTTPSConnection):
    """A connection to the open internet only: nobody reaches into the server's own network by a webhook.

    held: it is cut when the answer is not there in time, however it drips.
    """

    def __init__(self, host: str, port: int, timeout: float) -> None:
        super().__init__(host, port, timeout=timeout)
        self.held = HeldLine()

    def connect(self) -> None:
        """Connect to an address that is public. Raises OSError."""
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        hosts = [str(place[0]).partition("%")[0] for *_, place in found]
        if not all(ipaddress.ip_address(host).is_global for host in hosts):
            raise OSError(f"{self.host}: is in a private network; webhooks go to the open internet only")
        raw = socket.create_connection((hosts[0], self.port), self.timeout)
        self.held.hold(raw)
        self.sock = ssl.create_default_context().wrap_socket(raw, server_hostname=self.host)


def _password(server: MailServer, base: Path) -> str:
    """The password, from its file or the environment. Raises InputError."""
    if server.password_file:
        path = base / server.password_file
        try:
            return path.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: cannot be read ({error}); write the password there, one line") from None
    if server.password_env:
        found = os.environ.get(server.password_env)
        if found is None:
            raise InputError(f"password_env: {server.password_env} is not set; set it, or name a password_file")
        return found
    return ""
