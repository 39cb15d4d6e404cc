"""From what somebody typed after /patch to a command."""

import shlex
import unicodedata
from collections.abc import Iterable

from commands.command import Command
from commands.errors import Refused
from commands.registry import subcommands
from patching.config import Configuration
from patching.nodes import EnvironmentKey
from patching.suggest import did_you_mean

LONGEST = 1000  # characters; no command needs more
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'"})  # phones type these


def parse(text: str, config: Configuration) -> Command:
    """The command that `text` asks for; `help` when it is empty. Raises Refused."""
    words = split(text)
    if not words:
        words = ["help"]
    known = subcommands()
    found = known.get(words[0].lower())
    if found is None:
        raise Refused(f"There is no subcommand {show(words[0])}; nothing was done. {_perhaps(words[0].lower(), known)}")
    return found.parse(words[1:], config)


def split(text: str) -> list[str]:
    """Words, with quotes. Raises Refused for what no command takes."""
    if len(text) > LONGEST:
        raise Refused(f"That is {len(text)} characters; nothing was done. Commands are at most {LONGEST}.")
    if any(unicodedata.category(letter) == "Cc" and letter not in "\t\n" for letter in text):
        raise Refused("That has control characters in it; nothing was done. Please type it anew.")
    try:
        return shlex.split(text.translate(_QUOTES))
    except ValueError:
        raise Refused("A quote is opened but not closed; nothing was done. Close it, or leave quotes out.") from None


def application(name: str, config: Configuration) -> str:
    """A configured application's name. Raises Refused with a suggestion."""
    if name in config.applications:
        return name
    raise Refused(f"There is no application {show(name)}; nothing was done. {_perhaps(name, config.applications)}")


def environment(application_name: str, name: str, config: Configuration) -> EnvironmentKey:
    """A configured environment. Raises Refused with a suggestion."""
    known = config.applications[application(application_name, config)].environments
    if name in known:
        return EnvironmentKey(application_name, name)
    raise Refused(f"{application_name} has no environment {show(name)}; nothing was done. {_perhaps(name, known)}")


def show(word: str) -> str:
    """A word of somebody's, short enough to be repeated to them; the views escape it."""
    return f"“{word if len(word) <= 60 else word[:59] + '…'}”"


def _perhaps(word: str, known: Iterable[str]) -> str:
    names = list(known)
    guess = did_you_mean(word, names)
    if guess:
        return f"Did you mean {guess}?"
    return f"There are: {', '.join(names[:20])}{', …' if len(names) > 20 else ''}."
