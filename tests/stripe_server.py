"""A server like Stripe's on this machine: localstripe, and what Stripe does that localstripe does not.

It listens on a free port of the loopback interface, which it prints, and ends with its standard input. Added are
idempotency keys, ``off_session``, cards that are declined when they are charged (with Stripe's reasons), a limit to
what is given back, and the faults that a test asks for.
"""

import asyncio
import os
import socket
import sys
import threading

from aiohttp import web
from localstripe import resources, server

NO_FUNDS = "4000000000009995"
DECLINED = {NO_FUNDS: "insufficient_funds", "4000000000000002": "generic_decline"}

answered: dict[str, web.Response] = {}
faults: list[dict[str, str]] = []


@web.middleware
async def idempotency(request, handler):
    """https://docs.stripe.com/api/idempotent_requests: the first answer to a key is the answer to all."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return await handler(request)
    if key not in answered:
        answered[key] = await handler(request)
    first = answered[key]
    return web.Response(body=first.body, status=first.status, content_type="application/json")


@web.middleware
async def faulty(request, handler):
    """The first fault that was asked for, once, when its path comes."""
    if not faults or not request.path.endswith(faults[0]["path"]) or request.path.startswith("/_config"):
        return await handler(request)
    how = faults.pop(0)["how"]
    if how in ("lost_answer", "late_answer"):
        await handler(request)
    if how == "late_answer":
        await asyncio.sleep(3)
    if how.isdecimal():
        return web.json_response({"error": {"type": "api_error", "message": "a fault: sk_test_***"}}, status=int(how))
    request.transport.abort()
    return web.Response()


async def add_fault(request):
    faults.append(await server.get_post_data(request))
    return web.Response()


def confirmed(cls, id, off_session=None, **more):
    assert off_session in (None, True, "true"), "Stripe takes nothing else"
    return confirm(id, **more)


def declined(self):
    return (self.type == "card" and self._card_number in DECLINED) or charging_is_declined(self)


def raise_failure(self):
    number = resources.PaymentMethod._api_retrieve(self.payment_method)._card_number
    reason = {"code": "card_declined", "decline_code": DECLINED.get(number, "generic_decline"), "charge": self.id}
    raise server.UserError(402, self.failure_message, reason)


def refunded(self, charge=None, payment_intent=None, amount=None, **more):
    """https://docs.stripe.com/api/refunds/create: an error "when trying to refund more money than is left"."""
    if payment_intent is not None and amount is not None:
        paid = resources.PaymentIntent._api_retrieve(payment_intent).latest_charge
        if int(amount) > paid.amount - paid.amount_refunded:
            raise server.UserError(400, "The refund is greater than what is left of the charge.")
    refund(self, charge=charge, payment_intent=payment_intent, amount=amount, **more)


refund = resources.Refund.__init__
confirm = resources.PaymentIntent._api_confirm
charging_is_declined = resources.PaymentMethod._charging_is_declined


def main() -> None:
    resources.Store.dump_to_disk = lambda self: None  # a pickle under a fixed name in /tmp
    resources.PaymentMethod._charging_is_declined = declined
    resources.Charge._raise_failure = raise_failure
    resources.Refund.__init__ = refunded
    for route in server.app.router.routes():
        if route.resource and route.resource.canonical == "/v1/payment_intents/{id}/confirm":
            route._handler = server.api_extra(classmethod(confirmed).__get__(None, resources.PaymentIntent), "")
    server.app.middlewares[:0] = [faulty, idempotency]
    server.app.router.add_post("/_config/faults", add_fault)
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    web.run_app(server.app, sock=listening, print=None, access_log=None)


if __name__ == "__main__":
    main()
