"""Prices: what promotions take off, which of them are combined, and that every bill adds up."""

from datetime import UTC, date, datetime, timedelta
from itertools import chain, combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.shop.cart import Cart, CartLine
from assistant.shop.money import Money
from assistant.shop.product import Product, Sale
from assistant.shop.promotions.allocation import half_up, share_out
from assistant.shop.promotions.bill import Bill, ChargeKind
from assistant.shop.promotions.combination import best_combination, conflicts
from assistant.shop.promotions.deals import Article, discounts_of
from assistant.shop.promotions.pricing import Pricing, Standing
from assistant.shop.promotions.rules import (
    AmountOff,
    DealPrice,
    Deposit,
    MultiBuy,
    PercentOff,
    PriceRules,
    Promotion,
    Scope,
    SpendAndSave,
    Taxes,
    TaxRate,
)

NOON = datetime(2026, 11, 11, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def goods(sku: str, minor: int, category: str = "Pantry", **more) -> Product:
    return Product(sku, {"en": sku.lower()}, Money(minor, "USD"), category=category, **more)


SHOP = {
    one.sku: one
    for one in (
        goods("PASTA", 149, "Pantry/Pasta", seller="Larder"),
        goods("SPELT", 249, "Pantry/Pasta", seller="Larder"),
        goods("BEANS", 999, "Coffee", seller="Roastery", brand="Kahawa"),
        goods("FILTERS", 333, "Coffee/Filters", seller="Roastery"),
        goods("COLA", 125, "Drinks", seller="Larder"),
        goods("GIFT", 0, "Other"),
    )
}


def cart(**quantities: int) -> Cart:
    lines = (CartLine(sku, SHOP[sku].names, SHOP[sku].price, count) for sku, count in quantities.items())
    return Cart("USD", tuple(lines))


def deal(name: str, what, **more) -> Promotion:
    return Promotion(name, {"en": name}, what, **more)


def pricing(*promotions: Promotion, at: datetime = NOON, standing: Standing | None = None, **rules) -> Pricing:
    return Pricing(PriceRules("USD", promotions, **rules), at, standing or Standing())


def bill(of: Cart, *promotions: Promotion, **more) -> Bill:
    return pricing(*promotions, **more).bill(of, SHOP)


# Kinds of promotions, to the cent.


def test_without_rules_a_cart_costs_what_its_lines_cost():
    assert Pricing().bill(cart(PASTA=3), SHOP) == Bill("USD", cart(PASTA=3).lines)
    assert Pricing().bill(cart(PASTA=3), SHOP).total == Money(447, "USD")


@pytest.mark.parametrize(
    ("what", "of", "total"),
    [
        (PercentOff(2000), {"BEANS": 1}, 799),  # 199.8 off, rounded to 200
        (PercentOff(5000), {"PASTA": 1}, 74),  # 74.5 off: the half goes to the buyer
        (PercentOff(10000), {"PASTA": 2}, 0),
        (AmountOff(50), {"PASTA": 3}, 297),
        (AmountOff(500), {"PASTA": 1, "BEANS": 1}, 499),  # never below nothing
        (DealPrice(99), {"PASTA": 2}, 198),
        (DealPrice(200), {"PASTA": 1}, 149),  # a deal that is dearer is none
        (MultiBuy(3, 2), {"PASTA": 3}, 298),
        (MultiBuy(3, 2), {"PASTA": 2}, 298),
        (MultiBuy(3, 2), {"PASTA": 7}, 5 * 149),
        (MultiBuy(3, 2), {"PASTA": 2, "BEANS": 1}, 149 + 999),  # mixed: the cheapest is free
        (MultiBuy(3, 1), {"PASTA": 5}, 3 * 149),
        (MultiBuy(2, 1), {"PASTA": 2, "BEANS": 2}, 149 + 999),  # the dearest make the first group
        (SpendAndSave(1000, 200), {"BEANS": 1}, 999),
        (SpendAndSave(1000, 200), {"BEANS": 1, "PASTA": 1}, 948),
        (SpendAndSave(500, 100), {"BEANS": 2}, 1898),
        (SpendAndSave(500, 100, repeats=True), {"BEANS": 2}, 1698),
    ],
)
def test_each_kind_takes_off_exactly_this(what, of, total):
    assert bill(cart(**of), deal("it", what)).total == Money(total, "USD")


def test_the_discount_of_a_multi_buy_is_shared_out_by_what_the_lines_cost():
    found = bill(cart(PASTA=2, BEANS=1), deal("three for two", MultiBuy(3, 2)))
    assert [charge.amount.minor for charge in found.charges] == [-34, -115]
    assert found.net(0) == Money(298 - 34, "USD")


def test_options_that_cost_more_are_paid_on_top_of_a_deal_price():
    line = CartLine("PASTA", SHOP["PASTA"].names, Money(199, "USD"), 2, {"size": "large"})
    assert bill(Cart("USD", (line,)), deal("it", DealPrice(100))).total == Money(300, "USD")


def test_the_feed_s_own_sale_is_a_deal_for_as_long_as_it_lasts():
    sale = Sale(Money(99, "USD"), NOON - HOUR, NOON + HOUR)
    products = {"TEA": goods("TEA", 149, sale=sale)}
    of = Cart("USD", (CartLine("TEA", {"en": "tea"}, Money(149, "USD"), 2),))
    for rules in (PriceRules(), PriceRules("USD"), PriceRules("EUR")):
        assert Pricing(rules, NOON).bill(of, products).total == Money(198, "USD")
        assert Pricing(rules, NOON + HOUR).bill(of, products).total == Money(298, "USD")
    assert Pricing(PriceRules(), NOON).price_of(products["TEA"]) == Money(99, "USD")


def test_rules_in_another_currency_do_not_count():
    rules = PriceRules("EUR", (deal("it", PercentOff(5000)),), (Deposit({"en": "deposit"}, 25, Scope()),))
    assert Pricing(rules, NOON).bill(cart(PASTA=1), SHOP).charges == ()


# What a promotion is about, and for whom.


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        (Scope(), {"PASTA", "SPELT", "BEANS", "FILTERS", "COLA", "GIFT"}),
        (Scope(skus=frozenset({"PASTA"})), {"PASTA"}),
        (Scope(categories=frozenset({"coffee"})), {"BEANS", "FILTERS"}),
        (Scope(categories=frozenset({"Coff"})), set()),
        (Scope(categories=frozenset({"Pantry/Pasta", "Drinks"})), {"PASTA", "SPELT", "COLA"}),
        (Scope(brands=frozenset({"kahawa"})), {"BEANS"}),
        (Scope(sellers=frozenset({"Roastery"})), {"BEANS", "FILTERS"}),
        (Scope(sellers=frozenset({"Larder"}), categories=frozenset({"Drinks"})), {"COLA"}),
    ],
)
def test_a_scope_covers_what_fits_everything_that_is_given(scope, covered):
    assert {sku for sku, one in SHOP.items() if scope.covers(one)} == covered


