"""What is said of a product by way of another: "the brown one" beside white bread, "the small one" of a latte."""

from dataclasses import replace

from assistant.understand.catalog_index import SearchableCatalog
from assistant.understand.item_reading import Reading
from assistant.understand.resolving import Resolved, Resolver
from assistant.understand.understanding import Context, Understanding, Unresolved


class Focus:
    """The line of the cart that was talked of last.

    Args:
        catalog: The products.
        context: What is in the cart; the line in focus is its last.
        resolver: Makes items.
    """

    def __init__(self, catalog: SearchableCatalog, context: Context, resolver: Resolver) -> None:
        self._catalog = catalog
        self._context = context
        self._resolver = resolver

    def options(self, reading: Reading) -> dict[str, str]:
        """The options as the last line of the cart that has them calls them."""
        for sku in (*reversed(self._context.cart), *self._context.choices):
            options = self._catalog.options_of(sku, reading.options) if sku in self._catalog.products else None
            if options:
                return options
        return {}

    def relative(self, resolved: Resolved, readings: tuple[Reading, ...]) -> Resolved:
        """Finds "the brown one": beside white bread it is brown bread, by what the product in focus is."""
        if len(readings) != 1 or not self._context.cart:
            return resolved
        reading = readings[0]
        if not reading.pronoun and not (reading.options and reading.bare):
            return resolved
        focus = self._context.cart[-1]
        if reading.options and self.options(reading):
            return resolved
        words = (*(word for phrase in reading.options for word in phrase), *reading.words)
        skus = self._catalog.akin(words, focus) if words else ()
        if len(skus) == 1:
            plain = replace(reading, options=())
            return replace(resolved, items=(self._resolver.item(skus[0], plain),), unresolved=(), options={})
        if skus:
            tie = Unresolved(" ".join(words), reading.quantity or 1, skus[:3], None, {}, reading.said)
            return replace(resolved, items=(), unresolved=(tie,), options={})
        return resolved

    def settle(self, more: Understanding) -> Understanding:
        """Where several products tie, the one most like what it corrects."""
        if len(more.unresolved) != 1 or more.items or not more.unresolved[0].candidates or not self._context.cart:
            return more
        tie = more.unresolved[0]
        skus = [sku for sku in self._catalog.akin(tie.phrase.split(), self._context.cart[-1]) if sku in tie.candidates]
        if len(skus) != 1:
            return more
        reading = Reading(tie.quantity, tie.quantity_said)
        item = replace(self._resolver.item(skus[0], reading), options=dict(tie.options))
        return replace(more, items=(item,), unresolved=())
