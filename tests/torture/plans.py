"""The plans that stories are told with: one wave and nothing else, or everything that a plan can have."""

from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from patching.hooks import INSTALL_WITH_HOOKS
from sandbox.fleet import NONPRODUCTION, PRODUCTION, REGION
from tests.town import Town

DEPLOY = Path(__file__).parents[2] / "deploy" / "ssm"
ALARM = "orders-5xx"
DUMP, HEALTH, ON_EXIT = "DumpOrders", "CheckOrders", "StartOrders"


class Plan(StrEnum):
    PLAIN = "plain"
    WHOLE = "whole"


_KEYS: dict[str, Any] = {
    "hooks": {"pre_install": "DrainOrders", "post_install": "UpdateOrders", "on_exit": ON_EXIT},
    "canary": 1,
    "health": {"document": HEALTH, "alarms": [ALARM], "wait": "30s"},
    "backup": {"kind": "snapshots", "document": DUMP},
}


def furnish(town: Town) -> None:
    """The product's document and the example's hooks are in every account, as an operator puts them there."""
    for account in (NONPRODUCTION, PRODUCTION):
        library = town.around.world.region(account, REGION).library
        for path in (DEPLOY / f"{INSTALL_WITH_HOOKS}.yaml", *sorted((DEPLOY / "examples").glob("*.yaml"))):
            library.create(path.stem, path.read_text(encoding="utf-8"), "YAML", town.around.clock.now(), account)


def configure(town: Town, application: str, plan: Plan) -> None:
    """For the lives that begin from now on."""
    path = Path(town.environment["PATCHGATE_CONFIG"])
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    keys = document["applications"][application]
    for key in _KEYS:
        keys.pop(key, None)
    keys |= _KEYS if plan is Plan.WHOLE else {}
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
