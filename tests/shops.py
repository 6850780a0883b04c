"""Small shops for tests of understanding: their products, and catalogs of them that need no lexicon."""

from collections.abc import Mapping

from assistant.hear.lexicon import Lexicon
from assistant.languages.language import load_language
from assistant.models import find_model
from assistant.shop.money import Money
from assistant.shop.product import Option, OptionValue, Product
from assistant.understand.catalog_index import SearchableCatalog

LANGUAGE = load_language("en")
LEXICON = Lexicon(find_model(LANGUAGE.lexicon))


def option(name: str, *values: str, aliases: Mapping[str, tuple[str, ...]] | None = None, **more: object) -> Option:
    return Option(name, tuple(OptionValue(value, (aliases or {}).get(value, ())) for value in values), **more)  # type: ignore[arg-type]


def product(sku: str, name: str, cents: int = 300, **more: object) -> Product:
    aliases = more.pop("aliases", ())
    return Product(sku, {"en": name}, Money(cents, "USD"), aliases={"en": tuple(aliases)} if aliases else {}, **more)  # type: ignore[arg-type, call-overload]


HOUSEHOLD = (
    product("oat", "oat milk", 320, unit="carton", brand="Meadow Lane", aliases=["oat drink"], category="Milk"),
    product("soy", "soy milk", 280, unit="carton", aliases=["soya milk"], category="Milk"),
    product("whole", "whole milk", 190, unit="carton", category="Milk"),
    product("brown", "brown bread", 220, unit="loaf", category="Bread"),
    product("white", "white bread", 200, unit="loaf", category="Bread"),
    product("hummus", "classic hummus", 250, unit="tub"),
    product("cola", "cola", 120, unit="can", brand="Fizzwell"),
    product("bananas", "bananas", 150, unit="bunch"),
    product("berries", "cherries", 350, unit="box"),
    product("rice", "jasmine rice", 400, unit="bag", attributes={"weight": "500 g"}),
    product("rice2", "basmati rice", 450, unit="bag", attributes={"weight": "1 kg"}),
    product("loaves", "loaf tin", 900, unit="piece"),
    product("ketchup", "tomato ketchup", 230, unit="bottle", aliases=["ketchup"]),
    product("paste", "toothpaste", 260, unit="tube", options=(option("flavor", "mint", "mild mint", "cinnamon"),)),
    product(
        "shirt",
        "t-shirt",
        1500,
        aliases=["tee"],
        options=(
            option("size", "small", "medium", "large", required=True, aliases={"large": ("big",)}),
            option("color", "red", "blue", "brown", default="red"),
        ),
    ),
    product("mug", "mug", 700, options=(option("color", "red", "blue", "brown"),)),
)

_COFFEE = (
    option("size", "small", "medium", "large", "twelve ounce", "twenty ounce"),
    option("roast", "light roast", "medium roast", "dark roast"),
    option("shots", "single shot", "double shot"),
    option(
        "milkAmount",
        "milk",
        "some milk",
        "a lot of milk",
        "lots of milk",
        "soy milk",
        "a bit of soy milk",
        "almond milk",
        "cream",
    ),
    option("sugarAmount", "sugar", "some sugar", "a little bit of sugar", "brown sugar", "lots of sweetener"),
)
COFFEE = tuple(
    product(name.replace(" ", "-"), name, 300 + number, options=_COFFEE)
    for number, name in enumerate(
        ["coffee", "house coffee", "iced coffee", "latte", "iced latte", "mocha", "americano", "espresso"]
    )
)

_SIZE = option("size", "small", "medium", "large", default="medium", aliases={"large": ("big",)})
RESTAURANT = (
    *(
        product(
            name.split()[0],
            f"{name} pizza",
            900,
            options=(
                _SIZE,
                option("crust", "thin crust", "deep dish"),
                option("extra topping", "mushrooms", "olives", "extra cheese"),
            ),
        )
        for name in ("Margherita", "Pepperoni", "Hawaiian")
    ),
    product("coke", "Coca-Cola", 200, aliases=["coke"], options=(option("ice", "no ice", "extra ice", "light ice"),)),
    product(
        "tea",
        "Brown Sugar Milk Tea",
        500,
        aliases=["milk tea"],
        options=(
            option("sweetness", "no sugar", "half sweet"),
            option("milk", "whole", "oat", "none", default="whole"),
        ),
    ),
    product(
        "burger",
        "Cheeseburger",
        800,
        options=(
            option("doneness", "medium rare", "medium", "well done"),
            option("pickles", "yes", "no", default="yes"),
            option("sauce", "ketchup", "mayo"),
        ),
    ),
    product(
        "ice",
        "ice cream",
        400,
        options=(
            option("scoops", "1", "2", "3"),
            option("flavor", "vanilla", "chocolate"),
            option("container", "cup", "cone"),
        ),
    ),
    product(
        "wings", "Buffalo wings", 700, options=(option("count", "6 piece", "12 piece"), option("heat", "mild", "hot"))
    ),
)


def catalog(products: tuple[Product, ...]) -> SearchableCatalog:
    return SearchableCatalog(products, LANGUAGE, LEXICON.pronounce)
