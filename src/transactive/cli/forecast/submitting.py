"""`transactive forecast submit` and `open`: seal forecasts of a file at a served market, and show them in time."""

from __future__ import annotations

import json
import secrets
import time
import urllib.error
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from transactive.cli.report import report
from transactive.core.errors import InputError
from transactive.core.slots import parse_time, time_text
from transactive.forecasting.pool.submission_file import read_submissions
from transactive.forecasting.pool.submissions import SALT_BYTES, sealed
from transactive.links.http import HttpClient
from transactive.store.folder import write_private

MOST_BYTES = 100_000
PATIENCE_SECONDS = 30
MINUTE = 60

Said: TypeAlias = dict[str, Any]


class KeptForecast(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sealed forecast with what shows it, kept by its forecaster alone. shown: whether the market has it."""

    slot: str
    quantiles_wh: tuple[int, ...]
    salt: str
    shown: bool = False


class KeptForecasts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a forecaster has sealed."""

    forecaster: str
    forecasts: list[KeptForecast]


def submit(file: Path, forecaster: str, url: str, token_file: Path, kept: Path, *, json: bool) -> None:
    """Seal all forecasts of a file; salts are on the disk before a hash is sent. Raises InputError."""
    if kept.exists():
        raise InputError(f"--keep {kept}: is there already, and may hold the salts of sealed forecasts; name another")
    rows = read_submissions(file, MINUTE)
    found = [
        KeptForecast(time_text(slot), quantiles, secrets.token_bytes(SALT_BYTES).hex())
        for slot, quantiles in sorted(rows.items())
    ]
    write_private(kept, msgspec.json.format(msgspec.json.encode(KeptForecasts(forecaster, found))) + b"\n")
    seals = [{"slot": each.slot, "sha256": _digest(forecaster, each)} for each in found]
    answer = _ask(url, token_file, "seals", {"seals": seals})
    if answer["forecaster"] != forecaster:
        raise InputError(f"the token is of {answer['forecaster']}, so what was sealed opens for nobody; seal it anew")
    report(answer | {"kept": str(kept)}, json=json)


def open_(kept: Path, url: str, token_file: Path, gate: int, window: int, *, json: bool) -> None:
    """Show what is due of what was sealed: gates that close within a window, so long before a slot [min].

    Raises InputError.
    """
    try:
        known = msgspec.json.decode(kept.read_bytes(), type=KeptForecasts)
    except (OSError, msgspec.MsgspecError) as error:
        raise InputError(f"{kept}: cannot be read ({error}); give the file that `forecast submit` wrote") from None
    now = int(time.time())
    begin = now + gate * MINUTE
    due = [
        each for each in known.forecasts if not each.shown and begin < parse_time(each.slot) <= begin + window * MINUTE
    ]
    if not due:
        report({"slots": 0, "left": sum(not each.shown for each in known.forecasts)}, json=json)
        return
    openings = [{"slot": each.slot, "quantiles_wh": list(each.quantiles_wh), "salt": each.salt} for each in due]
    answer = _ask(url, token_file, "openings", {"openings": openings})
    after = [msgspec.structs.replace(each, shown=True) if each in due else each for each in known.forecasts]
    write_private(kept, msgspec.json.format(msgspec.json.encode(KeptForecasts(known.forecaster, after))) + b"\n")
    report(answer | {"left": sum(not each.shown for each in after)}, json=json)


def _digest(forecaster: str, kept: KeptForecast) -> str:
    """Hash of a forecast, in hexadecimal."""
    return sealed(forecaster, parse_time(kept.slot), kept.quantiles_wh, bytes.fromhex(kept.salt)).hex()


def _ask(url: str, token_file: Path, what: str, said: Said) -> Said:
    """Send something to the API. Raises InputError in the words of the server."""
    try:
        token = token_file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--token-file {token_file}: cannot be read ({error}); write your token there") from None
    client = HttpClient(url.rstrip("/"), token, PATIENCE_SECONDS)
    try:
        answered = client.ask(f"/api/v1/forecasts/{what}", MOST_BYTES, json.dumps(said).encode())
        found: Said = json.loads(answered)
    except urllib.error.HTTPError as error:
        raise InputError(_problem(error)) from None
    except (OSError, ValueError) as error:
        raise InputError(f"{url}: does not answer as a market does ({error}); is it served there?") from None
    return found


def _problem(error: urllib.error.HTTPError) -> str:
    """What the server says is wrong."""
    try:
        return str(json.loads(error.read(MOST_BYTES))["detail"])
    except (OSError, ValueError, KeyError, TypeError):
        return f"the server answers {error.code}"
