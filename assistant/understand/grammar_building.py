"""The grammars of the dialogue's states, from the language's data and the catalog.

One tight regular grammar for every state: the sentences that make sense there, each with a cost, beside a costly branch
of general words and unknown sounds for everything else. The parser reads the same data, so that what can be heard can
be understood.
"""

from collections.abc import Iterable, Mapping, Sequence

from assistant.languages.fact_words import fact_words_of
from assistant.languages.language import Language
from assistant.languages.pattern import Phrase, expand, expand_all, is_slot
from assistant.shop.product import Product
from assistant.understand.answers import answers_of
from assistant.understand.catalog_words import CatalogWords
from assistant.understand.comparisons import COMPARISONS
from assistant.understand.grammar import Alternatives, Expression, Filler, Grammar, Reference, Repeat, Words, needed
from assistant.understand.grammar import Sequence as InOrder
from assistant.understand.item_grammar import ItemGrammar
from assistant.understand.quantity_grammar import choice
from assistant.understand.understanding import Expecting, Intent

# Costs in natural-log units, on top of the intents' own.
_BARE_ITEMS, _AND_ITEMS = 2.0, 4.0
_SENTENCE = 1.5
"""One of the many ways to put a wish."""
_ENDING = 6.5
_PLEASE, _POLITE = 0.7, 7.5
_USUAL_ANSWER, _RARE_ANSWER, _ANSWER_UNASKED = 0.7, 4.0, 4.0
_LOOSE, _CORRECTION, _CHOICE, _DIGIT = 1.0, 1.5, 0.3, 3.0
_SOLD_IN, _OTHER_UNIT = 0.5, 3.5
"""A unit without a product: one that the catalog's products are sold in, or any other."""
_NUMBERED, _NO_DIGITS = 1.0, 5.0
"""An order's number, because any sounds resemble some digits; and anything else where digits are asked for, as each of
those costs something."""
_ELSEWHERE = 1.0
"""What commands cost where an answer is expected."""
_WISH, _DESCRIBED = 6.0, 5.0
"""What a product, or an option or part of a name, costs there: about the logarithm of how many there are, so that
"stop" and "cancel" are not taken for one of them."""
_FILLER = {
    Expecting.COMMAND: 6.0,
    Expecting.CHOICE: 7.0,
    Expecting.CONFIRMATION: 6.0,
    Expecting.DIGITS: 11.0,
    Expecting.INTERRUPTION: 0.0,
}
_NOT_HEARD = ("change_to",)
"""Sentences with two products are understood when typed; to be heard they would double every grammar."""


def build_grammars(
    products: Iterable[Product],
    language: Language,
    wake_phrase: str,
    coupons: Iterable[str] = (),
    places: Iterable[str] = (),
    words: CatalogWords | None = None,
) -> Mapping[Expecting, Grammar]:
    """One grammar for every state of the dialogue.

    Args:
        products: The catalog.
        language: What is spoken.
        wake_phrase: May begin a command; empty for none.
        coupons: Words of coupons that may be named.
        places: Names of addresses, beside those that the language knows.
        words: Of a large catalog, of which ``products`` are only the likely ones; None for any other.
    """
    items = ItemGrammar(products, language, words)
    builder = _Builder(language, items, *([language.normalise(name) for name in names] for names in (coupons, places)))
    bodies = {
        Expecting.COMMAND: builder.command(language.normalise(wake_phrase)),
        Expecting.CHOICE: builder.choice(),
        Expecting.CONFIRMATION: builder.confirmation(),
        Expecting.DIGITS: builder.digits(),
        Expecting.INTERRUPTION: builder.interruption(),
    }
    return {
        expecting: Grammar(expecting.value, needed({**builder.rules, **items.rules, **rules}))
        for expecting, rules in bodies.items()
    }


