"""Orders of the device's household."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from assistant.service.http.access import Caller, Shop
from assistant.service.http.answers import documented
from assistant.service.http.bodies import (
    IdempotencyKey,
    OrderAnswer,
    OrderNumber,
    OrdersAnswer,
    QuoteAnswer,
    WantedOrder,
    order_answer,
    quote_answer,
)
from assistant.shop.carrier_events import tracking_texts

order_routes = APIRouter(prefix="/v1/orders", tags=["orders"])
quote_routes = APIRouter(prefix="/v1/quotes", tags=["orders"])


@order_routes.post(
    "",
    status_code=201,
    responses=documented(409) | {200: {"model": OrderAnswer, "description": "It was placed before, with this key."}},
    summary="Place an order that was paid",
)
def place_order(
    wanted: WantedOrder, key: IdempotencyKey, device: Caller, shop: Shop, response: Response
) -> OrderAnswer:
    """Places an order, or says why there is none: ``price_changed``, ``sold_out``, ``order_conflict``.

    A refusal of a key is final, except ``order_conflict``, which is about another order. After any other failure, and
    after an answer that was lost, the same request is to be sent again.
    """
    order, made = shop.desk(device.household).place(key, wanted)
    response.status_code = 201 if made else 200
    return order_answer(order)


@quote_routes.post("", responses=documented(409), summary="What an order would cost")
def quote_order(wanted: WantedOrder, device: Caller, shop: Shop) -> QuoteAnswer:
    """The shop's own total of an order, whatever the request says; ``sold_out`` when there would be no order."""
    return quote_answer(shop.desk(device.household).quote(wanted))


@order_routes.get("", responses=documented(), summary="Orders, newest first")
def list_orders(device: Caller, shop: Shop, limit: Annotated[int, Query(ge=1, le=500)] = 100) -> OrdersAnswer:
    """The household's orders, newest first."""
    told = tracking_texts(shop.engine, device.household)
    orders = shop.desk(device.household).orders(limit)
    return OrdersAnswer(orders=tuple(order_answer(order, told.get(order.id, "")) for order in orders))


@order_routes.get("/{number}", responses=documented(404), summary="One order")
def read_order(number: OrderNumber, device: Caller, shop: Shop) -> OrderAnswer:
    """One order of the household."""
    told = tracking_texts(shop.engine, device.household)
    return order_answer(shop.desk(device.household).order(number), told.get(number, ""))


@order_routes.post("/{number}/cancel", responses=documented(404, 409), summary="Cancel an order")
def cancel_order(number: OrderNumber, device: Caller, shop: Shop) -> OrderAnswer:
    """Cancels an order that is not on its way yet. The device gives the money back."""
    return order_answer(shop.desk(device.household).cancel(number))
