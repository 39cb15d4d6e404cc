"""Evidence as kept rows: read back as it was, newest per node, and what somebody else did beside it (I8)."""

import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from patching.model import Evidence, PatchRow, PatchState, PatchSummary
from patching.plan import Document, StepKind, scan_plan
from patching.states import RunState
from storage import evidence, runs, steps
from storage.database import Store
from storage.runs import Run
from tests.unit.patching.build import INSTALLED, MISSING, row
from tests.unit.patching.build import evidence as reported
from tests.unit.patching.plans import installing
from tests.unit.storage.rows import NOW, everything, killed_half_way, run_in

DOCUMENT = Document("AWS-RunPatchBaseline", "1", "a" * 64)
OLD = row("openssl.amd64", "3.0.1", INSTALLED)
NEW = row("openssl.amd64", "3.0.2", MISSING, "important", cve_ids=("CVE-2026-1", "CVE-2026-2"))


def test_evidence_is_read_back_as_it_was_kept(store: Store) -> None:
    dated = PatchRow("bash.amd64", "bash.amd64:5.2", PatchState.INSTALLED_OTHER, installed_time=NOW)
    kept = reported("a", [OLD, NEW, dated], counts={"MissingCount": 1, "InstalledCount": 2})
    save(store, kept)
    assert evidence.newest(store.db, "orders-db", "nonprod") == {"i-a": named(kept, "scan-1")}


def test_the_newest_evidence_of_each_node_counts(store: Store) -> None:
    save(store, reported("a", [OLD]), reported("b", [OLD]))
    second = save(store, reported("a", [NEW]))
    newest = evidence.newest(store.db, "orders-db", "nonprod")
    assert {node: item.rows for node, item in newest.items()} == {"i-a": (NEW,), "i-b": (OLD,)}
    assert newest["i-a"].run == second.ref


def test_environments_are_kept_apart(store: Store) -> None:
    save(store, reported("a", [OLD]), environment="nonprod")
    save(store, reported("a", [NEW]), environment="prod")
    assert evidence.newest(store.db, "orders-db", "nonprod")["i-a"].rows == (OLD,)
    assert evidence.newest(store.db, "orders-db", "prod")["i-a"].rows == (NEW,)
    assert evidence.newest(store.db, "billing-db", "prod") == {}


def test_I8_a_step_has_one_piece_of_evidence_of_a_node(store: Store) -> None:
    run = save(store, reported("a", [OLD]))
    step = steps.of_run(store.db, run.id)[0]
    before = everything(store)
    with pytest.raises(sqlite3.IntegrityError), store.transaction() as tx:
        evidence.save(tx, NOW, run.id, step.id, "orders-db", "nonprod", reported("a", [NEW]))
    assert everything(store) == before


def test_evidence_without_its_rows_is_never_kept(store: Store) -> None:
    run = save(store)
    step = steps.of_run(store.db, run.id)[0]
    with killed_half_way(store) as tx:
        evidence.save(tx, NOW, run.id, step.id, "orders-db", "nonprod", reported("a", [OLD]))
    assert evidence.of_run(store.db, run.id) == {}


def test_what_was_known_before_an_install_is_not_its_own_verification(store: Store) -> None:
    """An Install with a scan of its own before it: before that scan's picture, after the verification's."""
    save(store, reported("a", [NEW]))
    run = run_in(store, RunState.RUNNING)
    plan = (*scan_plan(DOCUMENT, ["i-a"]), *installing(["i-a"], pinned=False))
    ids = iter(("own-scan", "install", "verify"))
    with store.transaction() as tx:
        steps.plan(tx, run.id, plan, lambda: next(ids))
        own = reported("a", [OLD, NEW])
        evidence.save(tx, NOW, run.id, "own-scan", "orders-db", "nonprod", own)
    assert steps.get(store.db, "verify").kind is StepKind.VERIFY
    with store.transaction() as tx:
        evidence.save(tx, NOW, run.id, "verify", "orders-db", "nonprod", reported("a", [OLD]))
    assert evidence.before_run(store.db, run.id, "orders-db", "nonprod")["i-a"].rows == (OLD, NEW)
    assert evidence.of_run(store.db, run.id)["i-a"].rows == (OLD,)


def test_the_version_that_a_missing_patch_replaces_is_the_one_seen_before(store: Store) -> None:
    save(store, reported("a", [row("openssl.amd64", "3.0.0", INSTALLED)]))
    save(store, reported("a", [OLD]))
    scan = save(store, reported("a", [NEW]))
    assert evidence.earlier_titles(store.db, scan.id) == {("i-a", "openssl.amd64"): OLD.title}


def test_I8_ours_is_what_a_step_of_ours_was_given(store: Store) -> None:
    run = save(store, reported("a", [OLD]))
    assert evidence.is_ours(store.db, steps.of_run(store.db, run.id)[0].id)
    assert not evidence.is_ours(store.db, "00000000-1111-2222-3333-444444444444")


def test_I8_somebody_elses_operation_is_remembered_once(store: Store) -> None:
    later = NOW + timedelta(hours=1)
    for at, news in ((NOW, 1), (NOW, 0), (later, 1)):
        with store.transaction() as tx:
            assert evidence.record_foreign(tx, NOW, "orders-db", "nonprod", [foreign("Install", at)]) == news
    assert evidence.newest_foreign_install(store.db, "orders-db", "nonprod") == later
    assert evidence.newest_foreign_install(store.db, "orders-db", "prod") is None


@pytest.mark.parametrize(("operation", "end"), [("Scan", NOW), ("Install", None)])
def test_I8_only_an_install_that_ended_restarts_a_soak(store: Store, operation: str, end: datetime | None) -> None:
    with store.transaction() as tx:
        evidence.record_foreign(tx, NOW, "orders-db", "nonprod", [foreign(operation, end)])
    assert evidence.newest_foreign_install(store.db, "orders-db", "nonprod") is None


def save(store: Store, *items: Evidence, environment: str = "nonprod") -> Run:
    """An ended scan with this evidence."""
    run = run_in(store, RunState.SUCCEEDED, environment=environment)
    with store.transaction() as tx:
        steps.plan(tx, run.id, scan_plan(DOCUMENT, ["i-a", "i-b"]), lambda: f"step-{run.id}")
        for item in items:
            evidence.save(tx, NOW, run.id, f"step-{run.id}", "orders-db", environment, item)
    return runs.get(store.db, run.id)


def named(item: Evidence, run: str) -> Evidence:
    return Evidence(**{**{name: getattr(item, name) for name in Evidence.__slots__}, "run": run})


def foreign(operation: str, end: datetime | None) -> PatchSummary:
    return PatchSummary(
        node_id="i-a",
        snapshot_id="foreign",
        operation=operation,
        operation_start=datetime(2026, 11, 20, tzinfo=UTC),
        operation_end=end,
        baseline_id="pb-1",
        patch_group="orders-db-nonprod",
        reboot_option=None,
        counts={},
    )
