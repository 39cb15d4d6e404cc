"""E-mail from the same words as in Slack, without Slack's markup."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

from bot.views.text import plain, unmarked


@dataclass(frozen=True, slots=True)
class Email:
    subject: str  # one line
    text: str
    html: str  # a whole document, everything from outside escaped


def email(subject: str, markup: Sequence[str]) -> Email:
    """`subject` is plain text; `markup` are lines as a section shows them."""
    lines = [line for part in markup for line in unmarked(part).splitlines()]
    paragraphs = "\n".join(f"<p>{html.escape(line)}</p>" for line in lines)
    return Email(
        subject=plain(f"[Patchgate] {subject}", 200),
        text="\n".join(lines) + "\n",
        html=f"<!DOCTYPE html>\n<html><body>\n<h2>{html.escape(subject)}</h2>\n{paragraphs}\n</body></html>\n",
    )
