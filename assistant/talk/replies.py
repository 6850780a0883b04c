"""From what is to be said to words: the reply templates of a language, filled in."""

import re
import string
import tomllib
from collections.abc import Mapping
from datetime import date
from importlib import resources
from typing import Any

from babel import Locale
from babel.dates import format_skeleton

from assistant.languages.language import Language
from assistant.languages.measures import say_value
from assistant.shop.money import Money
from assistant.talk.actions import Amount, Described, Offer, OptionName, SalePrice, Say, Spelled, Total

_ANY_ERROR = "error.error"


class Replies:
    """The replies of one language, from its ``replies.toml``.

    A template is text with named values in braces; ``{choices:or}`` joins a list with "or". A template that depends on
    a number is a table: ``by`` names the value, the other keys are CLDR plural categories (``one``, ``other``).

    Args:
        language: Says numbers, money, lists and amounts.
    """

    def __init__(self, language: Language) -> None:
        self._language = language
        self._locale = Locale.parse(language.code)
        file = resources.files("assistant.languages") / language.code / "replies.toml"
        self._templates: Mapping[str, Any] = tomllib.loads(file.read_text("utf-8"))
        self._parts: Mapping[str, Any] = self._templates["parts"]

    def knows(self, template: str) -> bool:
        """Whether there is such a template."""
        return self._find(template) is not None

    def render(self, say: Say) -> str:
        """The reply in words.

        A code without a sentence of its own, of an error that is newer than the language, gets the general one.

        Raises:
            KeyError: No such template, or it names a value that is not given.
        """
        text = self._fill(self._template(say), say.values)
        return text[:1].upper() + text[1:]

    def _template(self, say: Say) -> str:
        group, _, code = say.template.partition(".")
        found = self._find(say.template)
        if found is None and group in ("declined", "error"):
            found = self._find(f"error.{code}") or self._find(_ANY_ERROR)
        if found is None:
            raise KeyError(say.template)
        if isinstance(found, str):
            return found
        return str(found.get(self._locale.plural_form(say.values[found["by"]]), found["other"]))

    def _find(self, template: str) -> Any:
        found: Any = self._templates
        for name in template.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
        return found if isinstance(found, str) or (isinstance(found, Mapping) and "by" in found) else None

    def _fill(self, template: str, values: Mapping[str, Any]) -> str:
        return _Template(self).vformat(template, (), values)

    def speak(self, value: Any, conjunction: str = "and") -> str:
        """One value in words; a tuple is joined as a list."""
        match value:
            case str():
                return value
            case int():
                return self._language.say_number(value)
            case Money():
                return self._language.say_money(value)
            case Spelled(text):
                return self._language.say_digits(text)
            case OptionName():
                return self._option(value)
            case Described(text):
                return say_value(text, self._language)
            case Offer(name, price):
                return self._fill(self._parts["offer"], {"name": name, "price": price})
            case Amount():
                return self._amount(value)
            case Total():
                return self._total(value)
            case SalePrice(name):
                return self._fill(self._parts["sale_price"], {"name": name})
            case date():
                return str(format_skeleton("MMMMd", value, locale=self._locale))
            case tuple():
                return self._language.join([self.speak(one) for one in value], conjunction)
            case _:
                raise TypeError(f"{value!r} cannot be said")

    def _amount(self, amount: Amount) -> str:
        item = self._language.say_amount(amount.quantity, amount.name, amount.unit)
        if not amount.options:
            return item
        options = [self._option(option) for option in amount.options]
        return self._fill(self._parts["with_options"], {"item": item, "options": ", ".join(options)})

    def _total(self, total: Total) -> str:
        text = self.speak(total.amount)
        if total.reasons:
            text = self._fill(self._parts["with_reasons"], {"total": text, "reasons": total.reasons})
        if not total.additions:
            return text
        additions = tuple(
            self._fill(self._parts["addition"], {"name": one.name, "amount": one.price}) for one in total.additions
        )
        return self._fill(self._parts["with_additions"], {"total": text, "additions": additions})

    def _option(self, option: OptionName) -> str:
        group, value = _in_words(option.group), option.value
        if value.casefold() in self._parts["none_values"]:
            template = self._parts["no_option"]
        elif set(group.split()) & set(self._parts["silent_groups"]) or group in value.casefold():
            template = self._parts["option_alone"]
        else:
            template = self._parts["option"]
        return self._fill(template, {"value": value, "group": group})


def _in_words(group: str) -> str:
    """A group's name as people write it: ``"milkAmount"`` and ``"milk_amount"`` are a milk amount."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", group).replace("_", " ").casefold()


class _Template(string.Formatter):
    """Fills in a template, each value in words."""

    def __init__(self, replies: Replies) -> None:
        self._replies = replies

    def format_field(self, value: Any, format_spec: str) -> str:
        return self._replies.speak(value, format_spec or "and")
