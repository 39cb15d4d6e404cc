"""The demo's application that is installed step by step: backups first, hooks on its nodes, wave after wave."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from sandbox.aws.fleet import Application, Environment

_DOCUMENTS: Final = Path(__file__).parents[1] / "deploy" / "ssm"
_ALARM: Final = "orders-ha-5xx"
_EXECUTION: Final[dict[str, Any]] = {
    "hooks": {"pre_install": "DrainOrders", "post_install": "UpdateOrders", "on_exit": "StartOrders"},
    "waves": [{"tag:Role": ["replica"]}, {"tag:Role": ["primary"]}],
    "canary": 1,
    "health": {"document": "CheckOrders", "alarms": [_ALARM], "wait": "30s"},
    "backup": {"kind": "snapshots", "document": "DumpOrders", "instance": "required", "database": "required"},
}


def documents() -> dict[str, str]:
    """What an operator creates in each account: the product's own document and the examples, YAML by name."""
    paths = (*_DOCUMENTS.glob("*.yaml"), *(_DOCUMENTS / "examples").glob("*.yaml"))
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(paths)}


def in_waves(application: Application) -> Application:
    """The application with a primary, its first node in each environment, and replicas that go before it."""
    environments = tuple(_with_roles(environment) for environment in application.environments)
    return replace(application, environments=environments, alarms=(_ALARM,), execution=_EXECUTION)


def _with_roles(environment: Environment) -> Environment:
    primary, *replicas = environment.nodes
    nodes = [(primary, "primary"), *((node, "replica") for node in replicas)]
    return replace(environment, nodes=tuple(replace(node, tags={**node.tags, "Role": role}) for node, role in nodes))
