"""What a box has found wrong, before the judge: by command, and by itself while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transactive.core.boxes.messages import Terms
from transactive.core.errors import ConfigError, InputError
from transactive.node.agent.trader import TERMS_FILE
from transactive.node.files import read_kept
from transactive.node.settings import COPY, BoxSettings, box_key, box_settings
from transactive.node.verify.challenge import bring, signer_of, tried
from transactive.node.verify.kept_leaves import EVIDENCE, FINDINGS, FoundWrong
from transactive.node.verify.leaf_witness import Challenge


def challenge_slot(folder: Path, slot: int | None, node: str | None) -> dict[str, Any]:
    """Bring what a box has kept against its market before the judge. slot: number, the newest one without.

    Raises InputError where there is nothing, or no node is known; ChainError where that one does not answer.
    """
    settings, terms = box_settings(folder), read_kept(folder / TERMS_FILE, Terms)
    found = (read_kept(folder / FINDINGS, FoundWrong) or FoundWrong()).wrong
    if terms is None or not found:
        raise InputError(f"{folder}: this box has found nothing wrong; `transactive node run` looks at each slot")
    wrong = found[-1] if slot is None else next((one for one in found if one.slot == slot), None)
    if wrong is None:
        raise InputError(
            f"slot {slot}: nothing is wrong with it; wrong are {', '.join(str(one.slot) for one in found)}"
        )
    url = node or settings.chain
    if url in ("", COPY):
        raise InputError("challenge: give --node, a node of the market's chain; or write it as `chain` in box.toml")
    evidence = folder / EVIDENCE / str(wrong.slot)
    outcome = bring(evidence, terms.settlement, terms.account, url, signer_of(folder, box_key(folder)))
    return {"slot": wrong.slot, "wrong": wrong.what, "evidence": str(evidence), "outcome": outcome}


def challenger(folder: Path, settings: BoxSettings) -> Challenge:
    """What brings evidence by itself while a box runs. Raises ConfigError without a node of the chain."""
    if settings.chain in ("", COPY):
        raise ConfigError(f"{folder}: --challenge needs a node of the market's chain; write it as `chain` in box.toml")
    key = signer_of(folder, box_key(folder))

    def challenge(evidence: Path) -> str:
        """Bring it, or say why not."""
        terms = read_kept(folder / TERMS_FILE, Terms)
        if terms is None:
            return "not brought: the market has not told its terms"
        return tried(evidence, terms.settlement, terms.account, settings.chain, key)

    return challenge
