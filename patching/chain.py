"""The audit chain's arithmetic: a row's hash covers the row before it, so none can change or vanish unseen (I6)."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

GENESIS: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class Link:
    """One row. `fields` are None for a row that somebody may only see the hash of."""

    id: int
    previous: str
    hash: str
    fields: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain ended when this was written down."""

    id: int
    hash: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The first row that is wrong, and what is wrong with it in a sentence."""

    row: int
    sentence: str


def link_hash(previous: str, fields: Iterable[str]) -> str:
    # Lengths keep ("ab", "c") and ("a", "bc") apart.
    return hashlib.sha256("".join(f"{len(field)}:{field}" for field in (previous, *fields)).encode()).hexdigest()


def first_broken(links: Iterable[Link], head: Head | None) -> Broken | None:
    """None when the chain holds up to its head. Rows are numbered from 1 without a gap: the hash leaves the id out."""
    previous, last = GENESIS, 0
    for link in links:
        if link.id != last + 1 or link.previous != previous:
            return Broken(
                link.id, f"Row {link.id} does not follow row {last}: one between them is gone or was changed."
            )
        if link.fields is not None and link.hash != link_hash(previous, link.fields):
            return Broken(link.id, f"Row {link.id} does not say what it said when it was written.")
        previous, last = link.hash, link.id
    if head is None:
        return Broken(last, f"The chain has rows up to {last}, but no head was written down.") if last else None
    if last < head.id:
        return Broken(
            last + 1,
            f"The chain ends at row {last}, but its head is row {head.id}: what came after {last} was cut off.",
        )
    if (last, previous) != (head.id, head.hash):
        return Broken(last, f"Row {last} is not the head that was written down, which is row {head.id}.")
    return None
