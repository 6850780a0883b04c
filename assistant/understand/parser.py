"""Understanding: from the recogniser's hypotheses to an intent with products, quantities and options.

Pure and deterministic. Commands go before products, so that "cancel" never finds one; a yes counts only when nothing
else was said with it.
"""

from collections.abc import Sequence

from assistant.languages.language import Language
from assistant.languages.pattern import Phrase
from assistant.settings import Understand
from assistant.understand.answers import answers_of
from assistant.understand.catalog_index import SearchableCatalog
from assistant.understand.choosing import choose
from assistant.understand.intent_patterns import lead, patterns_of
from assistant.understand.sentences import Sentences
from assistant.understand.understanding import Context, Expecting, Intent, Understanding

_UNKNOWN_SOUND = "[unk]"
_WHILE_SPEAKING = (Intent.STOP, Intent.CANCEL)
_WHILE_AUTHORISING = (Intent.STOP, Intent.CANCEL, Intent.CANCEL_ORDER, Intent.REPEAT, Intent.HELP)
_FIRST_ONLY = (Expecting.CONFIRMATION, Expecting.DIGITS, Expecting.INTERRUPTION)
_ANSWERS = (Intent.CONFIRM, Intent.DENY)


def understand(
    hypotheses: Sequence[str],
    catalog: SearchableCatalog,
    language: Language,
    context: Context,
    settings: Understand,
) -> Understanding:
    """What an utterance means.

    Args:
        hypotheses: The recogniser's readings of it, best first. Another than the first is used only where the first
            names no product for sure, and never for a yes or a no.
        catalog: The products.
        language: The language that is spoken.
        context: What was asked, and what is in the cart.
        settings: How sure a product must be.
    """
    parser = _Parser(catalog, language, context, settings)
    texts = list(dict.fromkeys(" ".join(text.split()) for text in hypotheses)) or [""]
    first = parser.understand(texts[0])
    if _settled(first) or context.expecting in _FIRST_ONLY:
        return first
    for text in texts[1:]:
        other = parser.understand(text)
        if _settled(other) and other.items:
            return other
    return first


def _settled(understanding: Understanding) -> bool:
    unclear = understanding.intent is Intent.UNKNOWN and bool(understanding.text)
    return not unclear and not understanding.unresolved


class _Parser:
    def __init__(self, catalog: SearchableCatalog, language: Language, context: Context, settings: Understand) -> None:
        self._catalog = catalog
        self._language = language
        self._context = context
        self._settings = settings
        self._patterns = patterns_of(language)
        self._answers = answers_of(language)
        self._sentences = Sentences(catalog, context, settings)

    def understand(self, text: str) -> Understanding:
        heard = [word for word in text.split() if word != _UNKNOWN_SOUND]
        tokens = tuple(self._language.normalise(" ".join(heard)).split())
        found = self._understand(text, tokens)
        if len(heard) < len(text.split()) and found.intent is Intent.CONFIRM:
            return Understanding(text, Intent.UNKNOWN)
        return found

    def _understand(self, text: str, tokens: Phrase) -> Understanding:
        expecting = self._context.expecting
        command = self._command(tokens)
        if expecting is Expecting.INTERRUPTION:
            return Understanding(text, command if command in _WHILE_SPEAKING else Intent.UNKNOWN)
        if expecting is Expecting.DIGITS:
            return Understanding(text, self._while_authorising(tokens, command))
        if command is not None:
            return Understanding(text, command)
        return self._sentence(text, self._patterns.strip(tokens)) or self._fallback(text, tokens)

    def _command(self, tokens: Phrase) -> Intent | None:
        """The intent of words that are a command or an answer and nothing else."""
        for words in self._patterns.politely(tokens):
            answer = self._answers.yes_or_no(words, self._context.expecting)
            if answer is not None:
                return answer
        return self._patterns.fixed(tokens)

    def _while_authorising(self, tokens: Phrase, command: Intent | None) -> Intent:
        """Digits are for the authority; only what ends or explains the payment is understood."""
        if command in _WHILE_AUTHORISING or command is Intent.DENY:
            return command
        return Intent.UNKNOWN

    def _sentence(self, text: str, tokens: Phrase) -> Understanding | None:
        if not tokens:
            return None
        if self._context.expecting is Expecting.CHOICE:
            chosen = self._choice(text, tokens)
            if chosen is not None:
                return chosen
        answered = self._after_answer(text, tokens)
        if answered is not None:
            return answered
        for match in self._patterns.matches(tokens):
            found = self._sentences.understand(text, match)
            if found is not None:
                return found
        return self._sentences.bare(text, tokens)

    def _choice(self, text: str, tokens: Phrase) -> Understanding | None:
        contents = [tokens]
        led = lead(tokens, self._answers.before_more)
        if led is not None and led[0] == "yes":
            contents.append(self._patterns.strip(led[1]))
        contents += [
            self._patterns.strip(match["items"])
            for match in self._patterns.matches(tokens)
            if match.intent in ("order", "change") and len(match.slots) == 1
        ]
        chosen = (
            choose(text, content, self._context.choices, self._catalog, self._settings)
            for content in contents
            if content
        )
        return next((found for found in chosen if found is not None), None)

    def _after_answer(self, text: str, tokens: Phrase) -> Understanding | None:
        """A yes or a no with more after it."""
        led = lead(tokens, self._answers.before_more)
        if led is None:
            return None
        kind, rest = led
        if tokens in self._catalog.option_words:
            # "No milk" is a wish, not a no.
            return self._sentences.bare(text, tokens) or Understanding(text, Intent.UNKNOWN)
        if self._context.expecting is Expecting.COMMAND and self._begins_with_option(tokens):
            # "No ice coke": where nothing was asked there is nothing to deny.
            found = self._sentences.bare(text, tokens)
            if found is not None and found.items and not found.unresolved:
                return found
        rest = self._patterns.strip(rest)
        if kind == "not":
            return self._sentences.not_this(text, rest)
        if not rest:
            return None
        command = self._command(rest)
        more = Understanding(text, command) if command is not None else self._sentence(text, rest)
        if kind == "yes":
            return self._sentences.after_yes(text, more)
        return self._sentences.after_no(text, more)

    def _begins_with_option(self, tokens: Phrase) -> bool:
        return any(tokens[:end] in self._catalog.option_words for end in range(2, len(tokens)))

    def _fallback(self, text: str, tokens: Phrase) -> Understanding:
        """Words that make no sentence: a command at their beginning still counts, for it only ever ends something."""
        intents = self._language.data["commands"]["intents"]
        for intent in _WHILE_SPEAKING:
            if any(words and words[0] in intents[intent]["beginnings"] for words in self._patterns.politely(tokens)):
                return Understanding(text, intent)
        return Understanding(text, Intent.UNKNOWN)
