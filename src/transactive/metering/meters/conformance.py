"""Whether a meter source keeps what a box relies on: for who writes one, ours run it too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from transactive.core.errors import DataError, RuleBroken
from transactive.metering.decode.registers import MeterState
from transactive.metering.meters.source import MeterSource

BROKEN = 200
"""Messages that are tried with bytes lost, doubled or changed, for each sample."""


def check_meter_source(source: MeterSource, samples: Mapping[bytes, MeterState], seed: int = 1) -> None:
    """Hold a source against raw messages and what they say. Raises RuleBroken naming the rule.

    The same bytes say the same, each time; a register is a whole number from zero on; broken bytes say nothing, or what
    can be said of them, and raise nothing but DataError.
    """
    random = Random(seed)  # noqa: S311 - which bytes break is no secret
    if not samples:
        raise RuleBroken("a source is held against at least one real message")
    for raw, state in samples.items():
        if source.decode(raw) != state or source.decode(raw) != state:
            raise RuleBroken(f"a message says {source.decode(raw)}, and should say {state}")
        for _ in range(BROKEN):
            broken = _break(raw, random)
            found = _decoded(source.decode, broken)
            if found is not None and not all(type(one) is int and one >= 0 for one in found.registers):
                raise RuleBroken(f"broken bytes became {found}")
    if source.traits.least_age <= 0 or source.traits.silence <= 0 or source.traits.most_w <= 0:
        raise RuleBroken("least age, silence and power of a source are above zero")


def _decoded(decode: Callable[[bytes], MeterState], raw: bytes) -> MeterState | None:
    """What bytes say, or None. Raises RuleBroken for any error but DataError."""
    try:
        return decode(raw)
    except DataError:
        return None
    except Exception as error:
        raise RuleBroken(f"broken bytes raise {type(error).__name__} ({error}) instead of DataError") from error


def _break(raw: bytes, random: Random) -> bytes:
    """Bytes that lost a part, say it twice, or have a part changed."""
    start = random.randrange(len(raw) + 1)
    end = min(len(raw), start + random.randrange(1, 12))
    middle = random.choice((b"", raw[start:end] * 2, random.randbytes(end - start)))
    return raw[:start] + middle + raw[end:]
