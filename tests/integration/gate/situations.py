"""For each check of the gate what makes it fail in an application that has soaked, and no other check without need."""

from datetime import timedelta

from sandbox.aws.iam import NODE_ROLE, READS_LISTS
from tests.integration.gate.world import (
    ALARM,
    BASH,
    CHANNEL,
    Situation,
    configure,
    console,
    node_ids,
    ref_in,
    report_card,
    spare_id,
    tag,
)
from tests.town import Town, wait_for


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
    scan_production(town, app)
    town.around.world.set_power(node_ids(town, app, "prod")[0], "stop")


def a_production_agent_went_back_to_an_old_version(town: Town, app: str) -> None:
    scan_production(town, app)
    world = town.around.world
    with world.lock:
        world.node(node_ids(town, app, "prod")[0]).agent_version = "2.0.833.0"


def scan_production(town: Town, app: str) -> None:
    """So that its evidence is fresh, whatever becomes of its nodes."""
    ref = ref_in(town.command("U0ANN", f"/patch scan {app} prod", CHANNEL))
    town.card(ref, "Done", channel=CHANNEL)


def a_nonproduction_node_stopped(town: Town, app: str) -> None:
    """So that its newest scan stays the one of eight days ago; being away is only a warning."""
    town.around.world.set_power(node_ids(town, app, "nonprod")[0], "stop")


def a_nonproduction_node_was_tagged_production(town: Town, app: str) -> None:
    tag(town, "nonprod", node_ids(town, app, "nonprod")[0], Environment="production")


def the_bucket_left_the_configuration(town: Town, app: str) -> None:
    town.stop()
    configure(town, lambda config: config.pop("artifacts"))
    town.start()


def production_may_not_read_the_list(town: Town, app: str) -> None:
    """For every application of the account: its nodes have one role."""
    console(town, "iam", "prod").delete_role_policy(RoleName=NODE_ROLE, PolicyName=READS_LISTS)


def a_window_and_an_association_install_on_production(town: Town, app: str) -> None:
    """And an association that only scans. The window opens in three days, long after the test."""
    world = town.around.world
    nodes = node_ids(town, app, "prod")
    window = world.add_install_window(world.fleet.environment(app, "prod"))
    day = (town.around.clock.now() + timedelta(days=3)).strftime("%a").upper()
    console(town, "ssm", "prod").update_maintenance_window(WindowId=window, Schedule=f"cron(0 3 ? * {day} *)")
    world.add_association(nodes[:1], "AWS-RunPatchBaseline", {"Operation": ["Install"]}, "nightly")
    world.add_association(nodes, "AWS-RunPatchBaseline", {"Operation": ["Scan"]}, "weekly-report")


def a_backup_is_required(town: Town, app: str) -> None:
    """Nobody has ever taken one."""
    configured_anew(town, app, instance="required")


def a_database_backup_is_required(town: Town, app: str) -> None:
    configured_anew(town, app, database="required")


def a_freeze_was_added(town: Town, app: str) -> None:
    said = town.command("U0ADA", f"/patch freeze add stocktaking --apps {app} We count the stock.", CHANNEL)
    assert "stocktaking" in said, said


def a_window_that_is_too_short(town: Town, app: str) -> None:
    """Its one hour before the cutoff is less than the Install in non-production took."""
    assert town.bot
    took = (town.around.clock.now() - timedelta(days=9)).isoformat()
    with town.bot.store.transaction() as tx:
        tx.execute("UPDATE run SET started_at = ? WHERE application = ? AND operation = 'Install'", [took, app])
    ssm = console(town, "ssm", "prod")
    window = ssm.create_maintenance_window(
        Name=app, Schedule="rate(7 days)", Duration=2, Cutoff=1, AllowUnassociatedTargets=False
    )["WindowId"]
    targets = [{"Key": "tag:PatchGroup", "Values": [f"{app}-prod"]}]
    ssm.register_target_with_maintenance_window(WindowId=window, ResourceType="INSTANCE", Targets=targets)
    town.jump(minutes=6)
    wait_for(lambda: "mw-" in town.command("U0ANN", f"/patch windows {app}", CHANNEL) or None, "the window to be read")


def configured_anew(town: Town, app: str, **backup: str) -> None:
    town.stop()
    configure(town, lambda config: config["applications"][app]["backup"].update(backup))
    town.start()


def an_alarm_is_on(town: Town, app: str) -> None:
    town.around.world.set_alarm(ALARM, "ALARM")


INSTALL = "install-source"
SOAK, TESTED = "Soak over", "Every patch is what non-production has"
SITUATIONS = {
    "install-verified": Situation(
        "Installed and verified in non-production", the_verification_scan_was_never_sent, INSTALL
    ),
    "nodes-succeeded": Situation("Every non-production node succeeded", a_node_joined_after_the_install, INSTALL),
    "no-pending-reboot": Situation("Nothing waits for a reboot", a_patch_waits_for_a_reboot, INSTALL),
    "no-problem": Situation("No problem reported", a_problem_was_reported, "clear-problem", with_it=(SOAK,)),
    "alarms-quiet": Situation("No alarm on", an_alarm_is_on, "ask-again", with_it=(SOAK,)),
    "soak-over": Situation(SOAK, nothing_more, "ask-again"),
    "patches-tested": Situation(TESTED, the_repository_moved, INSTALL, with_it=(SOAK,)),
    "same-baseline": Situation("Same baseline content", nothing_more, with_it=(SOAK, TESTED)),
    "nodes-seen": Situation("Every node seen", a_production_node_stopped, with_it=("Every node can be patched",)),
    "preflight": Situation("Every node can be patched", a_production_agent_went_back_to_an_old_version),
    "evidence-fresh": Situation("Scans fresh", a_nonproduction_node_stopped, "scan-source", with_it=(SOAK, TESTED)),
    "nodes-in-place": Situation("Every node where it belongs", a_nonproduction_node_was_tagged_production),
    "backup-instance": Situation("Every node can be restored", a_backup_is_required, "ask-again"),
    "artifacts": Situation("A bucket for the pinned list", the_bucket_left_the_configuration),
    "artifacts-readable": Situation("The nodes can read the pinned list", production_may_not_read_the_list),
    "something-to-install": Situation("Something to install", nothing_more),
    "no-freeze": Situation("No freeze", a_freeze_was_added),
    "inside-window": Situation("In a maintenance window where one is asked for", nothing_more),
    "fits-window": Situation("It ends before the window's cutoff", a_window_that_is_too_short),
}
AT_THE_SEND = frozenset({"affected-told", "no-objection"})
"""What can fail only when a change is about to be sent: stories in tests/integration/test_waiting.py."""
# These never fail, they warn; the database's backup only until somebody who approves has said where it is.
WARNINGS = {
    "other-patchers": Situation(
        "Nobody else patches these nodes",
        a_window_and_an_association_install_on_production,
        shows=("maintenance window mw-", "(other-patchers-prod-install)", "(nightly)"),
    ),
    "backup-database": Situation(
        "The database is backed up", a_database_backup_is_required, shows=("To be attested by whoever approves.",)
    ),
}
