"""The conversation as it happens, for a person at a terminal."""

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from assistant import events
from assistant.events import Event
from assistant.shop.money import Money


class ConversationView:
    """Prints who said what, how it was understood, and how long it took.

    Args:
        console: Where to print; a terminal also shows the partial results on a line that is replaced.
        device: Name of the device's side of the conversation.
    """

    def __init__(self, console: Console, device: str = "voicecart") -> None:
        self._console = console
        self._device = device

    def __call__(self, event: Event) -> None:
        """Prints one event."""
        match event:
            case events.Wake(at=at, phrase=phrase, score=score):
                self._note(at, f"woken by “{phrase}” (score {score:.2f})")
            case events.Partial(text=text) if self._console.is_terminal:
                self._console.print(Text(f"            … {text}", style="dim"), end="\r", overflow="crop")
            case events.Transcript(at=at, text=text, latency_seconds=latency):
                self._line(at, "heard", "bold cyan", f"“{text}”", f"{latency:.2f} s after the last word")
            case events.Understood(at=at, intent=intent, items=items):
                what = ", ".join(
                    f"{item['quantity']} × {item['name']}" + "".join(f" [{v}]" for v in item["options"].values())
                    for item in items
                )
                self._note(at, f"understood: {intent}" + (f": {what}" if what else ""))
            case events.Reply(at=at, text=text, latency_seconds=latency):
                self._line(
                    at, self._device, "bold green", text, f"first sound after {latency:.2f} s" if latency else ""
                )
            case events.Authorised(at=at, amount=amount, currency=currency):
                self._note(at, f"authorised: {Money(amount, currency).decimal()} {currency}", "bold")
            case events.Declined(at=at, reason=reason):
                self._note(at, f"declined: {reason}", "bold red")
            case events.OrderPlaced(at=at, order=order, total=total, currency=currency):
                self._note(at, f"order {order} placed: {Money(total, currency).decimal()} {currency}", "bold")
            case events.Failure(at=at, code=code, message=message):
                self._note(at, f"{code}: {message}", "bold red")
            case _:
                pass

    def _line(self, at: float, who: str, style: str, text: str, aside: str) -> None:
        tail = f"  [dim]({aside})[/dim]" if aside else ""
        self._console.print(f"[dim]{at:7.2f} s[/dim]  [{style}]{who:>9}[/]  {escape(text)}{tail}")

    def _note(self, at: float, text: str, style: str = "dim") -> None:
        self._console.print(f"[dim]{at:7.2f} s[/dim]             [{style}]{escape(text)}[/]")
