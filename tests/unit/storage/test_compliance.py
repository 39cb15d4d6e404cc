"""What the newest evidence says of each node in short."""

from patching.model import PatchState
from storage import compliance
from storage.database import Store
from tests.unit.patching.build import INSTALLED, MISSING, evidence, row
from tests.unit.storage.test_evidence import save

OLD, NEW = row("openssl.amd64", "3.0.1", INSTALLED), row("openssl.amd64", "3.0.2", MISSING)
FAILED = row("bash.amd64", "5.2", PatchState.FAILED)
WAITING = row("linux.amd64", "6.1", PatchState.INSTALLED_PENDING_REBOOT)
OFFERED = row("vim.amd64", "9", PatchState.AVAILABLE_SECURITY_UPDATE)


def test_a_node_is_judged_by_its_newest_evidence(store: Store) -> None:
    save(store, evidence("a", [NEW, FAILED]), evidence("b", [NEW]), evidence("c", [OLD, OFFERED]))
    save(store, evidence("a", [OLD, FAILED, WAITING]), evidence("d", []))
    save(store, evidence("c", [NEW]), environment="prod")
    found = compliance.of_environment(store.db, "orders-db", "nonprod")
    assert [(each.node_id, each.lacking, each.waiting) for each in found] == [
        *(("i-a", 1, 1), ("i-b", 1, 0), ("i-c", 0, 0), ("i-d", 0, 0)),
    ]
    assert compliance.lacking(store.db, "orders-db", "nonprod") == {
        (FAILED.kb_id, FAILED.title): {"i-a"},
        (NEW.kb_id, NEW.title): {"i-b"},
    }


def test_a_scan_that_failed_is_no_evidence(store: Store) -> None:
    save(store, evidence("a", [], counts={"MissingCount": -1}), evidence("b", [OLD]))
    assert [each.node_id for each in compliance.of_environment(store.db, "orders-db", "nonprod")] == ["i-b"]
