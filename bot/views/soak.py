"""How far each patch has soaked, in words."""

from datetime import datetime

from bot.views.text import patches, when
from patching.compare import Verdict
from patching.durations import words
from patching.soak import Readiness, Ripeness, Soaked

_OTHERS = {
    Ripeness.READY: "ready",
    Ripeness.HELD: "held",
    Ripeness.NEVER_STARTED: "not soaking: not installed by Patchgate",
}


def ripeness_words(item: Soaked, now: datetime) -> str:
    """`ready`, `ready in 2 d 4 h`, `held`; for a table's cell."""
    if item.finding.verdict is not Verdict.TESTED:
        return "not tested"
    if item.ripeness is Ripeness.SOAKING and item.ready_at is not None:
        return f"ready in {words(item.ready_at - now)}"
    return _OTHERS.get(item.ripeness, "soaking")


def soak_lines(readiness: Readiness) -> list[str]:
    """The counts, and the date on which all are ready, where there is one."""
    if not readiness.items:
        return []
    counts = readiness.counts
    ready = f"{counts[Ripeness.READY]:,} of {patches(len(readiness.items))}"
    if not readiness.waiting:
        since = readiness.all_ready_at
        return [f":white_check_mark: *Soak*: all ready{f' since {when(since)}' if since else ''}."]
    kinds = {
        Ripeness.SOAKING: "soaking",
        Ripeness.HELD: "held while a problem is reported or an alarm is on",
        Ripeness.NEVER_STARTED: "not soaking",
    }
    waiting = [f"{counts[kind]:,} {word}" for kind, word in kinds.items() if counts[kind]]
    line = f"*Soak*: {ready} ready, {', '.join(waiting)}."
    if readiness.all_ready_at:
        return [f"{line} All are ready {when(readiness.all_ready_at)}."]
    return [f"{line} No date yet on which all are ready."]
