"""Texts of other shops' feeds as plain text: no markup, no control characters, no more than is kept."""

import unicodedata
from html.parser import HTMLParser

LONGEST_DESCRIPTION = 5000
"""Characters of a description that are kept (what Google Merchant Center takes)."""
_MOST_READ = 200_000
"""Characters that are looked at: markup is seldom forty times as long as its text."""
_SILENT = frozenset({"script", "style", "template", "head"})
_BREAKING = frozenset(
    {"br", "p", "div", "li", "ul", "ol", "tr", "td", "th", "h1", "h2", "h3", "h4", "h5", "h6", "table"}
)
_LONGEST_CATEGORY = 200
_JOINERS = "\u200c\u200d"


def plain_text(text: str, longest: int | None = None) -> str:
    """One line of plain text.

    Args:
        text: May hold HTML, character references, control and formatting characters.
        longest: Characters that are kept; it is cut after a word.
    """
    text = text[:_MOST_READ]
    if "<" in text or "&" in text:
        text = _without_markup(text)
    kept = "".join(_visible(character) for character in unicodedata.normalize("NFC", text))
    line = " ".join(kept.split())
    if longest is None or len(line) <= longest:
        return line
    cut = line[: longest - 1]
    return (cut[: cut.rfind(" ")] if " " in cut[longest // 2 :] else cut).rstrip() + "…"


def category_path(text: str) -> str:
    """A category as the native feed has it, a stroke between its levels; other shops write ``Drinks > Tea``.

    By the stroke a promotion, a deposit or a tax on a category covers what is below it.

    Args:
        text: Plain text.
    """
    levels = (level.strip() for level in text.split(">"))
    return "/".join(level for level in levels if level)[:_LONGEST_CATEGORY]


def _visible(character: str) -> str:
    match unicodedata.category(character):
        case "Cc":
            return " "
        case "Cf" | "Cs" | "Co" | "Cn":
            return character if character in _JOINERS else ""
    return character


def _without_markup(text: str) -> str:
    reader = _TextOfMarkup()
    reader.feed(text)
    reader.close()
    return "".join(reader.parts)


class _TextOfMarkup(HTMLParser):
    """Collects what a reader of the page would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag in _BREAKING:
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in _BREAKING:
            self.parts.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)
