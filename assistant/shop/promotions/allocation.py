"""Rounding and sharing out whole minor units. Pure; integers only."""

from collections.abc import Sequence


def half_up(numerator: int, denominator: int) -> int:
    """The quotient of two numbers that are not negative, rounded to the nearest integer, halves up."""
    return (2 * numerator + denominator) // (2 * denominator)


def share_out(amount: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Shares ``amount`` out in proportion to ``weights``, by the method of largest remainders (Hamilton's).

    The shares add up to ``amount`` exactly. Of equal remainders the earlier is served first, so that the same goods in
    the same order always get the same shares. When ``amount`` is at most the sum of the weights, no share is larger
    than its weight.

    Args:
        amount: Not negative.
        weights: Not negative; at least one is positive, unless ``amount`` is 0.

    Raises:
        ValueError: There is something to share out and nothing to share it out over.
    """
    whole = sum(weights)
    if whole <= 0:
        if amount:
            raise ValueError(f"{amount} cannot be shared out over nothing")
        return tuple(0 for _ in weights)
    shares = [amount * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: -(amount * weights[place] % whole))
    for place in by_remainder[: amount - sum(shares)]:
        shares[place] += 1
    return tuple(shares)
