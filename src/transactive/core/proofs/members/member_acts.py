"""What a member does while its market is open: what it allows, as it is handed to the run, and the orders it sends."""

from __future__ import annotations

import msgspec

from transactive.core.proofs.members.authorisation import Authorised
from transactive.core.proofs.signed_orders import Step


class MemberAct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a run takes up. number: its place in the log of the state, from 1. authorised: what the member signed."""

    number: int
    authorised: Authorised


class HandOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order that a member sent to a live market, in place of all before it for that slot [Unix s].

    buys, sells: limits [n¤/Wh] and energies [Wh]. entry: number in the journal. received: by the market's clock [Unix
    s]. receipt: the operator's signature, 0x-hex.
    """

    slot: int
    serial: int
    buys: tuple[Step, ...]
    sells: tuple[Step, ...]
    entry: int
    received: int
    receipt: str
