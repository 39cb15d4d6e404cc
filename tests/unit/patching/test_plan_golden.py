"""Plans as people read them, one file for each configuration (issue 4, Shows 6).

`pytest tests/unit/patching/test_plan_golden.py --golden-update` writes them anew; read the diff as an on-call would.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from patching.execution import Execution
from patching.hooks import INSTALL_WITH_HOOKS, INSTALL_WITH_HOOKS_UNPINNED
from patching.model import Node
from patching.plan import BASELINE_PARAMETERS, Document, Documents, PlanStep, install_plan, numbered, scan_plan
from patching.plan_json import plan_of, step_json
from patching.plan_summary import summary
from patching.plan_text import plan_text
from patching.waves import doubts
from storage.database import to_json
from tests.unit.patching.plans import node

GOLDEN = Path(__file__).parent / "golden"
HOOKS = frozenset({"PreInstallHookDocName", "PostInstallHookDocName", "OnExitHookDocName"})
WIDEST = 100

THREE_HOOKS = "hooks: {pre_install: DrainOrders, post_install: UpdateOrders, on_exit: StartOrders}\n"
ORDERS_DB = """\
hooks: {pre_install: DrainOrders, post_install: UpdateOrders, on_exit: StartOrders}
waves: [{"tag:Role": [replica]}, {"tag:Role": [primary]}]
canary: 1
ha_group: "tag:Cluster"
rate: {max_concurrency: 50%, max_errors: "0"}
health: {document: CheckOrders, alarms: [orders-5xx], wait: 5m}
reboot: RebootIfNeeded
timeouts: {delivery: 10m, step: 2h, reboot: 15m}
backup: {kind: snapshots, document: DumpOrders, max_age: 24h, instance: required, database: required}
"""
# name → what the application says of its execution; the fleet is `FLEETS`', else three nodes without tags.
CASES: dict[str, str] = {
    "defaults": "{}\n",
    "defaults-nonprod": "{}\n",
    "hooks": THREE_HOOKS,
    "hooks-not-pinned": THREE_HOOKS + "policy: {pin: off}\n",
    "waves-by-tag": 'waves: [{"tag:Role": [replica]}, {"tag:Role": [primary], "tag:Zone": [a]}]\n',
    "canary": "canary: 1\n",
    "ha-group": 'ha_group: "tag:Cluster"\n',
    "rate-in-percent-120-nodes": "rate: {max_concurrency: 25%, max_errors: 2%}\n",
    "rate-in-nodes-120-nodes": 'rate: {max_concurrency: 60, max_errors: "3"}\nbackup: {kind: snapshots}\n',
    "health": "health: {document: CheckOrders, alarms: [orders-5xx, orders-latency], wait: 5m}\n",
    "no-reboot": "reboot: NoReboot\n",
    "backup-snapshots": "backup: {kind: snapshots}\n",
    "backup-image": "backup: {kind: image}\n",
    "backup-document": "backup: {document: DumpOrders}\n",
    "timeouts": "timeouts: {delivery: 30m, step: 4h, reboot: 45m}\n",
    "a-misspelt-tag": 'waves: [{"tag:Role": [replcia]}]\nha_group: "tag:Clutser"\ncanary: 9\n',
    "everything": ORDERS_DB,
    "everything-nonprod": ORDERS_DB,
}


def fleet(count: int, **tags: str) -> list[Node]:
    """`orders-db-1` to `orders-db-N`; each word of a tag is a node's value, `-` for none."""
    columns = {name: words.split() for name, words in tags.items()}
    return [
        replace(
            node(
                f"i-{number:017x}",
                **{name: words[number - 1] for name, words in columns.items() if words[number - 1] != "-"},
            ),
            name=f"orders-db-{number}",
        )
        for number in range(1, count + 1)
    ]


SIX = fleet(6, Role="primary replica replica replica replica -", Cluster="a a a b b b", Zone="a a a b b b")
FLEETS: dict[str, list[Node]] = {
    **dict.fromkeys(("waves-by-tag", "ha-group", "canary", "everything", "everything-nonprod", "a-misspelt-tag"), SIX),
    **dict.fromkeys(("rate-in-percent-120-nodes", "rate-in-nodes-120-nodes"), fleet(120)),
}


