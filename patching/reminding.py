"""When people are reminded of a maintenance window, and when what they were told has to be corrected."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from patching.agenda import Opening

_NEAR: Final = timedelta(days=4)
"""How far an execution may be moved to be taken for the same one, where the window has no other to compare with."""


def lead_due(
    leads: Iterable[timedelta], opens: datetime, now: datetime, told: timedelta | None = None
) -> timedelta | None:
    """Of the leads whose moment has come the one nearest to the opening; `told` is the nearest that was told.

    Earlier ones are passed over: after downtime, or for a window that is seen late, one reminder comes, never a burst.
    None before the first lead, and where people were told at a nearer one already.
    """
    newest = min((lead for lead in leads if opens - lead <= now), default=None)
    return None if newest is None or (told is not None and told < newest) else newest


@dataclass(frozen=True, slots=True)
class Told:
    """An execution that people were told of; `off`: they were told afterwards that it does not take place then."""

    opening: Opening
    off: bool = False


@dataclass(frozen=True, slots=True)
class Correction:
    """What is no longer so: an execution does not take place then, or one that was off does after all."""

    opening: Opening  # as people were told
    back: bool = False
    moved_to: Opening | None = None


def corrections(told: Collection[Told], openings: Sequence[Opening], now: datetime) -> tuple[Correction, ...]:
    """What those who were told of executions ahead of `now` must hear, soonest first; `openings` are those planned.

    Another time is another execution; another name, length or cutoff corrects nothing. An execution that has begun
    is past correcting.
    """
    planned = {each.key: each for each in openings}
    standing = {each.opening.key for each in told if not each.off and each.opening.key in planned}
    gone = [each.opening for each in told if not each.off and _ahead(each, now) and each.opening.key not in planned]
    free = [each for each in openings if each.opens > now and each.key not in standing]
    found = []
    for opening in sorted(gone, key=lambda each: (each.opens, each.window_id)):
        target = _moved_to(opening, [each for each in free if each.window_id == opening.window_id])
        if target:
            free.remove(target)
        found.append(Correction(opening, moved_to=target))
    taken = {each.moved_to.key for each in found if each.moved_to}
    back = [each for each in told if each.off and _ahead(each, now) and each.opening.key in planned.keys() - taken]
    found += [Correction(planned[each.opening.key], back=True) for each in back]
    return tuple(sorted(found, key=lambda each: (each.opening.opens, each.opening.window_id)))


def _ahead(told: Told, now: datetime) -> bool:
    return told.opening.opens > now


def _moved_to(gone: Opening, free: Sequence[Opening]) -> Opening | None:
    """The execution of the same window that stands in for it: less than half way to the window's next."""
    nearest = min(free, key=lambda each: abs(each.opens - gone.opens), default=None)
    if nearest is None:
        return None
    gaps = [later.opens - earlier.opens for earlier, later in pairwise(sorted(free, key=lambda each: each.opens))]
    near = min(gaps) / 2 if gaps else _NEAR
    return nearest if abs(nearest.opens - gone.opens) < near else None
