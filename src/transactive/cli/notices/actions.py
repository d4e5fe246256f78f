"""What `transactive notices …` does."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import filelock

from transactive.cli.report import report
from transactive.core.errors import StateError
from transactive.links.addresses import web_parts
from transactive.services.notices.sending import Mailer, mail_server, send_codes, tell_all, to_webhook
from transactive.store import holds_state
from transactive.web.notices.told import all_events, people_with_accounts

FAILED = 1


def send_round(folder: Path, page: str, mail: Path | None, *, json: bool) -> None:
    """Send one round. Exits with 1 if something could not be sent. Raises InputError, StateError."""
    if not holds_state(folder):
        raise StateError(f"{folder}: holds no run; give the --state folder of one")
    web_parts(page)
    with _alone(folder):
        _send_round(folder, page, mail, json=json)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let no two rounds tell the same. Raises StateError while another one goes on."""
    try:
        with filelock.FileLock(folder / "notices-round.lock", timeout=0, mode=0o600):
            yield
    except filelock.Timeout:
        raise StateError(f"{folder}: another process sends notices; what is due goes out with it") from None


def _send_round(folder: Path, page: str, mail: Path | None, *, json: bool) -> None:
    page, now, people = page.rstrip("/"), int(time.time()), people_with_accounts(folder)
    mailer = Mailer(mail_server(mail), mail.parent, page) if mail is not None else None
    codes, failed = send_codes(folder, people, mailer, now) if mailer is not None else (0, [])
    tell_mail = mailer.tell if mailer is not None else None
    sent, more = tell_all(folder, people, partial(all_events, folder), tell_mail, to_webhook(page), now)
    report({"sent": sent, "codes": codes, "failed": len(failed + more)}, json=json)
    for each in failed + more:
        print(each, file=sys.stderr)
    if failed or more:
        sys.exit(FAILED)
