"""Patches that come after one another under different ids: cumulative updates, and packages named by their version."""

import re
from functools import lru_cache
from typing import NamedTuple

from patching.titles import name_of

_MONTHLY = re.compile(r"([0-9]{4}-[0-9]{2})\s+(.*(?:Cumulative Update|Monthly Quality Rollup).*)", re.IGNORECASE)
_IN_NAME = re.compile(r"[0-9]+(?:\.[0-9]+)+(?:-[0-9]+)*")


class Issue(NamedTuple):
    """One month of a series in which each update holds all that came before it."""

    series: str
    month: str  # 2023-03


@lru_cache(maxsize=4096)
def issue_of(title: str) -> Issue | None:
    """`2023-03` of `cumulative update for windows server 2019 (1809) for x64-based systems`, from a Windows Title
    without its KB; None for an update that is not cumulative (facts/patch-manager.md section 2)."""
    match = _MONTHLY.fullmatch(title)
    return Issue(match[2].casefold(), match[1]) if match else None


@lru_cache(maxsize=4096)
def stem_of(kb_id: str) -> str | None:
    """`linux-headers-*-aws.amd64` from `linux-headers-5.11.0-1020-aws.amd64`; None without a version in the name.

    Debian-family kernels hold theirs there, so that every kernel is a new id (facts/patch-manager.md section 2).
    """
    name = name_of(kb_id)
    stem, versions = _IN_NAME.subn("*", name)
    return stem + kb_id[len(name) :] if versions else None
