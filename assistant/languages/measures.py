"""Values as a shop writes them, said as people say them: "1.5 l" is "one point five liters"."""

import re

from babel.units import format_unit

from assistant.languages.language import Language

_MEASURE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]+)\s*")
_NUMBER = re.compile(r"\s*\d+(?:\.\d+)?\s*%?\s*")
_UNITS = {
    "g": "mass-gram", "kg": "mass-kilogram", "mg": "mass-milligram",
    "l": "volume-liter", "ml": "volume-milliliter", "cl": "volume-centiliter",
    "m": "length-meter", "cm": "length-centimeter", "mm": "length-millimeter",
    "w": "power-watt", "v": "electric-volt", "kcal": "energy-foodcalorie",
}  # fmt: skip
"""As feeds write them → as CLDR, which knows their names in every language, calls them."""


def say_value(text: str, language: Language) -> str:
    """A value in words; text that is no measure stays as it is."""
    measure = _MEASURE.fullmatch(text)
    if measure and measure[2].lower() in _UNITS:
        number = float(measure[1]) if "." in measure[1] else int(measure[1])
        return language.normalise(format_unit(number, _UNITS[measure[2].lower()], locale=language.code))
    return language.normalise(text) if _NUMBER.fullmatch(text) else text