class _Builder:
    def __init__(self, language: Language, items: ItemGrammar, coupons: Sequence[str], places: Sequence[str]) -> None:
        self._language = language
        # Without coupons there is nothing that could be named.
        self._unheard = () if coupons else ("{coupon}",)
        self._items = items
        politeness = language.data["commands"]["politeness"]
        digit = choice((_DIGIT, word) for word in language.digit_words)
        sentences, fixed, compared, loose = self._sentences()
        facts = fact_words_of(language).slots
        self.rules: dict[str, Expression] = {
            "polite_before": self._politeness(politeness["before"]),
            "polite_after": self._politeness(politeness["after"]),
            "digit": digit,
            **({"coupon": choice((0.0, coupon) for coupon in coupons)} if coupons else {}),
            "place": choice((0.0, place) for place in dict.fromkeys((*language.data["facts"]["places"], *places))),
            "order_number": InOrder((Reference("digit"), Reference("digit"), Repeat(Reference("digit")))),
            "sentences": sentences,
            "fixed": fixed,
            "compared": compared,
            **{slot: choice((0.0, " ".join(words)) for words in phrases) for slot, phrases in facts.items()},
            "ordinal": choice((0.0, " ".join(words)) for words in answers_of(language).ordinals),
            "loose": Alternatives(
                (
                    (0.0, Reference("number")),
                    (0.5, InOrder((Reference("number"), Reference("unit_alone")))),
                    (_DESCRIBED, Reference("described")),
                )
            ),
            "unit_alone": choice(self._units_alone()),
            "described": InOrder(
                (self._optional("determiners"), Reference("option"), self._more_options(), self._one())
            ),
            "loose_sentences": InOrder((loose, Reference("loose"))),
        }

    def command(self, wake_phrase: str) -> dict[str, Expression]:
        """An open question, or none: anything may be wished."""
        corrections = tuple(map(Reference, ("loose", "loose_sentences", "sentences", "compared")))
        body = Alternatives(
            (
                (0.0, Reference("sentences")),
                (0.0, Reference("fixed")),
                (0.0, Reference("compared")),
                (_ELSEWHERE, Reference("loose_sentences")),
                (_ELSEWHERE, InOrder((self._leads("no"), Alternatives(tuple((0.0, one) for one in corrections))))),
                (_ANSWER_UNASKED, Reference("answer")),
            )
        )
        start: list[tuple[float, Expression]] = [(0.0, self._politely(body))]
        if wake_phrase:
            start.append((0.5, InOrder((Words(wake_phrase), self._politely(body)))))
            start.append((0.5, Words(wake_phrase)))
        return {"start": self._beside_filler(Expecting.COMMAND, *start), "answer": self._answers(asked=False)}

    def choice(self) -> dict[str, Expression]:
        """One of several products, or a value of an option."""
        answers = self._language.data["answers"]
        places = choice((_CHOICE, phrase) for key in ("ordinals", "by_price") for phrase in expand_all(answers[key]))
        any_of_them = choice((0.0, phrase) for phrase in self._language.phrases("answers", "any_of_them", "patterns"))
        part = InOrder((self._optional("determiners"), Reference("part"), self._one()))
        chosen = Alternatives(
            (
                (0.0, places),
                (_CHOICE, any_of_them),
                (_CHOICE, Reference("loose")),
                (_CHOICE, Reference("described")),
                (_DESCRIBED, part),
                (_CORRECTION, Reference("loose_sentences")),
                (_WISH, Reference("sentences")),
                (_ELSEWHERE, Reference("fixed")),
                (_CHOICE, Reference("compared")),
                (_CORRECTION, Reference("answer")),
            )
        )
        body = InOrder((self._correction("no"), chosen))
        return {
            "start": self._beside_filler(Expecting.CHOICE, (0.0, self._politely(body))),
            "answer": self._answers(asked=False),
        }

    def confirmation(self) -> dict[str, Expression]:
        """Yes or no, or a correction of what was read back."""
        corrected = InOrder(
            (
                self._correction("no", "yes"),
                Alternatives(
                    (
                        (_LOOSE, Reference("loose")),
                        (_LOOSE, Reference("loose_sentences")),
                        (_LOOSE, Reference("compared")),
                        (_WISH, Reference("sentences")),
                        (_DESCRIBED, InOrder((self._optional("determiners"), Reference("part"), self._one()))),
                    )
                ),
            )
        )
        body = Alternatives(((0.0, Reference("answer")), (_CORRECTION, corrected), (_ELSEWHERE, Reference("fixed"))))
        return {
            "start": self._beside_filler(Expecting.CONFIRMATION, (0.0, self._politely(body))),
            "answer": self._answers(asked=True),
        }

    def digits(self) -> dict[str, Expression]:
        """The digits of a challenge, or the end of it."""
        commands = self._fixed_of(Intent.STOP, Intent.CANCEL, Intent.REPEAT, Intent.HELP, Intent.CANCEL_ORDER)
        denial = [(_ELSEWHERE, phrase) for phrase in self._language.phrases("answers", "no")]
        spoken = InOrder((Reference("digit"), Reference("digit"), Repeat(Reference("digit"))))
        body = Alternatives(((0.0, spoken), (_NO_DIGITS + _ELSEWHERE, commands), (_NO_DIGITS, choice(denial))))
        return {"start": self._beside_filler(Expecting.DIGITS, (0.0, self._politely(body)))}

    def interruption(self) -> dict[str, Expression]:
        """Only what ends the device's own speech."""
        body = self._fixed_of(Intent.STOP, Intent.CANCEL)
        return {"start": self._beside_filler(Expecting.INTERRUPTION, (0.0, self._politely(body)))}

    # Parts.

    def _sentences(self) -> tuple[Expression, Expression, Expression, Expression]:
        """Sentences with items in them, sentences without, those that compare, and what comes before a bare option."""
        before: dict[Phrase, float] = {(): _BARE_ITEMS}
        before |= {tuple(text.split()): _AND_ITEMS for text in self._language.data["items"]["joins"]}
        after: dict[Phrase, float] = {(): 0.0}
        fixed: list[tuple[float, Expression]] = []
        compared: list[tuple[float, Expression]] = []
        loose: dict[Phrase, float] = {}
        for intent, data in self._language.data["commands"]["intents"].items():
            cost: float = data["cost"] + _SENTENCE
            for phrase in self._language.phrases("commands", "intents", intent, "patterns"):
                if intent in _NOT_HEARD or any(slot in phrase for slot in self._unheard):
                    continue
                if "{items}" not in phrase:
                    number = _NUMBERED if "{order}" in phrase else 0.0
                    (compared if intent in COMPARISONS else fixed).append((cost + number, self._filled(phrase)))
                    continue
                place = phrase.index("{items}")
                beginning, ending = phrase[:place], phrase[place + 1 :]
                before[beginning] = min(cost, before.get(beginning, cost))
                if ending:
                    after[ending] = _ENDING
                elif intent in ("change", "order"):
                    loose[beginning] = min(cost, loose.get(beginning, cost))
        sentences = InOrder((self._alternatives(before), Reference("items"), self._alternatives(after)))
        return sentences, Alternatives(tuple(fixed)), Alternatives(tuple(compared)), self._alternatives(loose)

    def _alternatives(self, costs: Mapping[Phrase, float]) -> Expression:
        return Alternatives(tuple((cost, self._filled(phrase)) for phrase, cost in costs.items()))

    def _filled(self, phrase: Phrase) -> Expression:
        """The words of a pattern with rules in its slots."""
        if not any(is_slot(part) for part in phrase):
            return Words(" ".join(phrase))
        rules = {"{order}": "order_number"}
        return InOrder(
            tuple(Reference(rules.get(part, part[1:-1])) if is_slot(part) else Words(part) for part in phrase)
        )

    def _fixed_of(self, *intents: Intent) -> Alternatives:
        return choice(
            (0.0, phrase)
            for intent in intents
            for phrase in self._language.phrases("commands", "intents", intent, "patterns")
            if not any(is_slot(part) for part in phrase)
        )

    def _answers(self, *, asked: bool) -> Expression:
        answers = self._language.data["answers"]
        phrases: list[tuple[float, Phrase]] = []
        for answer in ("yes", "no"):
            # The data names the usual answers first.
            phrases += [(_USUAL_ANSWER, phrase) for phrase in expand(answers[answer][0])]
            phrases += [(_RARE_ANSWER, phrase) for phrase in self._language.phrases("answers", answer)]
            if asked:
                phrases += [(_RARE_ANSWER, one) for one in self._language.phrases("answers", "confirmation", answer)]
        return choice(phrases)

    def _leads(self, *kinds: str) -> Alternatives:
        """Words before a correction."""
        return choice((1.0, one) for kind in kinds for one in self._language.phrases("answers", "corrections", kind))

    def _correction(self, *kinds: str) -> Expression:
        """Words that may stand before a correction."""
        return Alternatives(((0.0, Words("")), *self._leads(*kinds).branches))

    def _optional(self, key: str) -> Expression:
        words = self._language.data["items"][key]
        articles = self._language.data["quantities"]["articles"]
        return choice([(0.0, ""), *((0.3, word) for word in (*words, *articles))])

    def _one(self) -> Expression:
        return choice([(0.0, ""), *((0.3, word) for word in self._language.data["items"]["pronouns"])])

    def _more_options(self) -> Expression:
        link = choice([(1.0, ""), *((1.0, text) for text in self._language.data["items"]["joins"][:1])])
        return Alternatives(((0.0, Words("")), (_LOOSE, InOrder((link, Reference("option"))))))

    def _units_alone(self) -> list[tuple[float, str]]:
        words = self._language.data["quantities"]["units"]["words"]
        sold_in = {unit: _SOLD_IN for unit in self._items.units}
        return [
            (sold_in.get(unit, _OTHER_UNIT), form)
            for unit in dict.fromkeys((*self._items.units, *words))
            for form in (unit, self._language.forms.plural(unit))
        ]

    def _politeness(self, texts: Iterable[str]) -> Expression:
        usual = self._language.data["commands"]["politeness"]["usual"]
        return choice([(0.0, ""), *((_PLEASE if text in usual else _POLITE, text) for text in texts)])

    def _politely(self, body: Expression) -> Expression:
        return InOrder((Reference("polite_before"), body, Reference("polite_after")))

    def _beside_filler(self, expecting: Expecting, *branches: tuple[float, Expression]) -> Expression:
        return Alternatives((*branches, (_FILLER[expecting], Filler(0.0))))
