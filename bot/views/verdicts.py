"""The verdicts of a comparison in words, and the one thing to do about each."""

from collections.abc import Iterable, Mapping
from typing import Final

from bot.views.text import command, listed, prose
from patching.compare import Verdict

_LABELS: Final[Mapping[Verdict, str]] = {
    Verdict.FAILED: "failed in {source}",
    Verdict.UNREADABLE: "can't be read",
    Verdict.NO_COUNTERPART: "on a platform that {source} has not",
    Verdict.STALE: "with a scan that is too old",
    Verdict.FOREIGN: "followed by somebody else's operation",
    Verdict.REJECTED: "rejected by a baseline",
    Verdict.OTHER_BASELINE: "under another baseline",
    Verdict.AHEAD: "newer in {source}",
    Verdict.SUPERSEDED: "superseded in {source}",
    Verdict.OTHER_TITLE: "with other content under the same KB in {source}",
    Verdict.OTHER_VERSION: "older in {source}",
    Verdict.NEW_DEPENDENCY: "under a new name, its version in it",
    Verdict.UNTESTED: "not in {source}",
    Verdict.PENDING_REBOOT: "waiting for a reboot in {source}",
    Verdict.TESTED: "tested",
}
# Repaired by the newest set in the source.
_INSTALL = frozenset(
    {Verdict.FAILED, Verdict.OTHER_VERSION, Verdict.OTHER_TITLE, Verdict.NEW_DEPENDENCY, Verdict.UNTESTED}
)
# Repaired by fresh scans of both.
_SCAN = frozenset({Verdict.UNREADABLE, Verdict.STALE, Verdict.FOREIGN})


def counted(counts: Mapping[Verdict, int], source: str) -> list[str]:
    """`28 tested`, `3 not in nonprod`: the verdicts that were given, the best first."""
    return [f"{counts[each]:,} {_label(each, source)}" for each in reversed(Verdict) if counts.get(each)]


def _label(verdict: Verdict, source: str) -> str:
    return _LABELS[verdict].format(source=prose(source, 80))


def advice(verdicts: Iterable[Verdict], application: str, source: str, target: str) -> list[str]:
    """What to do, one line for each kind of mismatch among the verdicts."""
    given = set(verdicts)
    here, there = prose(source, 80), prose(target, 80)
    scan_here, scan_there = (command(f"scan {application} {name}") for name in (source, target))
    lines = []
    if given & _INSTALL:
        install = command(f"install {application} {source}")
        lines.append(f"→ {install} brings the newest set there; let it soak, then compare again.")
    if Verdict.PENDING_REBOOT in given:
        lines.append(f"→ Reboot what waits in {here}, then {scan_here}.")
    if Verdict.AHEAD in given:
        lines.append(f"→ Bring the package repositories of {there} to the same level, then {scan_there}.")
    if Verdict.SUPERSEDED in given:
        lines.append(f"→ Approve in the baseline of {there} the update that {here} has, then {scan_there}.")
    if Verdict.REJECTED in given:
        lines.append(f"→ Take what a baseline rejects off its list if it is wanted, then {scan_here}.")
    if Verdict.OTHER_BASELINE in given:
        lines.append(f"→ Give both environments a baseline with the same rules, then {scan_here} and {scan_there}.")
    if given & _SCAN:
        kinds = {
            Verdict.UNREADABLE: "can't be read",
            Verdict.STALE: "is too old",
            Verdict.FOREIGN: "somebody else's operation followed",
        }
        what = listed([words for verdict, words in kinds.items() if verdict in given])
        lines.append(f"→ For what {what}: {scan_here} and {scan_there}.")
    if Verdict.NO_COUNTERPART in given:
        lines.append(f"→ {here} needs a node of each platform of {there}.")
    return lines
