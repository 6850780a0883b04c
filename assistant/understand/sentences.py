"""Sentences about products: what each kind of pattern means once its slots are understood."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from assistant.languages.pattern import Phrase
from assistant.settings import Understand
from assistant.understand.catalog_index import SearchableCatalog
from assistant.understand.comparisons import comparison_kinds
from assistant.understand.focus import Focus
from assistant.understand.intent_patterns import PatternMatch, patterns_of
from assistant.understand.item_reading import Reading, read_items
from assistant.understand.questions import question_kinds
from assistant.understand.resolving import Resolved, Resolver
from assistant.understand.understanding import Context, Expecting, Intent, Understanding

_ADDITIONS = (Intent.ORDER, Intent.ADD_TO_CART)
_ORDER_DIGITS = 12


class Sentences:
    """Understands sentences with products in them.

    Args:
        catalog: The products.
        context: What was asked, and what is in the cart.
        settings: How sure a product must be.
    """

    def __init__(self, catalog: SearchableCatalog, context: Context, settings: Understand) -> None:
        self._catalog = catalog
        self._language = catalog.language
        self._context = context
        self._settings = settings
        self._resolver = Resolver(catalog, settings)
        self._focus = Focus(catalog, context, self._resolver)
        self._kinds: Mapping[str, Callable[[str, PatternMatch], Understanding | None]] = {
            "order": self._order,
            "add_to_cart": self._order,
            "list_add": self._list,
            "list_remove": self._list,
            "return_order": self._list,
            "offers": self._list,
            "stock_alert": self._list,
            "coupon": lambda text, match: Understanding(text, Intent.COUPON, coupon=" ".join(match["coupon"])),
            "deliver": lambda text, match: Understanding(text, Intent.DELIVER, place=" ".join(match["place"])),
            "buy_again": self._buy_again,
            "order_of": lambda text, match: self._promising(text, match, Intent.ORDER_STATUS),
            "runs_out": lambda text, match: self._promising(text, match, Intent.RUNNING_LOW),
            "remove": self._remove,
            "change": self._change,
            "change_named": self._change_named,
            "change_to": self._change_to,
            "more": self._more,
            "fewer": self._fewer,
            "price": self._ask,
            "stock": self._ask,
            **comparison_kinds(self._language, self._is_option),
            **question_kinds(self._language, lambda words: self._resolver.resolve(self._read(words))),
        }

    def understand(self, text: str, match: PatternMatch) -> Understanding | None:
        """What the sentence means if it is of this pattern, or None when its words do not fit the slots."""
        if match["order"]:
            number = self._order_number(match["order"])
            return Understanding(text, Intent(match.intent), order=number) if number else None
        kind = self._kinds.get(match.intent)
        return kind(text, match) if kind else None

    def bare(self, text: str, tokens: Phrase) -> Understanding | None:
        """Products, a quantity or options without any carrier phrase."""
        readings = self._read(tokens)
        resolved = self._resolver.resolve(readings)
        if resolved.empty:
            return self._unnamed(text, resolved, readings)
        wanted = self._focus.relative(resolved, readings)
        if wanted is not resolved:
            # "The brown one" is meant in place of what was just ordered.
            return Understanding(text, Intent.CHANGE_OPTION, wanted.items, wanted.unresolved)
        if not wanted.items and not any(one.candidates for one in wanted.unresolved):
            # Talk that is not for the shop has words in it that a product happens to resemble.
            known = sum(len(reading.words) + len(reading.options) for reading in readings) - resolved.unknown
            if not known and not self._near(wanted):
                return None
        return Understanding(text, Intent.ORDER, wanted.items, wanted.unresolved)

    def not_this(self, text: str, tokens: Phrase) -> Understanding | None:
        """Understands "not the white one, the brown one": the first is denied, what comes after it is meant."""
        starts = self._language.data["answers"]["corrections"]["but_this"]
        for place in range(1, len(tokens)):
            if tokens[place] in starts:
                meant = self.bare(text, patterns_of(self._language).strip(tokens[place:]))
                if meant is not None:
                    return self.after_no(text, meant)
        readings = self._read(tokens)
        resolved = self._resolver.resolve(readings)
        if resolved.items and resolved.items[0].sku in self._context.cart:
            return Understanding(text, Intent.REMOVE, resolved.items[:1])
        return Understanding(text, Intent.DENY)

    def after_yes(self, text: str, more: Understanding | None) -> Understanding:
        """A yes and more: never a plain yes, because something else was said too."""
        if self._context.expecting is Expecting.COMMAND and more is not None:
            return more
        if more is None or more.intent is Intent.DENY:
            return Understanding(text, Intent.UNKNOWN)
        if more.intent in (*_ADDITIONS, Intent.CHANGE_QUANTITY, Intent.CHANGE_OPTION) and _says_something(more):
            return replace(more, intent=Intent.CONFIRM) if more.intent in _ADDITIONS or not more.items else more
        return more

    def after_no(self, text: str, more: Understanding | None) -> Understanding:
        """A no and more: a correction."""
        if more is None or more.intent is Intent.UNKNOWN:
            return Understanding(text, Intent.DENY)
        if more.intent is Intent.CONFIRM:
            return Understanding(text, Intent.UNKNOWN)
        if more.intent is Intent.CHANGE_OPTION and (more.items or more.unresolved):
            return replace(more, intent=Intent.DENY)
        if more.intent is not Intent.ORDER:
            return more
        more = self._focus.settle(more)
        if more.items and all(item.sku in self._context.cart and item.quantity_said for item in more.items):
            return replace(more, intent=Intent.CHANGE_QUANTITY)
        if self._context.cart or self._context.expecting is not Expecting.COMMAND:
            return replace(more, intent=Intent.DENY)
        return more

    # Kinds of sentences.

    def _order(self, text: str, match: PatternMatch) -> Understanding | None:
        readings = self._read(match["items"])
        resolved = self._resolver.resolve(readings)
        if resolved.empty:
            return self._unnamed(text, resolved, readings)
        wanted = self._focus.relative(resolved, readings)
        return Understanding(text, Intent(match.intent), wanted.items, wanted.unresolved)

    def _list(self, text: str, match: PatternMatch) -> Understanding | None:
        return self._named(text, match, Intent(match.intent))

    def _buy_again(self, text: str, match: PatternMatch) -> Understanding | None:
        return self._named(text, match, Intent.REORDER)

    def _promising(self, text: str, match: PatternMatch, intent: Intent) -> Understanding | None:
        """As ``_named``, but None also where the words are no product's: "where is the bathroom"."""
        resolved = self._resolver.resolve(self._read(match["items"]))
        tied = any(one.candidates for one in resolved.unresolved) and not resolved.unknown
        return self._named(text, match, intent) if resolved.items or tied else None

    def _named(self, text: str, match: PatternMatch, intent: Intent) -> Understanding | None:
        """Products that something is done with; None when the words name none."""
        resolved = self._resolver.resolve(self._read(match["items"]))
        return None if resolved.empty else Understanding(text, intent, resolved.items, resolved.unresolved)

    def _ask(self, text: str, match: PatternMatch) -> Understanding | None:
        readings = self._read(match["items"])
        resolved = self._focus.relative(self._resolver.resolve(readings), readings)
        if resolved.empty:
            return None
        return Understanding(text, Intent(match.intent), resolved.items, resolved.unresolved, options=resolved.options)

    def _remove(self, text: str, match: PatternMatch) -> Understanding | None:
        readings = tuple(replace(reading, said=reading.quantity is not None) for reading in self._read(match["items"]))
        resolved = self._resolver.resolve(readings)
        if resolved.empty:
            if resolved.pronoun or resolved.quantity is not None:
                return Understanding(text, Intent.REMOVE, quantity=resolved.quantity)
            return None
        if (
            not resolved.promising
            and match.pattern[0] in self._language.data["commands"]["intents"]["cancel"]["beginnings"]
        ):
            return None
        return Understanding(text, Intent.REMOVE, resolved.items, resolved.unresolved)

    def _change(self, text: str, match: PatternMatch) -> Understanding | None:
        readings = self._read(match["items"])
        resolved = self._resolver.resolve(readings)
        if resolved.empty:
            return self._unnamed(text, resolved, readings)
        wanted = self._focus.relative(resolved, readings)
        if not wanted.promising:
            return None
        known = [item for item in wanted.items if item.sku in self._context.cart]
        if not known and not self._context.cart and self._context.expecting is Expecting.COMMAND:
            return Understanding(text, Intent.ORDER, wanted.items, wanted.unresolved)
        said = all(item.quantity_said and not item.options for item in wanted.items) and known
        intent = Intent.CHANGE_QUANTITY if said else Intent.CHANGE_OPTION
        return Understanding(text, intent, wanted.items, wanted.unresolved)

    def _change_named(self, text: str, match: PatternMatch) -> Understanding | None:
        """Understands "make the latte large": other options of what is in the cart."""
        resolved = self._resolver.resolve(self._read(match["items"]))
        known = resolved.items and all(item.sku in self._context.cart and item.options for item in resolved.items)
        if not known or resolved.unresolved:
            return None
        return Understanding(text, Intent.CHANGE_OPTION, resolved.items)

    def _change_to(self, text: str, match: PatternMatch) -> Understanding | None:
        before, after = match.all("items")
        if match.pattern[1:2] == ("instead",) or match.pattern[0] == "{items}":
            before, after = after, before
        old, readings = self._resolver.resolve(self._read(before)), self._read(after)
        if len(old.items) != 1 or not readings:
            return None
        new = self._resolver.resolve(readings)
        item = old.items[0]
        if not new.empty:
            return Understanding(text, Intent.DENY, new.items, new.unresolved)
        if new.quantity is not None:
            changed = replace(item, quantity=new.quantity, quantity_said=True)
            return Understanding(text, Intent.CHANGE_QUANTITY, (changed,))
        options = self._catalog.options_of(item.sku, readings[0].options) or new.options
        if not options:
            return None
        return Understanding(text, Intent.CHANGE_OPTION, (replace(item, options={**item.options, **options}),))

    def _more(self, text: str, match: PatternMatch) -> Understanding | None:
        count = self._language.numbers.read_whole(match["number"]) if match["number"] else 1
        return self._by(text, match, count)

    def _fewer(self, text: str, match: PatternMatch) -> Understanding | None:
        count = self._language.numbers.read_whole(match["number"]) if match["number"] else 1
        return self._by(text, match, None if count is None else -count)

    def _by(self, text: str, match: PatternMatch, delta: int | None) -> Understanding | None:
        if not delta:
            return None
        if not match["items"]:
            return Understanding(text, Intent.CHANGE_QUANTITY, quantity_delta=delta)
        resolved = self._resolver.resolve(self._read(match["items"]))
        if resolved.empty:
            return None
        held = [item for item in resolved.items if item.sku in self._context.cart]
        if held or delta < 0:
            return Understanding(
                text, Intent.CHANGE_QUANTITY, resolved.items, resolved.unresolved, quantity_delta=delta
            )
        items = tuple(replace(item, quantity=delta, quantity_said=True) for item in resolved.items)
        unresolved = tuple(replace(one, quantity=delta, quantity_said=True) for one in resolved.unresolved)
        return Understanding(text, Intent.ADD_TO_CART, items, unresolved)

    # What slots hold.

    def _is_option(self, words: Phrase) -> bool:
        return bool(self._focus.options(Reading(options=(words,))))

    def _read(self, tokens: Phrase) -> tuple[Reading, ...]:
        return read_items(patterns_of(self._language).strip(tokens), self._catalog)

    def _order_number(self, tokens: Phrase) -> str | None:
        digits = self._language.digits_of(" ".join(tokens))
        if digits is None:
            number = self._language.numbers.read_whole(tokens)
            digits = None if number is None else str(number)
        return digits if digits and len(digits) <= _ORDER_DIGITS else None

    def _unnamed(self, text: str, resolved: Resolved, readings: tuple[Reading, ...]) -> Understanding | None:
        """A quantity or options of what was named before; None when there are neither."""
        if not resolved.empty or len(readings) != 1:
            return None
        reading = readings[0]
        if reading.options:
            relative = self._focus.relative(resolved, readings)
            if not relative.empty:
                return Understanding(text, Intent.CHANGE_OPTION, relative.items, relative.unresolved)
            options = self._focus.options(reading) or resolved.options
            if not options:
                return None
            return Understanding(text, Intent.CHANGE_OPTION, options=options, quantity=resolved.quantity)
        if resolved.quantity is not None:
            return Understanding(text, Intent.CHANGE_QUANTITY, quantity=resolved.quantity)
        if reading.measure is None and reading.quantity and reading.unit:
            return Understanding(text, Intent.CHANGE_QUANTITY, quantity=reading.quantity * reading.pack)
        return None

    def _near(self, resolved: Resolved) -> bool:
        return any(
            unresolved.suggestion
            and self._catalog.search(unresolved.phrase.split())[0].score >= self._settings.score_minimum
            for unresolved in resolved.unresolved
        )


def _says_something(understanding: Understanding) -> bool:
    found = understanding
    return bool(found.items or found.unresolved or found.options or found.quantity is not None or found.quantity_delta)