def document(name: str, parameters: frozenset[str] = frozenset()) -> Document:
    return Document(name, str(1 + len(name) % 4), hashlib.sha256(name.encode()).hexdigest(), parameters)


def described(execution: Execution, *, pinned: bool, gated: bool) -> Documents:
    """What `scheduler.documents` reads from AWS."""
    scan = document("AWS-RunPatchBaseline", BASELINE_PARAMETERS)
    named = execution.hooks.named
    with_hooks = INSTALL_WITH_HOOKS if pinned else INSTALL_WITH_HOOKS_UNPINNED
    takes = BASELINE_PARAMETERS | HOOKS if pinned else BASELINE_PARAMETERS - {"InstallOverrideList"} | HOOKS
    return Documents(
        scan=scan,
        install=document(with_hooks, takes) if named else scan,
        hooks={parameter: document(name) for parameter, name in named.items()},
        health=document(execution.health.document) if execution.health.document else None,
        backup=document(execution.backup.document) if gated and execution.backup.document else None,
    )


def planned(name: str) -> tuple[tuple[PlanStep, ...], Execution, Sequence[Node]]:
    """As a change, or where the name says so as what is sent to non-production without fresh evidence."""
    keys: dict[str, Any] = yaml.safe_load(CASES[name])
    production = not name.endswith("-nonprod")
    pinned = production and "policy" not in keys
    execution = Execution.model_validate({key: value for key, value in keys.items() if key != "policy"})
    nodes = FLEETS.get(name, fleet(3))
    found = described(execution, pinned=pinned, gated=production)
    steps = install_plan(execution, found, nodes, pinned=pinned, gated=production)
    if not production:
        steps = numbered((*scan_plan(found.scan, [each.id for each in nodes]), *steps))
    return steps, execution, nodes


def page(name: str) -> str:
    steps, execution, nodes = planned(name)
    names: Mapping[str, str] = {each.id: each.name for each in nodes}
    production = not name.endswith("-nonprod")
    doubted = doubts(nodes, execution.waves, execution.canary, execution.ha_group)
    text = plan_text(steps, names, f"Install on orders-db {'prod' if production else 'nonprod'}", production=production)
    head = [f"Summary: {summary(steps, names)}", *doubted]
    return "\n".join(["# applications.orders-db", f"{CASES[name]}---", *head, "", text])


@pytest.mark.parametrize("name", CASES)
def test_a_plan_reads_as_it_is_kept(name: str, pytestconfig: pytest.Config) -> None:
    file = GOLDEN / f"{name}.txt"
    if pytestconfig.getoption("--golden-update", False):
        file.write_text(page(name), encoding="utf-8")
    assert page(name) == file.read_text(encoding="utf-8")


def test_every_golden_file_is_one_of_these() -> None:
    assert {file.stem for file in GOLDEN.glob("*.txt")} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_every_node_every_document_and_every_step_is_told(name: str) -> None:
    steps, _, nodes = planned(name)
    text = page(name).partition("---\n")[2]
    assert not [line for line in text.splitlines() if len(line) > WIDEST and not line.startswith("Summary: ")]
    for each in nodes:
        assert text.count(f"{each.name} ({each.id})") == 1, "a node is in one wave"
    for step in steps:
        if step.document.name:
            assert f"{step.document.name} version {step.document.version}" in text
            assert text.count(step.document.hash) == 1
    told = re.findall(r"^(?=[ 0-9–]{5} [a-z]) *([0-9]+)(?:–([0-9]+))? ", text, re.MULTILINE)
    covered = [number for first, last in told for number in range(int(first), int(last or first) + 1)]
    assert covered == [step.position for step in steps]


@pytest.mark.parametrize("name", CASES)
def test_what_is_stored_gives_the_same_text(name: str) -> None:
    """A change's message is rendered from its digest's parts, whose keys the store sorts (I5)."""
    steps, _, nodes = planned(name)
    names = {each.id: each.name for each in nodes}
    again = plan_of(json.loads(to_json([step_json(step) for step in steps])))
    assert [step_json(step) for step in again] == [step_json(step) for step in steps]
    assert plan_text(again, names, "", production=True) == plan_text(steps, names, "", production=True)
    assert summary(again, names) == summary(steps, names)
