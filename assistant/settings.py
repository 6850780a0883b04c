"""Settings: frozen dataclasses, every field documented with its unit; ``settings_file.py`` reads them."""

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints
from pydantic.dataclasses import dataclass

from assistant.shop.money import CURRENCIES

_STRICT = ConfigDict(extra="forbid", strict=True)
_Count = Annotated[int, Field(ge=0)]
_Finite = Annotated[float, Field(allow_inf_nan=False)]
_HOURS = r"^(([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d)?$"


def _currency(code: str) -> str:
    if code not in CURRENCIES:
        raise ValueError("a currency has a code of three capitals, such as USD")
    return code


def _documented(default: Any, text: str) -> Any:
    return field(default=default, metadata={"description": text})


@dataclass(frozen=True, config=_STRICT)
class Hear:
    """Microphone, voice activity, wake phrase, recogniser."""

    microphone: str = _documented("", "Part of the microphone's name; empty takes the system's default.")
    queue_seconds: float = _documented(5.0, "Seconds of audio kept when the device falls behind; the rest is dropped.")
    reopen_seconds: float = _documented(2.0, "Seconds between attempts to reopen a microphone that went away.")
    wake: Literal["phrase", "push_to_talk", "open"] = _documented(
        "phrase", "What begins a conversation: the wake phrase, a key or signal, or nothing (always open, for tests)."
    )
    wake_phrase: str = _documented("hey genie", "The wake phrase as text.")
    wake_threshold: float = _documented(0.0, "Score a wake phrase needs, at most 4; 0 takes the model's own value.")
    follow_up_seconds: float = _documented(6.0, "Seconds after a reply in which no wake phrase is needed.")
    speech_threshold: float = _documented(0.5, "Voice-activity probability (0-1) that begins speech.")
    silence_threshold: float = _documented(0.35, "Voice-activity probability (0-1) under which speech may end.")
    begin_seconds: float = _documented(0.1, "Seconds of voice activity that make speech begin.")
    end_seconds: float = _documented(0.7, "Seconds of silence that end an utterance.")
    longest_seconds: float = _documented(20.0, "Seconds after which an utterance is ended in any case.")
    lead_seconds: float = _documented(0.4, "Seconds before the detected begin that belong to the utterance.")
    model: str = _documented("voicecart-en", "Name of a model in models/index.toml, or a Vosk model folder.")
    alternatives: int = _documented(3, "Hypotheses asked of the recogniser.")
    models_kept: Annotated[int, Field(ge=1, le=8)] = _documented(
        2,
        "States of the dialogue whose recognition models stay in memory, each with the whole network; the others are"
        " loaded when they are needed.",
    )
    verify: bool = _documented(
        True, "Whether words that do not fit how they sounded are taken for something that was not understood."
    )
    log: bool = _documented(False, "Whether Vosk may write its own log.")


@dataclass(frozen=True, config=_STRICT)
class Understand:
    """From words to products."""

    language: str = _documented("en", "Language of the conversation: a folder of assistant/languages.")
    score_minimum: float = _documented(72.0, "Score (0-100) a product needs to be taken.")
    score_margin: float = _documented(6.0, "Lead (0-100) over the runner-up that a product needs; less is a question.")
    suggestion_minimum: float = _documented(50.0, "Score (0-100) a product needs to be suggested instead.")
    many_products: Annotated[int, Field(ge=1)] = _documented(
        5_000,
        "Products from which on a catalog is searched by an index and read piece by piece, and only the products that"
        " the household knows are recognised as whole names.",
    )
    known_products: Annotated[int, Field(ge=1, le=20_000)] = _documented(
        3_000,
        "Products of a large catalog that the household knows, at most: what is on its list, what it has bought, and"
        " what all households buy most.",
    )


@dataclass(frozen=True, config=_STRICT)
class Talk:
    """The dialogue's patience."""

    answer_seconds: float = _documented(8.0, "Seconds to wait for an answer; none means ask again, then cancel.")
    reprompts: int = _documented(2, "How often a question is asked again.")
    most_quantity: int = _documented(24, "Largest quantity of one product that is taken without asking again.")
    recommendations: bool = _documented(
        True, "Whether the device may offer, once a conversation, what the household usually buys too."
    )
    personal: bool = _documented(
        True, "Whether several people who are enrolled have their own orders, habits and lists, told by their voices."
    )
    greetings: bool = _documented(
        True, "Whether a person whose voice was compared and clear is greeted by name, once a conversation."
    )
    quiet_hours: Annotated[str, StringConstraints(pattern=_HOURS)] = _documented(
        "22:00-07:00", 'Hours of the day in which the device says nothing of its own accord; "" is never quiet.'
    )


@dataclass(frozen=True, config=_STRICT)
class Speak:
    """Speech out."""

    voice: str = _documented("", "Voice of the pyttsx3 driver; empty takes the language's own.")
    words_per_minute: int = _documented(165, "Speaking rate in words per minute.")
    volume: float = _documented(1.0, "Loudness (0-1).")
    loudspeaker: str = _documented("", "Part of the loudspeaker's name; empty takes the system's default.")
    timeout_seconds: float = _documented(15.0, "Seconds after which a silent engine is restarted.")
    tail_seconds: float = _documented(0.3, "Seconds after its own voice in which the device stays deaf.")


