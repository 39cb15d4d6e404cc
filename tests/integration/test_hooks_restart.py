"""The bot as a process, killed while a hook runs: the node finishes what it began, and Slack is told how (I2)."""

import re
from pathlib import Path

import yaml

from patching.hooks import INSTALL_WITH_HOOKS
from sandbox.fleet import NONPRODUCTION, PRODUCTION, REGION
from tests.integration.bot_process import CHANNEL, freeze, kill, process_fleet, process_town, run_connected, thaw
from tests.town import Town, wait_for, words_of
from tests.unit.simulated_aws.hooks import DEPLOY

HOOKS = {"pre_install": "DrainOrders", "post_install": "UpdateOrders", "on_exit": "StartOrders"}


def use_hooks(town: Town) -> None:
    """In the configuration, and the documents in both accounts."""
    path = Path(town.environment["PATCHGATE_CONFIG"])
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["applications"]["orders-db"]["hooks"] = HOOKS
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    for file in (DEPLOY / f"{INSTALL_WITH_HOOKS}.yaml", *(DEPLOY / "examples").glob("*.yaml")):
        for account in (NONPRODUCTION, PRODUCTION):
            library = town.around.world.region(account, REGION).library
            library.create(file.stem, file.read_text(encoding="utf-8"), "YAML", town.around.clock.now(), account)


def drained(town: Town, node_id: str) -> bool:
    return "3000" in town.around.world.node(node_id).application.drained


def test_i2_killed_while_a_hook_runs_the_node_goes_on_and_the_hook_that_failed_is_told(tmp_path: Path) -> None:
    with process_town(tmp_path, process_fleet(prod=1)) as town:
        use_hooks(town)
        world = town.around.world
        (node,) = world.fleet.environment("orders-db", "prod").nodes
        run_connected(town)
        town.command("U0ANN", "/patch install orders-db nonprod", CHANNEL)
        town.card("install-1", "*Done*", channel=CHANNEL)
        world.faults.add(
            "ssm", "SendCommand", "step-fails", document="UpdateOrders", step="UpdateDependencies", nodes=[node.id]
        )
        town.command("U0ANN", "/patch install orders-db prod", CHANNEL)
        town.click("U0OLA", town.card("change-1", "Waits for approval", channel=CHANNEL), "approve")
        wait_for(lambda: drained(town, node.id), "the pre-install hook at work")
        freeze(town)
        kill(town)
        run_connected(town)
        thaw(town)
        change = town.card("change-1", "*Failed.*", channel=CHANNEL)
        ref = re.findall(r"install-\d+", words_of(change))[0]
        said = "the post-install hook UpdateOrders failed, so what was installed waits for its reboot: "
        town.card(ref, "*Failed.*", said, "Patchgate was restarted while this ran", channel=CHANNEL)
        (install,) = [call for call in town.sent("Install") if call.params["InstanceIds"] == [node.id]]
        assert install.params["DocumentName"] == INSTALL_WITH_HOOKS
        after = world.node(node.id)
        assert (after.application.healthy, after.application.drained, after.pending_reboot) == (True, set(), True)
        assert len([each for each in world.installs() if node.id in each.node_ids]) == 1
