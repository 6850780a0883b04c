"""Google Merchant Center's XML feed: RSS 2.0 or Atom with elements of Google's namespace.

It is read as a stream, one item in memory at a time. Document types, entities and external files are refused by
defusedxml, so that a small file cannot grow and nothing but the feed is read.
"""

import xml.sax
from collections.abc import Iterator
from typing import BinaryIO
from xml.sax.handler import ContentHandler, feature_namespaces

from defusedxml import DefusedXmlException
from defusedxml.expatreader import create_parser

from assistant.shop.feed import LONGEST_LINE, Entry, Problem, printable
from assistant.shop.feeds.merchant import MerchantItem, attribute_name, merchant_entries

_GOOGLE = "http://base.google.com/ns/1.0"
_ATOM = "http://www.w3.org/2005/Atom"
_TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"
_NAMESPACES = frozenset({_GOOGLE, _ATOM, "", None})
_ITEMS = frozenset({"item", "entry"})
_PORTION = 1 << 16
_MOST_VALUES = 1000
_DEEPEST = 100


def read_merchant_xml(file: BinaryIO, currency: str) -> Iterator[Entry]:
    """Products, removals (``at:deleted-entry`` of RFC 6721, or ``g:removed``) and problems.

    What comes before a place where the XML is broken is kept; the place is a problem.
    """
    del currency
    return merchant_entries(_items(file))


def _items(file: BinaryIO) -> Iterator[MerchantItem | Problem]:
    handler = _Items()
    parser = create_parser(forbid_dtd=True)
    parser.setFeature(feature_namespaces, True)
    parser.setContentHandler(handler)
    # A parser that is fed piece by piece does not say by itself where it is.
    handler.setDocumentLocator(parser)
    broken: Problem | None = None
    while broken is None:
        portion = file.read(_PORTION)
        try:
            if portion:
                parser.feed(portion)
            else:
                parser.close()
        except DefusedXmlException:
            broken = _broken(parser, "a document type or an entity is not read, for safety; remove it")
        except xml.sax.SAXException as error:
            broken = _broken(parser, f"broken XML: {printable(error.getMessage())}")
        except (ValueError, LookupError) as error:  # An encoding that does not exist, or a nesting without end.
            broken = _broken(parser, f"broken XML: {printable(str(error))}")
        yield from handler.take()
        if not portion:
            break
    if broken:
        yield broken


def _broken(parser: xml.sax.xmlreader.Locator, reason: str) -> Problem:
    return Problem(max(1, parser.getLineNumber() or 1), f"{reason}; nothing after this was read")


class _Items(ContentHandler):
    """Collects items as they end."""

    def __init__(self) -> None:
        super().__init__()
        self._locator: xml.sax.xmlreader.Locator | None = None
        self._path: list[str] = []
        self._found: list[MerchantItem | Problem] = []
        self._line = 0
        self._attributes: dict[str, list[str]] | None = None
        self._inside = 0
        self._text: list[str] = []
        self._detail: dict[str, str] = {}
        self._length = 0

    def take(self) -> list[MerchantItem | Problem]:
        """The items since the last call."""
        found, self._found = self._found, []
        return found

    def setDocumentLocator(self, locator: xml.sax.xmlreader.Locator) -> None:  # noqa: N802 - the library's name
        self._locator = locator

    def startElementNS(  # noqa: N802 - the library's name
        self, name: tuple[str | None, str], qname: str | None, attrs: xml.sax.xmlreader.AttributesNSImpl
    ) -> None:
        namespace, local = name
        self._path.append(local)
        if len(self._path) > _DEEPEST:
            raise ValueError(f"elements stand in each other more than {_DEEPEST} deep")
        self._text = []
        if self._attributes is not None:
            return
        line = (self._locator.getLineNumber() or 1) if self._locator else 1
        if local in _ITEMS and namespace in _NAMESPACES:
            self._line, self._attributes, self._length = line, {}, 0
            self._inside = len(self._path)
        elif namespace == _TOMBSTONES and local == "deleted-entry":
            reference = attrs.get((None, "ref"), "")
            self._found.append(MerchantItem(line, {"id": (str(reference),), "removed": ("true",)}))

    def characters(self, content: str) -> None:
        if self._attributes is not None:
            self._length += len(content)
            if self._length <= LONGEST_LINE:
                self._text.append(content)

    def endElementNS(self, name: tuple[str | None, str], qname: str | None) -> None:  # noqa: N802 - the library's name
        depth = len(self._path)
        self._path.pop()
        if self._attributes is None:
            return
        namespace, local = name
        text = "".join(self._text).strip()
        self._text = []
        if depth == self._inside:
            self._finish(self._attributes)
        elif namespace in _NAMESPACES and depth == self._inside + 1:
            self._add(attribute_name(local), text, namespace == _GOOGLE)
        elif depth == self._inside + 2 and self._path[-1] == "product_detail":
            self._detail[local] = text

    def _add(self, name: str, text: str, google: bool) -> None:
        assert self._attributes is not None
        if name == "product_detail" and self._detail:
            detail, self._detail = self._detail, {}
            names = ("section_name", "attribute_name", "attribute_value")
            text = ":".join(detail.get(name, "") for name in names)
        if not text or len(self._attributes) >= _MOST_VALUES:
            return
        values = self._attributes.setdefault(name, [])
        if len(values) < _MOST_VALUES:
            # Google's own element goes before one of the same name of RSS or Atom.
            values.insert(0 if google and name in ("id", "title", "description") else len(values), text)

    def _finish(self, attributes: dict[str, list[str]]) -> None:
        self._attributes = None
        if self._length > LONGEST_LINE:
            self._found.append(Problem(self._line, f"longer than {LONGEST_LINE} characters"))
        else:
            self._found.append(MerchantItem(self._line, {name: tuple(values) for name, values in attributes.items()}))
