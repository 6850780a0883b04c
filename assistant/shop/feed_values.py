"""The kinds of value that a line of the native feed holds, each cleaned and checked."""

import re
import unicodedata
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, StrictStr

from assistant.shop.money import CURRENCIES

NO_LANGUAGE = "und"
"""Language key (BCP 47 "undetermined") of text whose language the feed does not say."""

_AMOUNT = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,6})?")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_JOINERS = "\u200c\u200d"


def _clean(text: str) -> str:
    """NFC, one blank between words; control characters, escapes and invisible formatting are refused."""
    text = " ".join(unicodedata.normalize("NFC", text).split())
    for character in () if text.isprintable() else text:
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn") and character not in _JOINERS:
            raise ValueError(f"holds the unprintable character U+{ord(character):04X}")
    return text


def _filled(text: str) -> str:
    if not text:
        raise ValueError("is empty")
    return text


def _language(key: str) -> str:
    if not _LANGUAGE.fullmatch(key):
        raise ValueError(f"{key!a} is not a language code")
    return key


def _amount(text: str) -> str:
    if not _AMOUNT.fullmatch(text):
        raise ValueError(f"{text!a} is not a decimal amount such as '3.99'")
    return text


def _not_negative(amount: str) -> str:
    if amount.startswith("-"):
        raise ValueError(f"{amount} is negative")
    return amount


def currency_code(code: str) -> str:
    """The code itself; raises ``ValueError`` when no currency has it."""
    if code not in CURRENCIES:
        raise ValueError(f"{code!a} is not a currency code such as 'USD'")
    return code


def _unlabelled(value: Any) -> Any:
    """Text or a list that names no language, filed under ``NO_LANGUAGE``."""
    return {NO_LANGUAGE: value} if isinstance(value, str | list) else value


def as_object(value: Any) -> Any:
    """An option value given as plain text."""
    return {"value": value} if isinstance(value, str) else value


def _fact(value: Any) -> Any:
    """An attribute as text; numbers and booleans as JSON writes them."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
    return value


CleanText = Annotated[StrictStr, AfterValidator(_clean)]
FilledText = Annotated[StrictStr, AfterValidator(_clean), AfterValidator(_filled)]
SpokenName = Annotated[FilledText, Field(max_length=200)]
ShortText = Annotated[FilledText, Field(max_length=100)]
LanguageCode = Annotated[StrictStr, AfterValidator(_language)]
NamesByLanguage = Annotated[dict[LanguageCode, SpokenName], Field(min_length=1), BeforeValidator(_unlabelled)]
SpokenNames = Annotated[tuple[SpokenName, ...], Field(max_length=50)]
AliasesByLanguage = Annotated[dict[LanguageCode, SpokenNames], BeforeValidator(_unlabelled)]
SignedAmount = Annotated[StrictStr, AfterValidator(_amount)]
Amount = Annotated[SignedAmount, AfterValidator(_not_negative)]
Description = Annotated[CleanText, Field(max_length=10_000)]
StockCount = Annotated[StrictInt, Field(ge=0, le=10**9)]
Fact = Annotated[CleanText, Field(max_length=4000), BeforeValidator(_fact)]