def test_a_deal_counts_from_its_beginning_until_just_before_its_end():
    timed = deal("happy hour", PercentOff(5000), begins=NOON, ends=NOON + HOUR)
    just_before = timedelta(microseconds=1)
    for at, total in ((NOON - just_before, 149), (NOON, 74), (NOON + HOUR - just_before, 74), (NOON + HOUR, 149)):
        assert bill(cart(PASTA=1), timed, at=at).total == Money(total, "USD")


def test_member_prices_are_for_members_and_coupons_for_who_names_them_as_often_as_allowed():
    member = deal("member price", DealPrice(99), programme="club")
    assert bill(cart(PASTA=1), member).savings == Money(0, "USD")
    assert bill(cart(PASTA=1), member, standing=Standing(frozenset({"club"}))).total == Money(99, "USD")
    coupon = deal("ten off", PercentOff(1000), coupon="harvest", uses=2)
    named = Standing(coupons=frozenset({"ten off"}))
    assert bill(cart(BEANS=1), coupon).savings == Money(0, "USD")
    assert bill(cart(BEANS=1), coupon, standing=named).total == Money(899, "USD")
    used_up = Standing(coupons=frozenset({"ten off"}), used={"ten off": 2})
    assert bill(cart(BEANS=1), coupon, standing=used_up).savings == Money(0, "USD")


