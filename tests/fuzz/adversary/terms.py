"""Numbers of the stages: clocks, stakes and sums."""

from __future__ import annotations

DEPTH, SLOT, SLOTS, LEAD = 5, 900, 4, 1
PERIOD = SLOT * SLOTS
WINDOW = 1_600
NOTICE = PERIOD + (LEAD + 1) * SLOT + WINDOW
SILENCE, PENALTY, BOND = 2 * NOTICE, 1_000, 6_000
FIRST = 400_000
"""Period in which a stage begins."""
WALLET, DEPOSIT = 10**9, 20_000
UNLIMITED = 2**256 - 1
PLACES = 15
"""Accounts that a tree has room for."""
WAIT = 30
"""What part of a slot a meter has, at least, to report after it."""
REACTION = WINDOW // 8
"""Within so many seconds an honest person acts on what it sees."""
