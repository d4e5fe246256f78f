"""What a box shows to be invited: the code of its invitation stays between it and the market."""

from __future__ import annotations

import hashlib
import hmac
import re


def invitation_proof(code: str, meter: str) -> bytes:
    """HMAC of a meter's address under an invitation's code, in hexadecimal: it is of no use for another meter."""
    return hmac.new(code.encode(), meter.encode(), hashlib.sha256).hexdigest().encode()


def topic(community: str, meter: str, way: str) -> str:
    """Topic of a meter (address) on the broker: up, down, enrol, say or told; `+` for all meters."""
    return f"transactive/{community}/{meter}/{way}"


def topic_name(community: str) -> str:
    """A community's name as a part of a topic: letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", community.lower()).strip("-") or "community"