# Which are combined.


def test_a_line_takes_part_in_the_better_of_two_deals_and_in_what_stacks():
    small, large = deal("small", PercentOff(1000)), deal("large", PercentOff(3000))
    assert bill(cart(BEANS=1), small, large).total == Money(699, "USD")
    on_top = deal("on top", PercentOff(1000), stacks=True)
    assert bill(cart(BEANS=1), small, large, on_top).total == Money(629, "USD")  # 699 less 69.9


def test_what_is_exclusive_or_excluded_is_not_combined_and_the_better_side_wins():
    everything = deal("everything", PercentOff(1000), exclusive=True)
    beans = deal("beans", PercentOff(2000), scope=Scope(skus=frozenset({"BEANS"})))
    assert bill(cart(BEANS=1, PASTA=1), everything, beans).savings == Money(200, "USD")
    assert bill(cart(BEANS=1, PASTA=8), everything, beans).savings == Money(100 + 119, "USD")
    coupon = deal("coupon", AmountOff(150), stacks=True, excludes=frozenset({"beans"}))
    assert bill(cart(BEANS=1), beans, coupon).savings == Money(200, "USD")


def test_a_seller_s_spend_and_save_comes_inside_the_one_across_all_shops():
    seller = deal("roastery", SpendAndSave(1000, 100), scope=Scope(sellers=frozenset({"Roastery"})))
    across = deal("eleven", SpendAndSave(1500, 300))
    found = bill(cart(BEANS=1, FILTERS=1, SPELT=1), seller, across)
    assert found.total == Money(999 + 333 + 249 - 100 - 300, "USD")
    assert [(one.reference, one.amount.minor) for one in found.summary(ChargeKind.DISCOUNT)] == [
        ("roastery", -100),
        ("eleven", -300),
    ]


def test_spend_and_saves_whose_goods_overlap_are_not_combined():
    coffee = deal("coffee", SpendAndSave(300, 50), scope=Scope(categories=frozenset({"Coffee"})))
    some = deal("some", SpendAndSave(300, 60), scope=Scope(skus=frozenset({"BEANS", "PASTA"})))
    assert bill(cart(BEANS=1, FILTERS=1, PASTA=1), coffee, some).savings == Money(60, "USD")
    assert bill(cart(BEANS=1, PASTA=1), coffee, some).savings == Money(110, "USD")  # one holds the other here


def test_a_line_is_left_out_of_a_multi_buy_where_that_saves_more():
    half = deal("half", PercentOff(5000), scope=Scope(skus=frozenset({"BEANS"})))
    mixed = deal("mixed", MultiBuy(2, 1))
    # BEANS at half price, and one of the two others free, beat any pair with BEANS in it.
    assert bill(cart(BEANS=1, PASTA=1, SPELT=1), half, mixed).savings == Money(500 + 149, "USD")


# Properties. Small prices make ties, rounding and caps common.

IDS = ("a", "b", "c", "d", "e")
DEALS = st.one_of(
    st.builds(PercentOff, st.sampled_from([1, 333, 1500, 5000, 10000])),
    st.builds(AmountOff, st.integers(1, 30)),
    st.builds(DealPrice, st.integers(0, 20)),
    st.sampled_from([MultiBuy(2, 1), MultiBuy(3, 2), MultiBuy(3, 1)]),
    st.integers(1, 40).flatmap(
        lambda spend: st.builds(SpendAndSave, st.just(spend), st.integers(1, spend), st.booleans())
    ),
)


