"""Names of the keys that a community has beside those of its accounts."""

from __future__ import annotations

ROLES = ("owner", "operator", "arbiter", "on-ramp", "gateway")


def gateway_role(group: int) -> str:
    """Name of the key that signs the readings of a group of members, by its number; of all, where there is one."""
    return "gateway" if group == 0 else f"gateway-{group + 1}"


def roles_of(groups: int) -> tuple[str, ...]:
    """Names of all keys beside those of accounts. groups: of members that have a settlement of their own, or 0."""
    return (*ROLES, *(gateway_role(number) for number in range(1, groups)))
