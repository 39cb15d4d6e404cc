"""Where the gate must hold: for each check a world in which it alone fails.

The mutation run (tests/mutation) forces every check to pass, and each time a test here fails.
"""

import pytest

from patching.gate import CHECKS
from tests.integration.gate.world import (
    BASH,
    BLOCKED,
    CHANNEL,
    PENDING,
    Situation,
    answer_to_click,
    ask,
    buttons,
    configure,
    digest_of,
    failing,
    for_app,
    forged_approve,
    judged,
    node_ids,
    production_installs,
    ref_in,
    report_card,
    spare_id,
    tag,
)
from tests.town import Town, words_of

# --- What makes one check fail and no other


def the_verification_scan_was_never_sent(town: Town, app: str) -> None:
    """Of the Install's three commands (a Scan, the Install, a Scan) the last is refused."""
    faults = town.around.world.faults
    faults.add("ssm", "SendCommand", "slow", times=2, seconds=0.001)
    faults.add("ssm", "SendCommand", "access-denied")
    ref = ref_in(town.command("U0ANN", f"/patch install {app} nonprod", CHANNEL))
    town.card(ref, "AccessDenied", "Failed", channel=CHANNEL)


def a_node_joined_after_the_install(town: Town, app: str) -> None:
    tag(town, "nonprod", spare_id(town, app, "nonprod"), PatchGroup=f"{app}-nonprod")


def a_patch_waits_for_a_reboot(town: Town, app: str) -> None:
    world = town.around.world
    with world.lock:
        world.node(node_ids(town, app, "nonprod")[0]).install(BASH, world.advance(), pending_reboot=True)


def a_problem_was_reported(town: Town, app: str) -> None:
    town.click("U0EVE", report_card(town, app), "report-problem")
    assert town.submit("U0EVE", "queries are slow since")["ok"]


def nothing_more(town: Town, app: str) -> None:
    """The fleet or the policy is enough."""


def the_repository_moved(town: Town, app: str) -> None:
    town.around.world.move_repository(app)


def a_production_node_stopped(town: Town, app: str) -> None:
    """After a scan, so that its evidence is fresh."""
    ref = ref_in(town.command("U0ANN", f"/patch scan {app} prod", CHANNEL))
    town.card(ref, "Done", channel=CHANNEL)
    town.around.world.set_power(node_ids(town, app, "prod")[0], "stop")


def a_nonproduction_node_stopped(town: Town, app: str) -> None:
    """So that its newest scan stays the one of eight days ago; being away is only a warning."""
    town.around.world.set_power(node_ids(town, app, "nonprod")[0], "stop")


def a_nonproduction_node_was_tagged_production(town: Town, app: str) -> None:
    tag(town, "nonprod", node_ids(town, app, "nonprod")[0], Environment="production")


def the_bucket_left_the_configuration(town: Town, app: str) -> None:
    town.stop()
    configure(town, lambda config: config.pop("artifacts"))
    town.start()


INSTALL = "install-source"
SITUATIONS = {
    "install-verified": Situation(
        "Installed and verified in non-production", the_verification_scan_was_never_sent, INSTALL
    ),
    "nodes-succeeded": Situation("Every non-production node succeeded", a_node_joined_after_the_install, INSTALL),
    "no-pending-reboot": Situation("Nothing waits for a reboot", a_patch_waits_for_a_reboot, INSTALL),
    "no-problem": Situation("No problem reported", a_problem_was_reported, "clear-problem"),
    "soak-over": Situation("Soak over", nothing_more, "ask-again"),
    "patches-tested": Situation("Every patch is what non-production has", the_repository_moved, INSTALL),
    "same-baseline": Situation("Same baseline content", nothing_more),
    "nodes-seen": Situation("Every node seen", a_production_node_stopped),
    "evidence-fresh": Situation("Scans fresh", a_nonproduction_node_stopped, "scan-source"),
    "nodes-in-place": Situation("Every node where it belongs", a_nonproduction_node_was_tagged_production),
    "artifacts": Situation("A bucket for the pinned list", the_bucket_left_the_configuration),
    "something-to-install": Situation("Something to install", nothing_more),
}


def test_every_check_has_its_situation() -> None:
    assert list(SITUATIONS) == list(CHECKS)


@for_app("good")
def test_where_nothing_fails_an_approver_is_asked(town: Town, app: str) -> None:
    card = judged(town, ask(town, app))
    assert PENDING in words_of(card)
    assert failing(card) == set()
    assert buttons(card) == {"approve", "reject"}


@for_app(*SITUATIONS)
@pytest.mark.usefixtures("as_configured")
def test_I3_one_failing_check_blocks_production(town: Town, app: str) -> None:
    situation = SITUATIONS[app]
    situation.arise(town, app)
    ref = ask(town, app)
    card = judged(town, ref)
    assert failing(card) == {situation.title}, words_of(card)
    assert BLOCKED in words_of(card)
    assert buttons(card) == ({situation.button} if situation.button else set())
    forged = forged_approve(town, ref, digest_of(town, ref))
    assert f"{ref} is blocked" in answer_to_click(town, "U0OLA", forged, ref)
    assert production_installs(town, app) == []
