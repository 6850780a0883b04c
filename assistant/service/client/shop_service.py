"""Asks the shop's service over HTTP, with the token of this device."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from assistant.errors import OrderError, ServiceUnavailable, SettingsError
from assistant.service.secret_file import read_secrets
from assistant.shop.orders import OrderStatus

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
_FINAL = frozenset({"price_changed", "sold_out", "order_invalid", "request_invalid", "too_large"})
_MOST_ORDERS = 500
_QUOTE_SECONDS = 3.0  # a person waits, and without an answer the order is begun all the same


class Price(BaseModel):
    """An amount in minor units."""

    minor: int
    currency: str


class RemoteStatus(BaseModel):
    """A status that an order reached at the shop."""

    status: OrderStatus
    at: datetime


class RemoteOrder(BaseModel):
    """An order as the shop has it; ``id`` is the shop's number of it, ``tracking`` what its carrier said last."""

    id: str
    status: OrderStatus
    history: tuple[RemoteStatus, ...]
    tracking: str = ""


class _Orders(BaseModel):
    orders: tuple[RemoteOrder, ...]


class ProductPage(BaseModel):
    """Lines of the native feed; ``next`` is where the next page begins, None after the last."""

    revision: int
    products: tuple[dict[str, Any], ...]
    next: int | None


class StockPage(BaseModel):
    """What is left of each counted sku; ``next`` is where the next page begins, None after the last."""

    revision: int
    stock: dict[str, int]
    next: int | None


class PromotionsPage(BaseModel):
    """The rules of prices as a promotions file has them; ``tag`` stands for them and for the catalog together."""

    catalog: int
    rules: dict[str, Any]
    tag: str = ""


class Quote(BaseModel):
    """What the shop asks for an order: minor units, and the promotions that are counted."""

    total: Price
    promotions: tuple[str, ...]


class _Problem(BaseModel):
    code: str
    message: str


class _Refusal(BaseModel):
    error: _Problem


@dataclass(frozen=True)
class Refused:
    """The shop will not have an order, now or later: the code of its error, and its words."""

    code: str
    message: str


_Answer = TypeVar("_Answer", bound=BaseModel)


class ShopService:
    """The shop's service, as ``voicecart serve`` answers.

    Args:
        address: Where it is; without TLS only on this machine.
        token_file: File with this device's token, for its owner's eyes only.
        seconds: To wait for an answer.
    """

    def __init__(self, address: str, token_file: str, seconds: float = 10.0) -> None:
        self._address = address
        self._token_file = token_file
        self._seconds = seconds

    def check(self) -> None:
        """Whether the shop could be asked at all; sends nothing.

        Raises:
            SettingsError: Address or token cannot be used, or the library is not installed.
        """
        _ = self._client

    def place(self, key: str, body: str) -> RemoteOrder | Refused:
        """Sends an order; the same key and body may be sent again and again.

        Raises:
            ServiceUnavailable: It is not known what became of it, or it was not looked at: send it again.
            SettingsError: Address or token cannot be used.
        """
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        response = self._ask("POST", "/v1/orders", content=body.encode(), headers=headers)
        if response.status_code in (400, 409, 413, 422):
            problem = _read(_Refusal, response).error
            if problem.code in _FINAL:
                return Refused(problem.code, problem.message)
        return _read(RemoteOrder, _good(response))

    def quote(self, body: str) -> Quote | Refused:
        """What the shop asks for an order that would be sent with this body.

        Raises:
            ServiceUnavailable: The service does not answer soon.
            SettingsError: Address or token cannot be used.
        """
        headers = {"Content-Type": "application/json"}
        response = self._ask("POST", "/v1/quotes", content=body.encode(), headers=headers, timeout=_QUOTE_SECONDS)
        if response.status_code in (400, 409, 413, 422):
            problem = _read(_Refusal, response).error
            return Refused(problem.code, problem.message)
        return _read(Quote, _good(response))

    def orders(self) -> tuple[RemoteOrder, ...]:
        """The household's orders, newest first, not more than 500.

        Raises:
            ServiceUnavailable: The service does not answer.
        """
        return _read(_Orders, _good(self._ask("GET", "/v1/orders", params={"limit": _MOST_ORDERS}))).orders

    def cancel(self, number: str) -> None:
        """Cancels an order at the shop.

        Args:
            number: The shop's number of it.

        Raises:
            OrderError: It is too late.
            ServiceUnavailable: The service does not answer: it may be cancelled or not.
        """
        response = self._ask("POST", f"/v1/orders/{number}/cancel")
        if response.status_code == 409:
            raise OrderError(_read(_Refusal, response).error.message)
        _good(response)

    def products(self, after: int, skus: Collection[str] = ()) -> ProductPage:
        """A page of the catalog, or of these products of it.

        Raises:
            ServiceUnavailable: The service does not answer, or has no catalog.
        """
        params = {"after": after, "sku": sorted(skus)}
        return _read(ProductPage, _good(self._ask("GET", "/v1/catalog/products", params=params)))

    def promotions(self, known: str = "") -> PromotionsPage | None:
        """The rules of prices; None when they and the catalog are still those of the entity tag ``known``.

        Raises:
            ServiceUnavailable: The service does not answer, or has no catalog.
        """
        headers = {"If-None-Match": known} if known else {}
        response = self._ask("GET", "/v1/catalog/promotions", headers=headers)
        if response.status_code == 304:
            return None
        page = _read(PromotionsPage, _good(response))
        return page.model_copy(update={"tag": response.headers.get("ETag", "")})

    def stock(self, after: int, skus: Collection[str] = ()) -> StockPage:
        """A page of the stock, or of that of these products.

        Raises:
            ServiceUnavailable: The service does not answer, or has no catalog.
        """
        params = {"after": after, "sku": sorted(skus)}
        return _read(StockPage, _good(self._ask("GET", "/v1/catalog/stock", params=params)))

    def _ask(self, method: str, path: str, **more: Any) -> Any:
        client = self._client
        import httpx

        try:
            return client.request(method, path, **more)
        except httpx.HTTPError as error:
            raise ServiceUnavailable(f"The shop at {self._address} does not answer: {error}.") from error

    @cached_property
    def _client(self) -> Any:
        parts = urlsplit(self._address)
        if parts.scheme != "https" and (parts.scheme != "http" or parts.hostname not in _THIS_MACHINE):
            raise SettingsError("shop.service must begin with https:// (or http:// and be this machine).")
        try:
            import httpx
        except ImportError as error:
            raise SettingsError("shop.service needs its library. Run: pip install 'voicecart[service]'") from error
        headers: Mapping[str, str] = {"Authorization": f"Bearer {_token(self._token_file)}"}
        return httpx.Client(base_url=self._address, headers=headers, timeout=self._seconds)


def _token(name: str) -> str:
    if not name:
        raise SettingsError(
            "shop.service needs this device's token: name a file that holds it in shop.service_token_file."
        )
    token, *more = read_secrets(name, "shop.service_token_file", "the device's token")
    if more:
        raise SettingsError(f"The file {name} (shop.service_token_file) holds more than a token.")
    return token


def _good(response: Any) -> Any:
    if response.status_code not in (200, 201):
        raise ServiceUnavailable(f"The shop at {response.url.host} answers {response.status_code}.")
    return response


def _read(kind: type[_Answer], response: Any) -> _Answer:
    try:
        return kind.model_validate_json(response.content)
    except ValidationError as error:
        raise ServiceUnavailable(f"What answers at {response.url.host} is no shop.") from error
