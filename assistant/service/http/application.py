"""The service as an ASGI application, with the OpenAPI description that is made from its routes."""

from fastapi import APIRouter, FastAPI
from sqlalchemy import select

from assistant import __version__
from assistant.service.http.access import FailureLimit, Shop
from assistant.service.http.address_routes import address_routes
from assistant.service.http.answers import answer_errors, documented
from assistant.service.http.bodies import HealthAnswer
from assistant.service.http.carrier_routes import carrier_routes
from assistant.service.http.catalog_routes import catalog_routes
from assistant.service.http.limits import LimitedBody, LoggedRequests
from assistant.service.http.order_routes import order_routes, quote_routes
from assistant.service.http.served_shop import ServedShop
from assistant.service.signature import SignedMessages
from assistant.shop.database import reading
from assistant.shop.schema import schema_version

_health_routes = APIRouter(tags=["health"])


@_health_routes.get("/v1/health", responses={503: documented()[503]}, summary="Is the service well?")
def health(shop: Shop) -> HealthAnswer:
    """Whether the database can be read. Needs no token."""
    with reading(shop.engine) as connection:
        connection.execute(select(schema_version.c.version)).first()
    return HealthAnswer(status="ok", version=__version__)


def create_application(shop: ServedShop | None = None, carriers: SignedMessages | None = None) -> FastAPI:
    """The application.

    Args:
        shop: What it serves; without one it can only be described.
        carriers: Who may tell what becomes of parcels; None is nobody.
    """
    application = FastAPI(
        title="Voicecart",
        version=__version__,
        summary="One shop for many speakers: catalog, stock, orders and addresses of one household each.",
        docs_url=None,
        redoc_url=None,
    )
    for routes in (_health_routes, catalog_routes, quote_routes, order_routes, address_routes, carrier_routes):
        application.router.routes.extend(routes.routes)
    answer_errors(application)
    application.add_middleware(LimitedBody)
    application.add_middleware(LoggedRequests)
    application.state.shop = shop
    application.state.carriers = carriers
    application.state.failures = FailureLimit()
    return application
