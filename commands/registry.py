"""The commands there are. A new subcommand is one new file: its class is found in the package's modules."""

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import commands
from commands.command import Command


@cache
def discover() -> tuple[type[Command], ...]:
    """Every concrete command, by name."""
    modules = [importlib.import_module(f"commands.{each.name}") for each in pkgutil.iter_modules(commands.__path__)]
    found = sorted(
        (
            item
            for module in modules
            for item in vars(module).values()
            if isinstance(item, type) and issubclass(item, Command) and item.__module__ == module.__name__
            if not inspect.isabstract(item)
        ),
        key=lambda command: command.name,
    )
    names = [command.name for command in found]
    if len(set(names)) != len(names):
        raise TypeError(f"two commands share a name: {names}")
    return tuple(found)


@cache
def subcommands() -> Mapping[str, type[Command]]:
    """What can be typed after /patch."""
    return MappingProxyType({command.name: command for command in discover() if command.in_slash})


def usage_hint() -> str:
    """For the Slack app manifest: at most 1,000 characters (facts/slack.md section "Methods")."""
    return " | ".join(f"{command.name} {command.usage}".strip() for command in subcommands().values())