@st.composite
def promotion_sets(draw, most: int = 4) -> tuple[Promotion, ...]:
    found = []
    for name in IDS[: draw(st.integers(0, most))]:
        what = draw(DEALS)
        stackable = isinstance(what, PercentOff | AmountOff)
        excludes = draw(st.sets(st.sampled_from(IDS), max_size=1)) if draw(st.booleans()) else set()
        found.append(
            Promotion(
                name,
                {"en": name},
                what,
                Scope(skus=frozenset(draw(st.sets(st.sampled_from("WXYZ"), min_size=1)))),
                stacks=stackable and draw(st.booleans()),
                excludes=frozenset(excludes),
                exclusive=draw(st.integers(0, 9)) == 0,
            )
        )
    return tuple(found)


CARTS = st.lists(
    st.tuples(st.sampled_from("WXYZ"), st.integers(0, 40), st.integers(1, 4)),
    min_size=1,
    max_size=4,
    unique_by=lambda one: one[0],
)


def shop_and_cart(lines) -> tuple[dict[str, Product], Cart]:
    shop = {sku: goods(sku, minor) for sku, minor, _ in lines}
    return shop, Cart("USD", tuple(CartLine(sku, shop[sku].names, shop[sku].price, count) for sku, _, count in lines))


@settings(max_examples=300, deadline=None)
@given(CARTS, promotion_sets())
def test_no_legal_combination_beats_the_chosen_one(lines, promotions):
    articles = [
        Article(minor, count, minor, frozenset(one.id for one in promotions if sku in one.scope.skus))
        for sku, minor, count in lines
    ]
    found = best_combination(articles, promotions)
    assert found.exact
    most = 0
    for together in chain.from_iterable(combinations(promotions, count) for count in range(len(promotions) + 1)):
        if any(conflicts(articles, one, other) for one, other in combinations(together, 2)):
            continue
        on_top = [one for one in together if not one.alone]
        deals = [
            [None, *(one for one in together if one.alone and one.id in article.promotions)] for article in articles
        ]
        for choice in product(*deals):
            most = max(most, sum(one.amount for one in discounts_of(articles, choice, on_top)))
    assert found.saved == most


@settings(max_examples=150, deadline=None)
@given(CARTS, promotion_sets(), st.booleans(), st.integers(0, 2500), st.randoms(use_true_random=False))
def test_every_bill_adds_up_is_never_negative_and_does_not_depend_on_the_order(
    lines, promotions, included, rate, randomness
):
    taxes = Taxes((TaxRate({"en": "low"}, 700, Scope(skus=frozenset("W"))), TaxRate({"en": "tax"}, rate)), included)
    rules = {"taxes": taxes, "deposits": (Deposit({"en": "bottle"}, 25, Scope(skus=frozenset("XY"))),)}
    shop, of = shop_and_cart(lines)
    prices = pricing(*promotions, **rules)
    found = prices.bill(of, shop)
    assert found.subtotal == of.total
    assert found.total == found.subtotal - found.savings + found.deposits + found.tax
    assert found.total.minor >= found.deposits.minor >= 0
    assert found.deposits.minor == sum(25 * line.quantity for line in of.lines if line.sku in "XY")
    for place in range(len(of.lines)):
        assert 0 <= found.net(place).minor <= of.lines[place].total.minor
    for kind in (ChargeKind.TAX, ChargeKind.TAX_INCLUDED):
        for charge in found.summary(kind):
            whole = sum(
                found.net(one.line).minor
                for one in found.charges
                if one.kind is kind and one.reference == charge.reference and one.names == charge.names
            )
            assert 0 <= charge.amount.minor <= whole or kind is ChargeKind.TAX
    shuffled = list(of.lines)
    randomness.shuffle(shuffled)
    other = prices.bill(Cart("USD", tuple(shuffled)), shop)
    assert other.total == found.total

    def by_sku(one: Bill) -> set:
        return {(one.lines[c.line].sku, c.kind, c.reference, c.name("en"), c.amount.minor) for c in one.charges}

    assert by_sku(other) == by_sku(found)
    reversed_rules = PriceRules("USD", tuple(reversed(promotions)), **rules)
    assert Pricing(reversed_rules, NOON).bill(of, shop) == found