@dataclass(frozen=True, config=_STRICT)
class Shop:
    """Catalog and household."""

    household: str = _documented("home", "Key under which carts, orders and voices are kept.")
    currency: Annotated[str, AfterValidator(_currency)] = _documented("USD", "ISO 4217 code of the wallet.")
    database: str = _documented(
        "",
        "Where the shop is kept: a file in the state folder, or a PostgreSQL server such as"
        " postgresql://shop@db.example/voicecart; empty takes voicecart.db.",
    )
    programmes: tuple[str, ...] = _documented(
        (), "Programmes that the household is a member of, as the promotions file names them, for member prices."
    )
    reservation_seconds: Annotated[float, Field(gt=0, le=86_400)] = _documented(
        300.0, "Seconds for which stock is kept for an order that awaits its payment."
    )
    return_days: Annotated[int, Field(ge=0)] = _documented(
        30, "Days after its delivery in which an order may be returned; 0 takes nothing back."
    )
    restock_returns: bool = _documented(False, "Whether what is returned by voice is put back in stock at once.")
    carrier_folder: str = _documented(
        "", "Folder that the daemon watches for carriers' events, one JSON file each; empty watches none."
    )
    carrier_key_file: str = _documented(
        "",
        "File with the keys, one a line, with which carriers sign the events that they send to 'voicecart serve', for"
        " its owner's eyes only; empty takes none.",
    )
    service: str = _documented(
        "", "Address of a shop elsewhere ('voicecart serve'), such as https://shop.example.com; empty sells one's own."
    )
    service_token_file: str = _documented(
        "", "File with this device's token for shop.service, for its owner's eyes only."
    )
    service_minutes: Annotated[float, Field(gt=0, le=1440)] = _documented(
        10.0, "Minutes between two looks at the service for a new catalog and for news of orders."
    )


@dataclass(frozen=True, config=_STRICT)
class Pay:
    """Payment by voice."""

    voiceprint: str = _documented("voicecart-voiceprint", "Name of an encoder in models/index.toml, or its folder.")
    engine: Literal["speechbrain", "onnx"] = _documented(
        "speechbrain", "What runs the encoder: SpeechBrain, or the same network as ONNX without PyTorch."
    )
    digits: Annotated[int, Field(ge=1, le=12)] = _documented(
        6, "Digits of a challenge; more give the voice more speech to be known by."
    )
    digits_above: tuple[tuple[int, Annotated[int, Field(ge=1, le=12)]], ...] = _documented(
        ((10_000, 8),), "Longer challenges: pairs of an amount, in minor units, and the digits above it."
    )
    challenge_seconds: Annotated[float, Field(gt=0, le=60)] = _documented(
        12.0, "Seconds within which the digits must be repeated."
    )
    attempts: _Count = _documented(2, "Challenges per purchase before it is declined.")
    threshold: _Finite | None = _documented(None, "Score a voice needs; none takes the encoder's calibrated value.")
    voiced_seconds: Annotated[float, Field(ge=0, le=60)] = _documented(
        0.8, "Seconds of voiced speech under which no voice is judged."
    )
    order_limit: _Count = _documented(20_000, "Largest order paid by voice, in minor units.")
    day_limit: _Count = _documented(40_000, "Most that one person may pay by voice within 24 hours, in minor units.")
    adult_categories: tuple[str, ...] = _documented(
        ("alcohol", "tobacco"),
        "Categories, or parts of a category's path, that only an adult may order and that need the adult's voice.",
    )
    guarded_categories: tuple[tuple[str, int], ...] = _documented(
        (), "Pairs of a category and an amount, in minor units, above which it needs the longest challenge and no PIN."
    )
    approval_seconds: Annotated[float, Field(gt=0, le=300)] = _documented(
        20.0, "Seconds within which an adult must repeat the digits of a child's order."
    )
    spoken_pin: bool = _documented(
        False, "Whether a PIN may be said when a voice was refused. Whoever listens then knows it."
    )
    pin_limit: _Count = _documented(
        5_000, "Most that one person may pay by PIN within 24 hours, in minor units; 0 is never."
    )
    quiet_hours: Annotated[str, StringConstraints(pattern=_HOURS)] = _documented(
        "", 'Hours of the day in which nobody pays by voice, such as "23:00-06:00"; empty allows all.'
    )
    lockout_failures: Annotated[int, Field(ge=1)] = _documented(
        4, "Wrong voices or digits in a row after which payment by voice pauses."
    )
    lockout_seconds: Annotated[int, Field(ge=1, le=86_400)] = _documented(
        60, "First such pause in seconds; every further failure doubles it, to a day."
    )
    provider: Literal["wallet", "stripe"] = _documented(
        "wallet", "Who moves the money: the built-in test wallet with its play money, or Stripe."
    )
    opening_balance: int = _documented(100_000, "Balance of a new built-in test wallet, in minor units.")
    stripe_payment_method: str = _documented("", "Stripe's id of the household's saved card, such as pm_1Abc.")
    stripe_customer: str = _documented("", "Stripe's id of the customer whose card it is, such as cus_1Abc.")
    stripe_key_file: str = _documented(
        "", "File with the Stripe account's secret key, for its owner's eyes only; VOICECART_STRIPE_KEY goes first."
    )
    stripe_address: str = _documented("https://api.stripe.com", "Where Stripe, or a server like it, is asked.")
    stripe_seconds: Annotated[float, Field(gt=0, le=60)] = _documented(
        4.0, "Seconds to wait for Stripe; below the 5 that others wait for a payment."
    )


@dataclass(frozen=True, config=_STRICT)
class Settings:
    """All settings."""

    hear: Hear = field(default_factory=Hear)
    understand: Understand = field(default_factory=Understand)
    talk: Talk = field(default_factory=Talk)
    speak: Speak = field(default_factory=Speak)
    shop: Shop = field(default_factory=Shop)
    pay: Pay = field(default_factory=Pay)


REHEARSAL: Mapping[str, Mapping[str, object]] = {"pay": {"provider": "wallet"}, "shop": {"database": ""}}
"""What a rehearsal changes: play money, and a shop in its own folder whatever shop the device has."""
