"""What a box knows of its place: a small file beside its key."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import msgspec

from transactive.core.boxes.enrolment import invitation_proof, topic
from transactive.core.community.limits import NO_HIGHEST, NO_LOWEST
from transactive.core.errors import ConfigError, InputError, StateError
from transactive.core.proofs.signing import address_of
from transactive.core.slots import HOUR
from transactive.links.sources.address import MeterAddress
from transactive.metering.meters.profile import load_meter_profile
from transactive.metering.one_process import alone_on
from transactive.metering.record_file import OWNER_FOLDER
from transactive.node.box import BoxKey
from transactive.node.files import write_whole

MOST_AHEAD = 14 * HOUR
COPY = "copy"
"""In place of a node: the box keeps a copy of the market's own chain, and executes each block itself."""
SETTINGS_FILE, KEY_FILE, OUTBOX_FILE = "box.toml", "key", "outbox"


class BoxSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Settings of a box.

    community: name on the broker. broker: mqtt(s)://… meter: its address. profile: of its kind, or a file of one.
    secret: file with its token or key. slot_seconds: of the market. chain_id: that records are signed for.
    winter_seconds: how far the meter's winter time is ahead of UTC. code: of its invitation. home_assistant: broker of
    the home. metrics: HOST:PORT where Prometheus asks. highest_buy, lowest_sell: the member's limits [µ¤/kWh]. chain:
    http(s) address of a node of the market's chain, that what is settled is read from too, or `COPY`. spread: within
    what time after a plan changed devices begin, each box at a moment of its own [s]. direct: TRANSPORT:PLACE where
    the box meets others to trade with them itself; empty: it does not.
    """

    community: str
    broker: str
    meter: str
    slot_seconds: int
    chain_id: int
    profile: str = "dsmr-p1"
    secret: str = ""
    home_assistant: str = ""
    metrics: str = ""
    winter_seconds: int = HOUR
    code: str = ""
    highest_buy: int = NO_HIGHEST
    lowest_sell: int = NO_LOWEST
    chain: str = ""
    spread: Annotated[int, msgspec.Meta(ge=0, le=3_600)] = 60
    direct: str = ""

    def topic(self, meter: str, way: str) -> str:
        """Topic of a meter (address): up, down, enrol, say or told."""
        return topic(self.community, meter, way)

    def address(self, folder: Path) -> MeterAddress:
        """The meter; files are named relative to the box's folder. Raises ConfigError for a profile that is none."""
        return meter_address(self.meter, self.profile, folder, self.winter_seconds, self.secret)

    def proof(self, meter: str) -> bytes:
        """What shows that who has the invitation's code has this meter (address)."""
        return invitation_proof(self.code, meter)


def meter_address(
    meter: str, profile: str, folder: Path, winter_seconds: int, secret: str, silence: int | None = None
) -> MeterAddress:
    """A meter as people name it. secret: file with its token or key.

    Raises ConfigError, and InputError for a time zone that is none.
    """
    if abs(winter_seconds) > MOST_AHEAD:
        raise InputError(f"winter time {winter_seconds // HOUR} hours ahead of UTC: places have −12 to 14")
    try:
        said = (folder / secret).read_text().strip() if secret else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{secret}: the token or key of the meter cannot be read ({error})") from None
    return MeterAddress(meter, load_meter_profile(profile, folder), winter_seconds, said, silence)


def make_box(folder: Path, settings: BoxSettings) -> BoxKey:
    """Make the folder of a box, with a new key that never leaves it. Raises StateError if it has one already."""
    folder.mkdir(mode=OWNER_FOLDER, parents=True, exist_ok=True)
    said = msgspec.structs.asdict(settings)
    usual = {"highest_buy": NO_HIGHEST, "lowest_sell": NO_LOWEST}
    text = "".join(
        f"{name} = {json.dumps(value)}\n" for name, value in said.items() if value not in ("", usual.get(name, ""))
    )
    lock = alone_on(folder / KEY_FILE)  # two that begin at once would give the second one's key to an enrolled box
    try:
        if (folder / KEY_FILE).exists():
            raise StateError(f"{folder}: is the folder of a box; use another one, or `transactive node run {folder}`")
        write_whole(folder / SETTINGS_FILE, text.encode())
        write_whole(folder / KEY_FILE, os.urandom(32))
    finally:
        lock.release()
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
