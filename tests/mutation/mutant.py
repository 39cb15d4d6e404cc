"""What a mutant is, and how a rule is left out."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Mutant:
    """`apply` breaks the rule for the rest of the process; `tests` are pytest node ids, each of which must fail."""

    name: str
    apply: Callable[[], None]
    tests: tuple[str, ...]


def swap(home: ModuleType, name: str, broken: Callable[[Any], Any]) -> None:
    """Put `broken(the true function)` in its place, there and wherever it was imported by name.

    AttributeError says that the code has moved on and the mutant must follow.
    """
    true = getattr(home, name)
    mutant = broken(true)
    for module in list(sys.modules.values()):
        if getattr(module, name, None) is true:
            setattr(module, name, mutant)
