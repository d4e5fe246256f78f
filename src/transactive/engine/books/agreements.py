"""Sharing agreements of a run: what members sign of the rules by which it divides, kept in the state.

A run on recorded data has all keys and signs for each member, once for each version of the rules, as it does what they
allow their agents. Without a chain nothing is signed.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from transactive.config.setting import Setting
from transactive.core.community.community import Community
from transactive.core.proofs.members.sharing_agreement import Agreement, SignedAgreement, check, in_force, sign
from transactive.core.units import IntArray

if TYPE_CHECKING:
    from transactive.chain.ledgers.community_chain import CommunityChain
    from transactive.store import Store

SETTING = "sharing agreements"


def agree(
    setting: Setting, slots: range, chain: CommunityChain | None = None, store: Store | None = None
) -> tuple[SignedAgreement, ...]:
    """Agreements of a run over consecutive slots [Unix s], in their order; none where a market decides.

    What was signed before is checked and stays; what is new is signed from its slot on. Raises SignatureError.
    """
    community = setting.community
    if community.sharing_in_force is None:
        return ()
    kept = list(read(store)) if store else []
    accounts, begun = range(len(community.members)), store.rosters[-1].since if store and store.rosters else slots.start
    if chain:
        for each in kept:
            if each.agreement.since < begun:  # signed by those who had accounts then, for the contracts of then
                continue
            for account in accounts:
                check(each, account, str(chain.keys.account(account).address), chain.signing_place(account))
    places = [chain.signing_place(account) for account in accounts] if chain else []
    fresh = False
    for number, span in community.versions.spans(slots):
        own = range(max(span.start, begun), span.stop, span.step)
        wanted = _wanted(setting, number, own, kept) if own else None
        if wanted is not None:
            keys = [bytes(chain.keys.account(account).key) for account in accounts] if chain else []
            kept.append(sign(wanted, keys, places) if chain else SignedAgreement(wanted))
            fresh = True
    if store and fresh:
        store.set(**{SETTING: msgspec.json.encode(kept).decode()})
    return tuple(kept)


def read(store: Store) -> tuple[SignedAgreement, ...]:
    """Agreements of the run in a state, in their order; none where a market decides."""
    text = store.setting(SETTING)
    return () if text is None else msgspec.json.decode(text, type=tuple[SignedAgreement, ...])


def _wanted(setting: Setting, number: int, span: range, kept: list[SignedAgreement]) -> Agreement | None:
    """What is still to be signed for the slots of a version of the rules; None if what is signed covers them."""
    rules = setting.community.versions.rules[number]
    terms, by_hour = terms_of(rules), rules.sharing is not None and rules.sharing.coefficients is not None
    known, since = in_force(kept, span[-1]), span.start
    if known is not None and known.agreement.terms == terms:
        if not by_hour or known.agreement.until >= span.stop:
            return None
        since = max(since, known.agreement.until)
    until = span.stop if by_hour else 0
    shares = coefficients_digest(setting, range(since, until, span.step)) if by_hour else ""
    return Agreement(len(kept) + 1, since, terms, shares, until)


def terms_of(rules: Community) -> str:
    """Terms of one version of a community's rules, as canonical JSON: how it shares, and who has which share.

    Where the files lie says nothing of the division, and is left out.
    """
    sharing = msgspec.to_builtins(rules.sharing)
    for key in ("coefficients", "report", "report_profile"):
        sharing[key] = sharing[key] is not None
    members = [{"id": m.id, "share_ppm": m.share_ppm, "since": m.since, "until": m.until} for m in rules.members]
    terms = {"community": rules.name, "currency": rules.currency, "sharing": sharing, "members": members}
    return msgspec.json.encode(terms, order="deterministic").decode()


def coefficients_digest(setting: Setting, slots: range) -> str:
    """SHA-256 of the shares by the hour of consecutive slots [Unix s], little-endian int64, in hexadecimal."""
    digest = hashlib.sha256()
    for slot in slots:
        shares: IntArray | None = setting.coefficients(slot)
        digest.update(b"" if shares is None else shares.astype("<i8").tobytes())
    return digest.hexdigest()
