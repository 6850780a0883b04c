"""Where carriers tell what becomes of parcels; a key signs each message, and no device's token is needed."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from assistant.errors import AccessDenied
from assistant.service.http.access import Shop
from assistant.service.http.answers import documented
from assistant.service.http.bodies import PLAIN
from assistant.service.signature import HEADER, SignedMessages
from assistant.shop.carrier_events import LONGEST_ID, LONGEST_TRACKING, CarrierEvent, record_carrier_event, status_of
from assistant.shop.orders import OrderStatus

carrier_routes = APIRouter(prefix="/v1/carrier-events", tags=["carriers"])


class CarrierEventBody(BaseModel):
    """A parcel has got somewhere."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    household: str = Field(min_length=1, max_length=64, pattern=PLAIN, description="Whose order.")
    order: str = Field(pattern=r"^[0-9]{1,16}$", description="The number that the shop gave the order.")
    id: str = Field(min_length=1, max_length=LONGEST_ID, pattern=PLAIN, description="The carrier's own, once an event.")
    status: str = Field(pattern=r"^(packed|shipped|out_for_delivery|delivered|returned)$")
    at: Annotated[AwareDatetime, Field(strict=False)] = Field(description="When it happened, with its time zone.")
    tracking: str = Field("", max_length=LONGEST_TRACKING, pattern=PLAIN, description="The carrier's words.")


class CarrierEventAnswer(BaseModel):
    """The order as it is now, whether the event was new or had been told before."""

    order: str
    status: OrderStatus


async def signed(request: Request, signature: Annotated[str, Header(alias=HEADER, max_length=1000)] = "") -> None:
    """Lets messages of carriers pass.

    Raises:
        AccessDenied: The message is not signed by anybody who may send it.
    """
    messages: SignedMessages | None = request.app.state.carriers
    if messages is None:
        raise AccessDenied("This shop takes no carriers' events: shop.carrier_key_file names no keys.")
    messages.check(signature, await request.body())


@carrier_routes.post(
    "",
    dependencies=[Depends(signed)],
    responses=documented(404, 409),
    summary="Tell what became of a parcel",
)
def take_carrier_event(event: CarrierEventBody, shop: Shop) -> CarrierEventAnswer:
    """Notes an event, once by its id. Events may come late, twice, and in any order.

    ``not_found``: the household has no such order. ``order_invalid``: the id was used for something else before. After
    429, 5xx or no answer, send the same event again, signed anew.
    """
    shop.desk(event.household).order(event.order)
    at: datetime = event.at
    told = CarrierEvent(event.order, event.id, status_of(event.status), at, event.tracking)
    order = record_carrier_event(shop.engine, shop.payments, event.household, told)
    return CarrierEventAnswer(order=order.id, status=order.status)
