"""Which of the patches that production would get have soaked, and when the others will have."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from patching.clocks import Clocks, Holds, advance, earliest
from patching.compare import Finding
from patching.model import Platform
from patching.proof import Verdict, patch_key
from patching.severity import is_critical, is_important

__all__ = [
    "Clocks",
    "Holds",
    "Readiness",
    "Ripeness",
    "SoakPolicy",
    "Soaked",
    "advance",
    "clock_of",
    "earliest",
    "readiness",
    "soak_of",
]


class Ripeness(StrEnum):
    READY = "ready"
    SOAKING = "soaking"
    HELD = "held"  # a problem is reported or an alarm is on: no date
    NEVER_STARTED = "never_started"


# Security updates as Linux and Windows name them (facts/patch-manager.md section 3, predefined baselines).
_SECURITY: Final = frozenset({"security", "securityupdates", "criticalupdates"})


@dataclass(frozen=True, slots=True)
class SoakPolicy:
    """How long a patch must run. None: as long as any other."""

    default: timedelta
    critical: timedelta | None = None
    important: timedelta | None = None

    def for_severity(self, severity: str, classification: str) -> timedelta:
        """Only security updates soak for a time of their own: on Debian and Ubuntu the severity is the package's
        priority, and a package of priority important is no important fix."""
        if classification.replace(" ", "").casefold() not in _SECURITY:
            return self.default
        if is_critical(severity) and self.critical is not None:
            return self.critical
        if is_important(severity) and self.important is not None:
            return self.important
        return self.default


@dataclass(frozen=True, slots=True)
class Soaked:
    """One finding's soak. `since`: its clock; `ready_at`: with the time added for which it was held."""

    finding: Finding
    ripeness: Ripeness
    since: datetime | None = None
    ready_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Readiness:
    """One entry for each finding of the comparison, in its order."""

    items: tuple[Soaked, ...]

    @property
    def ready(self) -> tuple[Soaked, ...]:
        return tuple(item for item in self.items if item.ripeness is Ripeness.READY)

    @property
    def waiting(self) -> tuple[Soaked, ...]:
        return tuple(item for item in self.items if item.ripeness is not Ripeness.READY)

    @property
    def all_ready_at(self) -> datetime | None:
        """The date on which all are ready; None while one is held or has not started, and where there is none."""
        dates = [item.ready_at for item in self.items]
        known = [date for date in dates if date is not None]
        return max(known) if known and len(known) == len(dates) else None

    @property
    def counts(self) -> Mapping[Ripeness, int]:
        found = Counter(item.ripeness for item in self.items)
        return {ripeness: found[ripeness] for ripeness in Ripeness}


def readiness(
    findings: Iterable[Finding], clocks: Mapping[Platform, Clocks], policy: SoakPolicy, holds: Holds, now: datetime
) -> Readiness:
    """Judge every finding's soak at `now`: the planned start, where one is known.

    `clocks` as `earliest` gives them. What is not tested has not begun to soak, whatever one node shows.
    """
    return Readiness(tuple(_soaked(finding, clocks, policy, holds, now) for finding in findings))


def soak_of(since: datetime | None, soak: timedelta, holds: Holds, now: datetime) -> tuple[Ripeness, datetime | None]:
    """One clock at `now`, and the moment at which it is over; no moment while something holds it or none runs.

    The time held after the clock's start, and before its end, is added to it. An open hold holds what is over too:
    while a problem is reported nothing is known to have soaked well.
    """
    if since is None:
        return Ripeness.NEVER_STARTED, None
    if any(end is None and start <= now for start, end in holds):
        return Ripeness.HELD, None
    ready_at = since + soak
    for start, end in _merged(holds):
        if max(start, since) < min(end, ready_at):
            ready_at += end - max(start, since)
    return (Ripeness.READY if ready_at <= now else Ripeness.SOAKING), ready_at


def _soaked(
    finding: Finding, clocks: Mapping[Platform, Clocks], policy: SoakPolicy, holds: Holds, now: datetime
) -> Soaked:
    if finding.verdict is not Verdict.TESTED:
        return Soaked(finding, Ripeness.NEVER_STARTED)
    since = clock_of(finding.platform, finding.kb_id, finding.title, clocks)
    soak = policy.for_severity(finding.severity, finding.classification)
    ripeness, ready_at = soak_of(since, soak, holds, now)
    return Soaked(finding, ripeness, since, ready_at)


def clock_of(platform: Platform, kb_id: str, title: str, clocks: Mapping[Platform, Clocks]) -> datetime | None:
    return clocks.get(platform, {}).get(patch_key(kb_id, title))


def _merged(holds: Holds) -> list[tuple[datetime, datetime]]:
    """Closed holds in order, overlapping ones made one, so that no time is added twice."""
    merged: list[tuple[datetime, datetime]] = []
    for start, end in sorted((start, end) for start, end in holds if end is not None and end > start):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
