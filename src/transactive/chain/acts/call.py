"""What an act is done with: the chain, the deployment, and whose keys are here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from eth_account.signers.local import LocalAccount
from web3.contract import Contract

from transactive.chain.acts.act import Act
from transactive.chain.commitments import Opening
from transactive.chain.deployments.deployment import Deployment
from transactive.chain.history import commitments, opening
from transactive.chain.keys.roles import gateway_role
from transactive.chain.keys.signers import Signers
from transactive.chain.nodes.client import ChainClient
from transactive.core.accounts import NAMED
from transactive.core.errors import InputError
from transactive.core.slots import parse_time


@dataclass(frozen=True)
class Call:
    """A deployment that one act is done to. account, other: who was named with --account and --as."""

    client: ChainClient
    known: Deployment
    signers: Signers
    act: Act
    account: str | None
    other: str | None
    now: int

    @cached_property
    def contract(self) -> Contract:
        """Contract that the act calls. Raises InputError if the deployment has none."""
        return self.client.contract(self.act.contract, self.known.address(self.act.contract))

    @cached_property
    def settlement(self) -> Contract:
        """The community's settlement."""
        return self.client.contract("settlement", self.known.address("settlement"))

    @cached_property
    def whole(self) -> Contract:
        """The settlement that joins the group's with those of other groups. Raises InputError without a group."""
        link = self.client.contract("group_link", self.known.address("group_link"))
        return self.client.contract("settlement", self.client.read(link, "whole"))

    @cached_property
    def slot_seconds(self) -> int:
        """Length of a slot [s]."""
        return int(self.client.read(self.settlement, "slotSeconds"))

    def signer(self) -> LocalAccount:
        """Key that sends. Raises InputError if nobody is named, or the key is not here."""
        if self.other is not None:
            return self.signers.named(self.other)
        if self.act.by == "gateway":
            return self.gateway()
        if self.act.by not in ("account", "anybody"):
            return self.signers.role(self.act.by)
        if self.account is None:
            raise InputError("this is done by an account: name it with --account, or another key with --as")
        if self.act.by == "account":
            self.known.index(self.account)
        return self.signers.account(self.account)

    def gateway(self) -> LocalAccount:
        """Key that signs readings, in groups those of this group. Raises InputError if it is not here."""
        number = 0
        if "group_link" in self.known.contracts:
            place = int(self.client.read(self.whole, "memberNumber", self.known.address("group_link")))
            number = place - 1 - len(NAMED)
        return self.signers.role(gateway_role(number))

    def by(self) -> str:
        """Who sends, by the name that was given."""
        return self.other or self.account or self.act.by

    def address(self, text: str) -> str:
        """Address of an account or contract by name, or as it is written. Raises InputError."""
        from eth_utils.address import is_address, to_checksum_address

        if text in self.known.accounts:
            return str(self.client.read(self.settlement, "accountOf", self.known.index(text)))
        if text in self.known.contracts:
            return self.known.address(text)
        if not is_address(text):
            raise InputError(f"{text!r} is neither an address nor a name in the deployment")
        return to_checksum_address(text)

    def opening(self, slot: str, of: Contract | None = None) -> Opening:
        """The commitment of a slot, or the last one, of the settlement or another. Raises InputError without one."""
        made = commitments(self.client, of or self.settlement)
        wanted = parse_time(slot) // self.slot_seconds if slot else made[-1].slot if made else None
        places = [place for place, one in enumerate(made) if one.slot == wanted]
        if not places:
            raise InputError("no such slot is committed; give --slot the start of one that is")
        return opening(made, places[-1], int(self.client.read(self.settlement, "slotsPerPeriod")))
