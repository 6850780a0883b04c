"""Adults and children: who of a household may pay. Pure.

A child fills the cart and asks to buy; only an adult pays. Whoever might be a child is one.
"""

from collections.abc import Mapping
from enum import StrEnum

from assistant.pay.demands import Demands
from assistant.pay.outcome import DeclineReason

LEAST_LEAD = 2.3
"""Log-likelihood ratio (natural: ten times as likely) by which an adult's voice must lead a child's that fits too."""


class Role(StrEnum):
    """What an enrolled person may do."""

    ADULT = "adult"
    CHILD = "child"


def speaker_of(fitting: Mapping[str, float], roles: Mapping[str, Role]) -> str:
    """Who spoke, of those whose voices fit; empty when none does.

    Args:
        fitting: Name → log-likelihood ratio of every voice that was accepted.
        roles: Name → role; who has none counts as a child.
    """
    if not fitting:
        return ""
    best = max(fitting, key=lambda name: fitting[name])
    children = {name: ratio for name, ratio in fitting.items() if roles.get(name) is not Role.ADULT}
    if best in children or not children:
        return best
    likeliest = max(children, key=lambda name: children[name])
    # "Not at least" rather than "less": a lead that is no number is none.
    return best if fitting[best] - children[likeliest] >= LEAST_LEAD else likeliest


def role_objection(role: Role | None, demands: Demands, *, approving: bool) -> DeclineReason | None:
    """Why somebody of this role may not pay; None when they may.

    Args:
        role: The speaker's; None when it is not known, which counts as a child's.
        demands: What the order's products demand.
        approving: Whether an adult has been asked for already.
    """
    if role is Role.ADULT:
        return None
    if demands.adult:
        return DeclineReason.ADULTS_ONLY
    return DeclineReason.ADULT_NEEDED if approving else DeclineReason.APPROVAL_NEEDED
