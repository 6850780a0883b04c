"""Where an order goes: an address of the household, chosen by its name. Money is never sent anywhere by a guess."""

from dataclasses import replace

from assistant.shop.addresses import Address
from assistant.talk.actions import Say
from assistant.talk.flow import goes_to, resume
from assistant.talk.situation import State
from assistant.talk.turn import Outcome, Turn

_READ_BACK = (State.CONFIRMING, State.AUTHORISING)


def deliver(turn: Turn) -> Outcome:
    """What is being ordered goes to the address that was named; a name that nobody gave an address changes nothing.

    Without a name it was asked where it goes.
    """
    if not turn.understanding.place:
        return resume(turn, *_known(turn))
    address = _named(turn)
    if address is None:
        return resume(turn, _unknown(turn))
    there = replace(turn, situation=replace(turn.situation, deliver_to=address))
    # The read-back tells where the order goes; before it, that is told on its own.
    told = () if turn.situation.state in _READ_BACK else (Say("delivering.later", _values(address)),)
    after, actions = resume(there, *told)
    return replace(after, deliver_to=address), actions


def _named(turn: Turn) -> Address | None:
    """The address of exactly this name, said with "my" or "the" or without."""
    said = turn.understanding.place
    names = {said, said.removeprefix("my "), said.removeprefix("the ")}
    found = [one for one in turn.knowledge.addresses if one.name in names or one.name.removeprefix("the ") in names]
    return found[0] if len(found) == 1 else None


def _unknown(turn: Turn) -> Say:
    known = tuple(address.name for address in turn.knowledge.addresses)
    return (
        Say("delivering.unknown", {"name": turn.understanding.place, "names": known})
        if known
        else Say("delivering.none")
    )


def _known(turn: Turn) -> tuple[Say, ...]:
    """Where the next order goes, and where else it could."""
    names = tuple(address.name for address in turn.knowledge.addresses)
    if not names:
        return (Say("delivering.none"),)
    told = () if turn.situation.state in _READ_BACK else goes_to(turn)
    return (*told, Say("delivering.known", {"names": names}))


def _values(address: Address) -> dict[str, str]:
    return {"name": address.name, "text": address.text}