@settings(max_examples=100, deadline=None)
@given(CARTS, promotion_sets(), st.integers(-3, 3), st.integers(-3, 3))
def test_a_deal_that_has_not_begun_or_has_ended_never_counts(lines, promotions, begins, ends):
    timed = tuple(
        Promotion(one.id, one.names, one.deal, one.scope, NOON + begins * HOUR, NOON + ends * HOUR, stacks=one.stacks)
        for one in promotions
    )
    shop, of = shop_and_cart(lines)
    found = pricing(*timed).bill(of, shop)
    if not begins <= 0 < ends:
        assert found.charges == ()


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=20))
def test_shares_add_up_and_are_in_proportion(amount, weights):
    if not sum(weights):
        assert share_out(0, weights) == (0,) * len(weights)
        return
    shares = share_out(amount, weights)
    assert sum(shares) == amount
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share * sum(weights) - amount * weight) < sum(weights)
        assert share <= weight or amount > sum(weights)


@given(st.integers(0, 10**9), st.integers(1, 10**6))
def test_half_up_is_the_nearest_integer(numerator, denominator):
    found = half_up(numerator, denominator)
    assert -denominator <= 2 * (found * denominator - numerator) <= denominator
    assert half_up(1, 2) == 1


def test_nothing_cannot_take_a_share():
    with pytest.raises(ValueError, match="shared out"):
        share_out(5, [0, 0])


# Deposits and taxes.


def test_a_deposit_is_paid_for_each_and_never_discounted():
    bottle = Deposit({"en": "bottle deposit"}, 25, Scope(categories=frozenset({"Drinks"})))
    found = bill(cart(COLA=4, PASTA=1), deal("free", PercentOff(10000)), deposits=(bottle,))
    assert (found.total, found.deposits, found.savings) == (Money(100, "USD"), Money(100, "USD"), Money(649, "USD"))


def test_a_tax_is_added_once_for_each_rate_and_its_lines_share_it():
    rates = (TaxRate({"en": "food tax"}, 250, Scope(categories=frozenset({"Pantry"}))), TaxRate({"en": "tax"}, 825))
    found = bill(cart(PASTA=1, SPELT=1, COLA=1, GIFT=1), taxes=Taxes(rates, included=False))
    # 2.5 % of 398 is 9.95, 8.25 % of 125 is 10.3125.
    assert [(c.name("en"), c.amount.minor) for c in found.summary(ChargeKind.TAX)] == [("food tax", 10), ("tax", 10)]
    assert [(c.line, c.amount.minor) for c in found.charges] == [(0, 4), (1, 6), (2, 10)]
    assert found.total == Money(149 + 249 + 125 + 20, "USD")


def test_a_tax_that_is_included_is_told_and_not_added():
    rates = (TaxRate({"en": "VAT"}, 1900),)
    found = bill(cart(PASTA=2), deal("it", AmountOff(49)), taxes=Taxes(rates))
    assert (found.total, found.tax) == (Money(200, "USD"), Money(0, "USD"))
    assert [c.amount.minor for c in found.summary(ChargeKind.TAX_INCLUDED)] == [32]  # 200 * 19 / 119 = 31.93


def test_a_large_cart_is_priced_with_a_bound_and_stays_legal():
    promotions = [deal(f"multi{number}", MultiBuy(3 + number, 2)) for number in range(3)]
    promotions += [deal("stack", PercentOff(500), stacks=True), deal("half", PercentOff(3300))]
    articles = [
        Article(101 + 7 * place, 3, 101 + 7 * place, frozenset(one.id for one in promotions)) for place in range(20)
    ]
    found = best_combination(articles, promotions)
    assert not found.exact
    assert found == best_combination(articles, list(reversed(promotions)))
    assert 0 < found.saved < sum(article.price for article in articles)
    assert goods("NEW", 1, added=date(2026, 11, 1)).added == date(2026, 11, 1)


def test_of_very_many_that_exclude_each_other_the_best_is_taken():
    promotions = [deal(f"only{number:04}", PercentOff(number + 1), exclusive=True) for number in range(1200)]
    found = best_combination([Article(10_000, 1, 10_000, frozenset(one.id for one in promotions))], promotions)
    assert found.exact and [(one.promotion, one.amount) for one in found.discounts] == [("only1199", 1200)]
