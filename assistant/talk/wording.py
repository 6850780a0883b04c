"""Products, carts and orders as values for reply templates."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from assistant.shop.cart import Cart, CartLine
from assistant.shop.money import Money
from assistant.shop.product import Product
from assistant.shop.promotions.bill import Bill, Charge, ChargeKind
from assistant.shop.promotions.pricing import sold_on_sale
from assistant.talk.actions import Amount, Offer, OptionName, SalePrice, Total
from assistant.talk.situation import Knowledge

_MOST_REASONS = 3


def amount_of(line: CartLine, language: str) -> Amount:
    """A line of a cart with all its options, defaults too."""
    return Amount(line.quantity, line.name(language), line.unit, options_of(line.options))


def amounts_of(lines: Iterable[CartLine], language: str, beside: Iterable[Product] = ()) -> tuple[Amount, ...]:
    """Lines of a cart; with the brand where one of ``beside`` has the same name as another of them."""
    names = {one.sku: one.name(language) for one in told_apart_by_name(beside, language)}
    amounts = ((line.sku, amount_of(line, language)) for line in lines)
    return tuple(replace(amount, name=names.get(sku, amount.name)) for sku, amount in amounts)


def options_of(options: Mapping[str, str]) -> tuple[OptionName, ...]:
    """Options by group name → value."""
    return tuple(OptionName(group, value) for group, value in options.items())


def gained(before: Cart, after: Cart, language: str) -> tuple[Amount, ...]:
    """What ``after`` has more than ``before``."""
    quantities = {line.key: line.quantity for line in before.lines}
    more = ((line, line.quantity - quantities.get(line.key, 0)) for line in after.lines)
    return tuple(
        Amount(extra, line.name(language), line.unit, options_of(line.options)) for line, extra in more if extra > 0
    )


def offers(skus: Iterable[str], knowledge: Knowledge, beside: str = "") -> tuple[Offer, ...]:
    """Products with their prices, with the brand where the names alone are the same.

    Args:
        skus: The products.
        knowledge: The shop.
        beside: A name that is said in the same sentence.
    """
    products = [knowledge.products[sku] for sku in skus if sku in knowledge.products]
    names = [product.name(knowledge.language) for product in products]
    return tuple(
        Offer(_with_brand(product, name) if names.count(name) > 1 else name, knowledge.pricing.price_of(product))
        for product, name in zip(products, names, strict=True)
    )


def told_apart_by_name(products: Iterable[Product], language: str) -> tuple[Product, ...]:
    """The products as they are spoken of together: with the brand where the names alone are the same."""
    found = tuple(products)
    names = [product.name(language) for product in found]
    return tuple(
        replace(product, names={language: _with_brand(product, name)}) if names.count(name) > 1 else product
        for product, name in zip(found, names, strict=True)
    )


def _with_brand(product: Product, name: str) -> str:
    return f"{product.brand} {name}" if product.brand and product.brand.casefold() not in name.casefold() else name


def total_of(bill: Bill, language: str) -> Money | Total:
    """A bill's total with the promotions, deposits and taxes in it, when there are any."""
    reasons = tuple(_reason(charge, language) for charge in bill.summary(ChargeKind.DISCOUNT)[:_MOST_REASONS])
    additions = bill.summary(ChargeKind.DEPOSIT, ChargeKind.TAX)
    if not reasons and not additions:
        return bill.total
    return Total(bill.total, reasons, tuple(Offer(one.name(language), one.amount) for one in additions))


def _reason(charge: Charge, language: str) -> str | SalePrice:
    name = charge.name(language)
    return SalePrice(name) if sold_on_sale(charge.reference) else name


def amount_of_product(product: Product, quantity: int, options: Mapping[str, str], language: str) -> Amount:
    """So many of a product, with these options only."""
    return Amount(quantity, product.name(language), product.unit, options_of(options))
