"""Ready, soaking, held or never started: per patch, per severity, with the time held added."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from patching.clocks import Holds
from patching.compare import Finding, Verdict, compare
from patching.proof import patch_key
from patching.soak import Readiness, Ripeness, SoakPolicy, readiness, soak_of
from tests.unit.patching.build import DEBIAN, INSTALLED, MISSING, NOW, REDHAT, evidence, row

WEEK = timedelta(days=7)
POLICY = SoakPolicy(WEEK, critical=timedelta(days=2), important=timedelta(days=4))
READY, SOAKING, HELD, NEVER = Ripeness.READY, Ripeness.SOAKING, Ripeness.HELD, Ripeness.NEVER_STARTED


def days(number: float) -> timedelta:
    return timedelta(days=number)


@pytest.mark.parametrize(
    ("severity", "classification", "expected"),
    [
        ("Critical", "Security", days(2)),
        ("critical", "SecurityUpdates", days(2)),
        ("Critical", "CriticalUpdates", days(2)),
        ("Important", "Security", days(4)),
        ("High", "Security", days(4)),
        ("Moderate", "Security", WEEK),
        ("Unspecified", "Security", WEEK),
        ("", "", WEEK),
        # Debian and Ubuntu: a package's priority.
        ("important", "", WEEK),
        ("Required", "Security", WEEK),
        ("Critical", "Bugfix", WEEK),
        ("Critical", "UpdateRollups", WEEK),
    ],
)
def test_for_severity(severity: str, classification: str, expected: timedelta) -> None:
    assert POLICY.for_severity(severity, classification) == expected
    assert SoakPolicy(WEEK).for_severity(severity, classification) == WEEK


# Started eight days ago with a soak of seven, unless said otherwise: when was or will it be over?
START = NOW - days(8)
CASES: dict[str, tuple[datetime | None, Holds, Ripeness, datetime | None]] = {
    "over": (START, (), READY, NOW - days(1)),
    "over to the second": (NOW - WEEK, (), READY, NOW),
    "one second early": (NOW - WEEK + timedelta(seconds=1), (), SOAKING, NOW + timedelta(seconds=1)),
    "no clock": (None, (), NEVER, None),
    "no clock, held": (None, ((NOW - days(1), None),), NEVER, None),
    "held for two days meanwhile": (START, ((NOW - days(5), NOW - days(3)),), SOAKING, NOW + days(1)),
    "held before it began": (START, ((NOW - days(20), NOW - days(10)),), READY, NOW - days(1)),
    "held until after it began: what came after counts": (START, ((NOW - days(20), NOW - days(7)),), READY, NOW),
    "held after it was over": (START, ((NOW - days(0.5), NOW - days(0.25)),), READY, NOW - days(1)),
    "held in the time that an earlier hold added": (
        START,
        ((NOW - days(7), NOW - days(6)), (NOW - days(0.5), NOW - days(0.25))),
        SOAKING,
        NOW + days(0.25),
    ),
    "two holds at once add once": (
        START,
        ((NOW - days(5), NOW - days(3)), (NOW - days(4), NOW - days(3))),
        SOAKING,
        NOW + days(1),
    ),
    "still held": (START, ((NOW - days(3), None),), HELD, None),
    "still held, though it was over before": (START, ((NOW - days(0.5), None),), HELD, None),
    "a hold that is yet to come": (START, ((NOW + days(1), None),), READY, NOW - days(1)),
}


@pytest.mark.parametrize(("since", "holds", "ripeness", "ready_at"), CASES.values(), ids=CASES)
def test_one_clock(since: datetime | None, holds: Holds, ripeness: Ripeness, ready_at: datetime | None) -> None:
    assert soak_of(since, WEEK, holds, NOW) == (ripeness, ready_at)
    assert soak_of(since, WEEK, tuple(reversed(holds)), NOW) == (ripeness, ready_at)


@settings(max_examples=400)
@example(since=1, soak=0, spans=[(0, 2)])
@given(
    since=st.integers(0, 100),
    soak=st.integers(0, 50),
    spans=st.lists(st.tuples(st.integers(0, 120), st.integers(0, 20)), max_size=4),
)
def test_the_clock_stands_still_while_it_is_held(since: int, soak: int, spans: list[tuple[int, int]]) -> None:
    """By counting the hours in which it runs."""
    start = NOW - timedelta(hours=200)
    holds = [(start + timedelta(hours=at), start + timedelta(hours=at + length)) for at, length in spans]
    hour, run = since, 0
    while run < soak:
        run += not any(at <= hour < at + length for at, length in spans)
        hour += 1
    _, ready_at = soak_of(start + timedelta(hours=since), timedelta(hours=soak), holds, NOW)
    assert ready_at == start + timedelta(hours=hour)


def findings(*names: str, severity: str = "") -> tuple[Finding, ...]:
    kb_ids = [f"{name}.amd64" for name in names]
    source = [evidence("np1", [row(kb_id, "2", INSTALLED) for kb_id in kb_ids])]
    return compare(source, [evidence("p1", [row(kb_id, "2", MISSING, severity) for kb_id in kb_ids])]).findings


def judged(*names: str, held: Holds = (), **since: datetime) -> Readiness:
    clocks = {DEBIAN: {(f"{name}.amd64", "2"): at for name, at in since.items()}}
    return readiness(findings(*names), clocks, SoakPolicy(WEEK), held, NOW)


def test_each_finding_by_its_own_clock() -> None:
    found = judged("a", "b", "c", "d", a=NOW - days(9), b=NOW - days(6), c=NOW - days(5))
    assert [item.ripeness for item in found.items] == [READY, SOAKING, SOAKING, NEVER]
    assert [item.finding.kb_id for item in found.ready] == ["a.amd64"]
    assert [item.finding.kb_id for item in found.waiting] == ["b.amd64", "c.amd64", "d.amd64"]
    assert found.counts == {READY: 1, SOAKING: 2, HELD: 0, NEVER: 1}
    assert found.all_ready_at is None


def test_the_date_on_which_all_are_ready() -> None:
    assert judged("a", "b", a=NOW - days(9), b=NOW - days(5)).all_ready_at == NOW + days(2)
    assert judged("a", a=NOW - days(9)).all_ready_at == NOW - days(2)
    assert judged("a", a=NOW - days(9), held=((NOW, None),)).all_ready_at is None
    assert judged().all_ready_at is None


def test_severity_decides_how_long() -> None:
    clocks = {DEBIAN: {("a.amd64", "2"): NOW - days(3)}}
    for severity, expected in (("Critical", READY), ("Important", SOAKING), ("Low", SOAKING)):
        (item,) = readiness(findings("a", severity=severity), clocks, POLICY, (), NOW).items
        assert item.ripeness is expected, severity


@pytest.mark.parametrize(
    "changes",
    [
        {"platform": REDHAT},
        {"title": "a.amd64:3", "version": "3"},
        {"kb_id": "b.amd64", "title": "b.amd64:2"},
        *({"verdict": verdict} for verdict in Verdict if verdict is not Verdict.TESTED),
    ],
    ids=lambda changes: " ".join(str(value) for value in changes.values()),
)
def test_another_patch_or_an_untested_one_has_not_begun(changes: dict[str, object]) -> None:
    (finding,) = findings("a")
    clocks = {DEBIAN: {patch_key("a.amd64", "a.amd64:2"): NOW - days(9)}}
    (item,) = readiness([replace(finding, **changes)], clocks, POLICY, (), NOW).items  # type: ignore[arg-type]
    assert (item.ripeness, item.ready_at) == (NEVER, None)


def test_the_planned_start_is_what_counts() -> None:
    clocks = {DEBIAN: {("a.amd64", "2"): NOW}}
    (item,) = readiness(findings("a"), clocks, POLICY, (), NOW + WEEK).items
    assert (item.ripeness, item.since, item.ready_at) == (READY, NOW, NOW + WEEK)
