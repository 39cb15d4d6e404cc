"""What a node could be restored from, and what the gate says of it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from patching.backups import (
    Attestation,
    Found,
    Image,
    Kind,
    Level,
    Machine,
    NodeBackups,
    RecoveryPoint,
    Snapshot,
    State,
    Volume,
    judge,
)
from patching.gate import CheckResult, GateInput, Outcome
from patching.gate_backups import backup_database, backup_instance
from tests.unit.patching.build import NOW, backed_up, backup_facts, gate_input
from tests.unit.patching.gate_cases import with_backups, with_facts

ROOT = Volume("vol-a", "/dev/sda1", NOW - timedelta(days=30))
DATA = Volume("vol-b", "/dev/sdf", NOW - timedelta(days=30))
TWO = Machine("i-p1", "eu-west-1a", (ROOT, DATA))
HOUR_AGO = NOW - timedelta(hours=1)
FIRST = frozenset({"i-p1", "i-p2"})


def snapshot(
    number: int, volume: Volume, seconds: float = 0, state: State = State.COMPLETE, step: str = ""
) -> Snapshot:
    return Snapshot(f"snap-{number}", volume.id, HOUR_AGO + timedelta(seconds=seconds), state, step)


def of(*snapshots: Snapshot, images: tuple[Image, ...] = (), points: tuple[RecoveryPoint, ...] = ()) -> NodeBackups:
    return judge(TWO, snapshots, images, points)


SETS: dict[str, tuple[tuple[Snapshot, ...], tuple[str, ...] | None]] = {
    "one call's": ((snapshot(1, ROOT), snapshot(2, DATA, 0.4)), ("snap-1", "snap-2")),
    "a second apart": ((snapshot(1, ROOT), snapshot(2, DATA, 1)), None),
    "a second apart, of one step": (
        (snapshot(1, ROOT, step="u"), snapshot(2, DATA, 1, step="u")),
        ("snap-1", "snap-2"),
    ),
    "of two steps": ((snapshot(1, ROOT, step="u"), snapshot(2, DATA, step="v")), None),
    "ours and somebody's": ((snapshot(1, ROOT, step="u"), snapshot(2, DATA)), None),
    "one failed": ((snapshot(1, ROOT), snapshot(2, DATA, state=State.FAILED)), None),
    "one under way": ((snapshot(1, ROOT), snapshot(2, DATA, state=State.UNDER_WAY)), None),
    "of another node": ((snapshot(1, ROOT), replace(snapshot(2, DATA), volume_id="vol-z")), None),
    "an older set where the newer is not complete": (
        (snapshot(1, ROOT, -9), snapshot(2, DATA, -9), snapshot(3, ROOT), snapshot(4, DATA, state=State.UNDER_WAY)),
        ("snap-1", "snap-2"),
    ),
    "the newer of two": (
        (snapshot(3, ROOT), snapshot(4, DATA), snapshot(1, ROOT, -9), snapshot(2, DATA, -9)),
        ("snap-3", "snap-4"),
    ),
}


@pytest.mark.parametrize(("snapshots", "newest"), SETS.values(), ids=SETS)
def test_snapshots_of_two_volumes_count_where_they_are_of_one_moment(
    snapshots: tuple[Snapshot, ...], newest: tuple[str, ...] | None
) -> None:
    for order in (snapshots, snapshots[::-1]):
        found = of(*order)
        assert (found.newest.ids if found.newest else None) == newest
        assert bool(found.lacking) is (newest is None)


def test_an_image_counts_by_the_volumes_in_it() -> None:
    snapshots = (snapshot(1, ROOT), snapshot(2, DATA))
    whole = Image("ami-1", "i-p1", HOUR_AGO, State.COMPLETE, ("snap-1", "snap-2"))
    found = of(*snapshots, images=(whole,))
    assert [(point.kind, point.ids) for point in found.points] == [(Kind.IMAGE, ("ami-1",))]
    assert of(*snapshots, images=(replace(whole, snapshot_ids=("snap-1",)),)).newest is None
    assert of(*snapshots, images=(replace(whole, node_id="i-p2"),)).newest != found.newest
    assert of(images=(whole,)).newest is None, "an image of which no snapshot is known"


def test_a_recovery_point_is_older_than_a_volume_or_not() -> None:
    point = RecoveryPoint("arn:1", "i-p1", HOUR_AGO, State.COMPLETE, "nightly")
    assert of(points=(point,)).newest is not None
    newer = Machine("i-p1", "", (ROOT, replace(DATA, attached_at=NOW)))
    unknown = Machine("i-p1", "", (ROOT, replace(DATA, attached_at=None)))
    assert [judge(each, (), (), (point,)).newest for each in (newer, unknown)] == [None, None]


def test_a_node_without_volumes_has_nothing_to_restore() -> None:
    image = Image("ami-1", "i-p1", HOUR_AGO, State.COMPLETE, ())
    found = judge(Machine("i-p1", "", ()), (), (image,), ())
    assert (found.points, found.lacking) == ((), "no EBS volume that could be backed up")


# --- The words of the checks


INSTANCE: dict[str, tuple[GateInput, Outcome, str]] = {
    "fresh": (gate_input(), Outcome.PASS, "2 nodes with a backup, the oldest 5 h old."),
    "none": (with_backups("i-p1"), Outcome.FAIL, "1 of 2 nodes: p2 (no backup)."),
    "old": (
        with_backups("i-p1", **{"i-p2": backed_up("i-p2", hours_ago=30)}),
        Outcome.FAIL,
        "1 of 2 nodes: p2 (none younger than 1 d).",
    ),
    "at the oldest age allowed": (
        with_backups("i-p1", **{"i-p2": backed_up("i-p2", hours_ago=24)}),
        Outcome.PASS,
        "2 nodes with a backup, the oldest 1 d old.",
    ),
    "a warning": (with_facts(instance=Level.WARN, found=Found({})), Outcome.WARN, "not known to EC2"),
    "unread": (
        with_facts(found=Found({}, ("AWS refused.",))),
        Outcome.FAIL,
        "2 of 2 nodes: p1 and p2 (not looked at); AWS did not tell all.",
    ),
    "unread, yet there": (
        with_facts(found=Found({each: backed_up(each) for each in FIRST}, ("AWS Backup refused.",))),
        Outcome.PASS,
        "2 nodes with a backup",
    ),
    "off": (with_facts(instance=Level.OFF, found=None), Outcome.PASS, "asks for none"),
}


@pytest.mark.parametrize(("gate", "outcome", "words"), INSTANCE.values(), ids=INSTANCE)
def test_instance_in_words(gate: GateInput, outcome: Outcome, words: str) -> None:
    check(backup_instance(gate), outcome, words)


DATABASE: dict[str, tuple[GateInput, Outcome, str]] = {
    "attested": (gate_input(), Outcome.PASS, "attested by U0OLA"),
    "to be attested": (with_facts(decided=False, attested=None), Outcome.WARN, "To be attested by whoever approves."),
    "not attested": (with_facts(attested=None), Outcome.FAIL, "Nobody has said"),
    "off": (with_facts(database=Level.OFF, attested=None), Outcome.PASS, "asks for none"),
}


@pytest.mark.parametrize(("gate", "outcome", "words"), DATABASE.values(), ids=DATABASE)
def test_database_in_words(gate: GateInput, outcome: Outcome, words: str) -> None:
    check(backup_database(gate), outcome, words)


def test_an_attestation_ends_with_its_date() -> None:
    found = backup_database(gate_input(backup=backup_facts("i-p1", attested=Attestation("U0OLA", HOUR_AGO))))
    assert found.at == HOUR_AGO


def check(result: CheckResult, outcome: Outcome, words: str) -> None:
    assert result.outcome is outcome
    assert words in result.evidence
    assert "\n" not in result.evidence
    assert bool(result.remedy) is (outcome is not Outcome.PASS)
