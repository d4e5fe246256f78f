"""Acts on the registry: members, suspension, lost keys, meters and offices."""

from __future__ import annotations

from transactive.chain.acts.act import NOBODY, Act, Group, Take, ownership

WHO = Take("member", "registry index", "Account's name, or the member's number in the registry.")
ROLES = Take("roles", "roles", "What it may be: producer, consumer, storage, joined by commas.")
UNTIL = Take("until", "time", "End of the slots that it counts for, RFC 3339.")


def _registrar(name: str, function: str, does: str, then: str, *takes: Take) -> Act:
    """The registrar is the operator, unless the owner named another; that one signs with --as."""
    return Act(name, "operator", "registry", function, does, then, takes)


REGISTRY = Group(
    "registry",
    "Who takes part in the markets: members, suspension, lost keys, meters. The registrar is the operator unless"
    " another was named, who signs with --as.",
    (
        _registrar(
            "register",
            "register",
            "Registrar: give an account the next number.",
            "the account is a member",
            Take("address", "address", "Account's name or address."),
            ROLES,
        ),
        _registrar(
            "set-roles", "setRoles", "Registrar: change what a member may be.", "the roles count at once", WHO, ROLES
        ),
        _registrar(
            "suspend",
            "suspend",
            "Registrar: keep a member from beginning anything.",
            "it begins nothing any more; what it has it can end and withdraw",
            WHO,
        ),
        _registrar(
            "readmit", "readmit", "Registrar: end a member's suspension.", "the member takes part as before", WHO
        ),
        _registrar(
            "recover",
            "startRecovery",
            "Registrar: announce a new key for a member who lost its own.",
            "after the delay the new key can take over; until then the old one can stop it",
            WHO,
            Take("candidate", "address", "Address of the new key."),
        ),
        Act(
            "stop-recovery",
            "account",
            "registry",
            "stopRecovery",
            "Member: stop the replacement of your key; the registrar takes back its own error with --as operator.",
            "the key stays as it is",
            (WHO,),
        ),
        Act(
            "finish-recovery",
            "anybody",
            "registry",
            "finishRecovery",
            "New key: take the member's place over, after the delay.",
            "this key is the member; the old one is a stranger",
            (WHO,),
        ),
        _registrar(
            "add-meter",
            "addMeter",
            "Registrar: enter a meter of a member.",
            "readings that it signs count",
            WHO,
            Take("key", "address", "Address that signs the readings."),
            Take("network-node", "number", "Node of the network."),
            Take("since", "time", "Start of the slots that it counts for, RFC 3339."),
            UNTIL,
        ),
        _registrar(
            "end-meter",
            "endMeter",
            "Registrar: end a meter earlier than was said.",
            "readings of later slots count no more",
            Take("meter", "number", "Number of the meter."),
            UNTIL,
        ),
        Act(
            "set-registrar",
            "owner",
            "registry",
            "setRegistrar",
            "Name the registrar.",
            "this registrar says who is a member",
            (Take("address", "address", "Address of the registrar."),),
        ),
        Act(
            "offer-operator",
            "owner",
            "registry",
            "offerOperator",
            "Offer the office of the markets' operator to another, who has to accept.",
            "the candidate can accept; until then nothing changes",
            (Take("candidate", "address", f"Address of the next operator. {NOBODY}"),),
        ),
        Act(
            "accept-operator",
            "anybody",
            "registry",
            "acceptOperator",
            "Accept the office of the markets' operator.",
            "you operate the markets",
        ),
        *ownership("registry", "the registry"),
    ),
)
