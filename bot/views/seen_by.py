"""Who has seen a message, and the button with which they say so."""

from collections.abc import Sequence

from bot.views.blocks import Block, button
from bot.views.text import users

_SHOWN = 10


def seen_by(people: Sequence[str]) -> list[str]:
    """User ids, the first to see it first."""
    more = f" and {len(people) - _SHOWN:,} more" if len(people) > _SHOWN else ""
    return [f":eyes: Seen by {users(people[:_SHOWN])}{more}."] if people else []


def acknowledge(subject: str) -> Block:
    """`subject` as a notice's: `change:4`, `window:mw-…:2026-…`."""
    return button("Acknowledge", "acknowledge", {"subject": subject})
