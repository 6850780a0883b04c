"""Addresses of the device's household."""

from fastapi import APIRouter, Response

from assistant.errors import OrderError
from assistant.service.http.access import Caller, Shop
from assistant.service.http.answers import Missing, documented
from assistant.service.http.bodies import AddressBody, AddressesAnswer, AddressName, AddressText, address_body

address_routes = APIRouter(prefix="/v1/addresses", tags=["addresses"])


@address_routes.get("", responses=documented(), summary="Where things are delivered")
def list_addresses(device: Caller, shop: Shop) -> AddressesAnswer:
    """The household's addresses, the usual one first."""
    return AddressesAnswer(addresses=tuple(address_body(one) for one in shop.addresses(device.household).all()))


@address_routes.put("/{name}", responses=documented(409), summary="Keep an address")
def keep_address(name: AddressName, body: AddressText, device: Caller, shop: Shop) -> AddressBody:
    """Keeps an address under a name of letters, in the place of the one that has it."""
    return address_body(shop.addresses(device.household).add(name, body.text))


@address_routes.delete("/{name}", status_code=204, responses=documented(404), summary="Forget an address")
def forget_address(name: AddressName, device: Caller, shop: Shop) -> Response:
    """Forgets an address; parcels that are on their way to it stay on their way."""
    try:
        shop.addresses(device.household).remove(name)
    except OrderError as error:
        raise Missing(f"There is no address {name!r}.") from error
    return Response(status_code=204)
