"""What a member says while its market is open, as it is handed to the run."""

from __future__ import annotations

import msgspec

from transactive.core.proofs.authorisation import Authorised


class MemberAct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One act. number: its place in the log of the state, from 1. authorised: what the member signed."""

    number: int
    authorised: Authorised
