"""docs/guide/hooks.md against the documents of deploy/ssm and against what simulated nodes are left with."""

import re
from typing import Any

import pytest
import yaml

from patching.execution import Execution
from patching.hooks import StepEnd, hook_failure
from tests.unit.docs.tree import ROOT
from tests.unit.simulated_aws.hooks import DEPLOY, HOOKS, WITH_HOOKS
from tests.unit.simulated_aws.test_install_with_hooks import FAILURES, Left

PAGE = (ROOT / "docs" / "guide" / "hooks.md").read_text(encoding="utf-8")


def document(name: str) -> dict[str, Any]:
    folder = DEPLOY if name == WITH_HOOKS else DEPLOY / "examples"
    parsed: dict[str, Any] = yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8"))
    return parsed


def row(left: Left) -> tuple[str, ...]:
    """A row's cells after the first."""
    failed = left.steps.index("F") + 1
    steps = f"{failed} fails" if failed == 5 else f"{failed} fails, 5 runs"
    patches = "installed" if left.installed else "not installed"
    reboot = (", not rebooted" if left.pending else ", rebooted") if left.installed else ""
    requests = "are kept out" if left.closed else "come in"
    return steps, "healthy" if left.healthy else "not healthy", requests, patches + reboot


def test_the_table_of_failures_is_what_simulated_nodes_are_left_with() -> None:
    rows = re.findall(r"^\| `([\w-]+)`, `(\w+)` \| (.+) \|$", PAGE, re.MULTILINE)
    assert {(name, step): tuple(cells.split(" | ")) for name, step, cells in rows} == {
        failing: row(left) for failing, left in FAILURES.items()
    }


def test_the_table_of_steps_is_the_document_s() -> None:
    documented = re.findall(r"^\| `(\w+)` \| (?:your document|`AWS-RunPatchBaseline`)", PAGE, re.MULTILINE)
    assert documented == [step["name"] for step in document(WITH_HOOKS)["mainSteps"]]


def test_the_words_for_a_failed_step_are_those_of_the_messages() -> None:
    documented = dict(re.findall(r"^\| `(\w+)` \| (the .+) \|$", PAGE, re.MULTILINE))
    steps = [step["name"] for step in document(WITH_HOOKS)["mainSteps"]]
    assert documented == {name: hook_failure([StepEnd(name, "Failed", True)], HOOKS).rstrip(".") for name in steps}


def test_the_keys_of_the_example_are_those_of_the_configuration() -> None:
    (example,) = re.findall(r"^```yaml\n(.+?)^```", PAGE, re.MULTILINE | re.DOTALL)
    execution = Execution.model_validate(yaml.safe_load(example)["applications"]["orders-db"])
    assert execution.hooks.named == HOOKS


@pytest.mark.parametrize("name", sorted(path.stem for path in (DEPLOY / "examples").glob("*.yaml")))
def test_each_example_is_documented_and_does_what_the_page_asks_of_a_hook(name: str) -> None:
    parsed = document(name)
    [steps] = re.findall(rf"\[`{name}`\]\([^)]+\) \| (.+) \|$", PAGE, re.MULTILINE)
    assert [step["name"] for step in parsed["mainSteps"]] == re.findall(r"`([A-Z]\w+)`", steps)
    assert all(step["inputs"]["onFailure"] == "exit" for step in parsed["mainSteps"])
    assert all("default" in spec for spec in parsed.get("parameters", {}).values())
