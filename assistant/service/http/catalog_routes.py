"""The catalog and its stock, a page at a time; all households see the same."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from pydantic import StringConstraints
from sqlalchemy import ColumnElement, Connection, select, true

from assistant.errors import CatalogMissing
from assistant.service.http.access import Caller, Shop
from assistant.service.http.answers import documented
from assistant.service.http.bodies import MOST_LINES, PLAIN, ProductsAnswer, PromotionsAnswer, StockAnswer
from assistant.shop.database import reading
from assistant.shop.promotions.price_book import read_rules
from assistant.shop.promotions.rule_entries import RuleDocument
from assistant.shop.schema import catalogs, products

MOST_PRODUCTS = 500
_MOST_STOCK = 10_000

catalog_routes = APIRouter(prefix="/v1/catalog", tags=["catalog"])

After = Annotated[int, Query(ge=-1, le=2**31 - 1, description="The 'next' of the page before; -1 for the first.")]
Skus = Annotated[
    list[Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=PLAIN)]] | None,
    Query(max_length=MOST_LINES, description="Only these products; without any, all."),
]
EntityTag = Annotated[str | None, Header(alias="If-None-Match", max_length=200)]


@catalog_routes.get(
    "/products",
    response_model=ProductsAnswer,
    responses=documented(404) | {304: {"description": "The catalog is still of the revision in If-None-Match."}},
    summary="Products on sale",
)
def list_products(
    device: Caller,
    shop: Shop,
    response: Response,
    after: After = -1,
    limit: Annotated[int, Query(ge=1, le=MOST_PRODUCTS)] = MOST_PRODUCTS,
    sku: Skus = None,
    known: EntityTag = None,
) -> ProductsAnswer | Response:
    """A page of the catalog. The entity tag is the revision's: it changes with the catalog and not with the stock."""
    with reading(shop.engine) as connection:
        revision, currency = _revision(connection)
        tag = f'"{revision}"'
        if _is_known(tag, known):
            return Response(status_code=304, headers={"ETag": tag})
        found = select(products).where(products.c.position > after, _one_of(sku)).order_by(products.c.position)
        rows = connection.execute(found.limit(limit)).all()
    response.headers["ETag"] = tag
    return ProductsAnswer(
        revision=revision,
        currency=currency,
        products=tuple(row.feed_line for row in rows),
        next=rows[-1].position if len(rows) == limit else None,
    )


@catalog_routes.get(
    "/promotions",
    response_model=PromotionsAnswer,
    responses=documented(404) | {304: {"description": "Catalog and promotions are still those of If-None-Match."}},
    summary="Promotions, deposits and taxes",
)
def list_promotions(
    device: Caller, shop: Shop, response: Response, known: EntityTag = None
) -> PromotionsAnswer | Response:
    """The rules of prices. Their entity tag changes with the rules and with the catalog: it stands for both."""
    with reading(shop.engine) as connection:
        catalog, currency = _revision(connection)
        revision, document = read_rules(connection)
    tag = f'"{catalog}.{revision}{shop.membership}"'
    if _is_known(tag, known):
        return Response(status_code=304, headers={"ETag": tag})
    response.headers["ETag"] = tag
    rules = (document or RuleDocument.model_validate({"currency": currency})).for_members(shop.programmes)
    return PromotionsAnswer(catalog=catalog, rules=rules.model_dump(mode="json", exclude_defaults=True))


@catalog_routes.get("/stock", responses=documented(404), summary="What is left")
def list_stock(
    device: Caller,
    shop: Shop,
    after: After = -1,
    limit: Annotated[int, Query(ge=1, le=_MOST_STOCK)] = _MOST_STOCK,
    sku: Skus = None,
) -> StockAnswer:
    """A page of the stock; a product that is not in it is not counted."""
    with reading(shop.engine) as connection:
        revision, _ = _revision(connection)
        found = (
            select(products.c.sku, products.c.position, products.c.stock)
            .where(products.c.position > after, products.c.stock.is_not(None), _one_of(sku))
            .order_by(products.c.position)
            .limit(limit)
        )
        rows = connection.execute(found).all()
    return StockAnswer(
        revision=revision,
        stock={row.sku: row.stock for row in rows},
        next=rows[-1].position if len(rows) == limit else None,
    )


def _one_of(skus: list[str] | None) -> ColumnElement[bool]:
    return products.c.sku.in_(skus) if skus else true()


def _is_known(tag: str, known: str | None) -> bool:
    return known is not None and tag in (one.strip().removeprefix("W/") for one in known.split(","))


def _revision(connection: Connection) -> tuple[int, str]:
    row = connection.execute(
        select(catalogs.c.revision, catalogs.c.currency).where(catalogs.c.name == "in use")
    ).first()
    if row is None:
        raise CatalogMissing("The shop has no catalog yet.")
    return row.revision, row.currency
