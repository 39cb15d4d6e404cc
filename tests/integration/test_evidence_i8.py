"""Evidence counts only from a run of ours; what somebody else does means "scan again" (I8)."""

from collections.abc import Iterator

import pytest

from patching.gate import CheckResult, Outcome
from patching.model import Evidence
from storage import changes, evidence
from tests.integration.small_town import CHANNEL, ask, proven_town, steps_of
from tests.town import Town, wait_for, words_of

APPLICATIONS = ("during", "soak", "after", "hidden", "own")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with proven_town(tmp_path_factory.mktemp("evidence"), APPLICATIONS) as opened:
        yield opened


def test_I8_our_evidence_carries_our_snapshot_id_and_ended_after_our_send(town: Town) -> None:
    ref = ask(town, "/patch scan own nonprod")
    town.card(ref, "*Done*", channel=CHANNEL)
    (step,) = steps_of(town, ref)
    (item,) = evidence_of(town, ref)
    assert step.sending_at
    assert (item.snapshot_id, item.operation) == (step.id, step.operation)
    assert step.sending_at < item.operation_end
    assert town.sent()[-1].params["Parameters"]["SnapshotId"] == [step.id]


def test_I8_an_installs_own_report_is_no_evidence(town: Town) -> None:
    """Its verification Scan is: nothing that was kept has Operation=Install."""
    assert town.bot
    for application in APPLICATIONS:
        for item in evidence.newest(town.bot.store.db, application, "nonprod").values():
            assert item.operation.value == "Scan"


def test_I8_a_foreign_scan_between_ours_and_the_reading_is_not_counted(town: Town) -> None:
    """Reading is held while somebody else scans: their report has taken the place of ours."""
    (node,) = town.around.world.fleet.environment("during", "nonprod").nodes
    clock = town.around.clock
    rate = clock.rate
    clock.set_rate(1)  # the Scan must not end before reading is held, nor the patience for its report in between
    ref = ask(town, "/patch scan during nonprod")
    wait_for(lambda: [step for step in steps_of(town, ref) if step.sent_at], "our Scan to be sent")
    wait_for(lambda: not at_rest(town, node.id), "our Scan to begin on the node")
    held = town.around.world.faults.add("ssm", "DescribeInstancePatchStates", "access-denied", times=10**6)
    wait_for(lambda: at_rest(town, node.id), "our Scan to end on the node")
    foreign(town, node.id, "Scan")
    town.around.world.faults.remove(held.id)
    clock.set_rate(rate)
    town.jump(minutes=3)
    card = town.card(ref, "*Failed.*", channel=CHANNEL)
    assert "somebody else's Scan ran on the node meanwhile; scan again" in words_of(card)
    assert evidence_of(town, ref) == []


def test_I8_a_foreign_install_soaks_nothing_of_what_it_changed(town: Town) -> None:
    """Non-production has the patch then, and has had what it replaced for eight days: neither counts for it."""
    (node,) = town.around.world.fleet.environment("soak", "nonprod").nodes
    town.around.world.move_repository("soak")
    foreign(town, node.id, "Install")
    ref = ask(town, "/patch install soak prod")
    town.card(ref, "Blocked by the gate", "Soak over", channel=CHANNEL)
    assert check(town, ref, "patches-tested").outcome is Outcome.PASS
    assert check(town, ref, "soak-over").outcome is Outcome.FAIL


def test_I8_what_somebody_else_did_after_our_evidence_makes_a_change_scan_again(town: Town) -> None:
    (node,) = town.around.world.fleet.environment("after", "nonprod").nodes
    first = ask(town, "/patch scan after nonprod")
    second = ask(town, "/patch scan after prod")
    for ref in (first, second):
        town.card(ref, "*Done*", channel=CHANNEL)
    before = len(scans_of(town, node.id))
    foreign(town, node.id, "Scan")
    change = ask(town, "/patch install after prod")
    town.card(change, "Waits for approval", channel=CHANNEL)
    assert len(scans_of(town, node.id)) == before + 1  # non-production again; production's was fresh and its last
    (prod,) = town.around.world.fleet.environment("after", "prod").nodes
    assert len(scans_of(town, prod.id)) == 1


def test_I8_a_foreign_install_hidden_by_a_foreign_scan_soaks_nothing_either(town: Town) -> None:
    """A node shows its last operation only (facts/patch-manager.md section 2): what changed tells of the other."""
    (node,) = town.around.world.fleet.environment("hidden", "nonprod").nodes
    town.around.world.move_repository("hidden")
    foreign(town, node.id, "Install")
    foreign(town, node.id, "Scan")
    ref = ask(town, "/patch install hidden prod")
    town.card(ref, "Blocked by the gate", channel=CHANNEL)
    assert check(town, ref, "soak-over").outcome is Outcome.FAIL


def check(town: Town, ref: str, name: str) -> CheckResult:
    assert town.bot
    found = changes.get(town.bot.store.db, int(ref.partition("-")[2])).checks
    assert found
    return next(each for each in found if each.name == name)


def evidence_of(town: Town, ref: str) -> list[Evidence]:
    assert town.bot
    return list(evidence.of_run(town.bot.store.db, int(ref.partition("-")[2])).values())


def scans_of(town: Town, node_id: str) -> list[str]:
    """The Scans of ours that named a node."""
    return [call.params["Comment"] for call in town.sent("Scan") if node_id in call.params["InstanceIds"]]


def foreign(town: Town, node_id: str, operation: str) -> None:
    """Somebody else's operation, to its end: the node shows another report than before."""
    world = town.around.world
    before = world.node(node_id).report
    world.foreign_operation([node_id], operation)
    wait_for(lambda: world.node(node_id).report is not before and at_rest(town, node_id), f"their {operation} to end")


def at_rest(town: Town, node_id: str) -> bool:
    node = town.around.world.node(node_id)
    return node.running is None and not node.rebooting
