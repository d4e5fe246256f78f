"""What a box knows of its place: a small file beside its key."""

from __future__ import annotations

import json
import os
from pathlib import Path

import msgspec

from transactive.core.errors import ConfigError, StateError
from transactive.core.proofs.enrolment import invitation_proof, topic
from transactive.core.proofs.signing import address_of
from transactive.core.slots import HOUR
from transactive.metering.record_file import OWNER_FILE, OWNER_FOLDER
from transactive.node.box import BoxKey

SETTINGS_FILE, KEY_FILE = "box.toml", "key"


class BoxSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Settings of a box.

    community: name on the broker. broker: mqtt(s)://… meter: tcp://HOST:PORT. slot_seconds: of the market. chain_id:
    that records are signed for. winter_seconds: how far the meter's winter time is ahead of UTC. code: of its
    invitation.
    """

    community: str
    broker: str
    meter: str
    slot_seconds: int
    chain_id: int
    winter_seconds: int = HOUR
    code: str = ""

    def topic(self, meter: str, way: str) -> str:
        """Topic of a meter (address): up, down or enrol."""
        return topic(self.community, meter, way)

    def proof(self, meter: str) -> bytes:
        """What shows that who has the invitation's code has this meter (address)."""
        return invitation_proof(self.code, meter)


def make_box(folder: Path, settings: BoxSettings) -> BoxKey:
    """Make the folder of a box, with a new key that never leaves it. Raises StateError if it has one already."""
    folder.mkdir(mode=OWNER_FOLDER, parents=True, exist_ok=True)
    if (folder / KEY_FILE).exists():
        raise StateError(f"{folder}: is the folder of a box; use another one, or `transactive node run {folder}`")
    said = msgspec.structs.asdict(settings)
    text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in said.items() if value != "")
    _write(folder / SETTINGS_FILE, text.encode())
    _write(folder / KEY_FILE, os.urandom(32))
    return box_key(folder)


def box_settings(folder: Path) -> BoxSettings:
    """Settings of a box. Raises ConfigError naming the key."""
    path = folder / SETTINGS_FILE
    try:
        return msgspec.toml.decode(path.read_bytes(), type=BoxSettings)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); make it with transactive node init") from None
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None


def box_key(folder: Path) -> BoxKey:
    """Key of a box. Raises StateError where there is none."""
    path = folder / KEY_FILE
    try:
        key = path.read_bytes()
    except OSError as error:
        raise StateError(f"{path}: cannot be read ({error.strerror}); make it with transactive node init") from None
    return BoxKey(key, address_of(key))


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, for its owner alone."""
    new = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_FILE), "wb") as file:
        file.write(content)
        os.fsync(file.fileno())
    new.rename(path)
