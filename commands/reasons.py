"""Reasons that people type: one line, not empty, not a novel."""

from commands.errors import Refused

LONGEST_REASON = 600  # characters; a card shows all of them


def reason_from(text: str) -> str:
    """The reason as it is kept. Raises Refused."""
    words = " ".join(text.split())
    if not words:
        raise Refused("A reason is needed, so that the next person understands; nothing was recorded.")
    if len(words) > LONGEST_REASON:
        raise Refused(f"The reason has {len(words)} characters; {LONGEST_REASON} are allowed. Nothing was recorded.")
    return words
