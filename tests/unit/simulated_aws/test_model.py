"""Answers held against the model: real ones pass, a wrong state name doesn't."""

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.aws.model import BrokenAnswer, SsmError, check_input, to_wire
from tests.unit.simulated_aws.support import START

EXAMPLES = Path(__file__).parents[2] / "data" / "aws"
ROW = {"Title": "a", "KBId": "a", "Classification": "", "Severity": "", "State": "Installed", "InstalledTime": START}


@pytest.mark.parametrize(
    ("example", "operation"),
    [
        ("describe-instance-patches.windows", "DescribeInstancePatches"),
        ("describe-instance-patch-states", "DescribeInstancePatchStates"),
        ("get-command-invocation", "GetCommandInvocation"),
        ("list-command-invocations", "ListCommandInvocations"),
        ("send-command", "SendCommand"),
        ("describe-maintenance-windows", "DescribeMaintenanceWindows"),
        ("describe-maintenance-windows-for-target", "DescribeMaintenanceWindowsForTarget"),
        ("describe-maintenance-window-schedule", "DescribeMaintenanceWindowSchedule"),
        ("describe-maintenance-window-tasks", "DescribeMaintenanceWindowTasks"),
        ("get-maintenance-window-task", "GetMaintenanceWindowTask"),
        ("describe-patch-groups", "DescribePatchGroups"),
    ],
)
def test_a_real_answer_breaks_nothing_but_its_anonymised_ids_and_printed_times(example: str, operation: str) -> None:
    answer = json.loads((EXAMPLES / f"{example}.json").read_text(encoding="utf-8"))
    broken = ""
    try:
        to_wire(operation, answer)
    except BrokenAnswer as error:
        broken = error.message
    sentences = [sentence for sentence in broken.removeprefix(f"{operation}: ").split("; ") if sentence]
    unexplained = [s for s in sentences if "EXAMPLE" not in s and "must be of type timestamp" not in s]
    assert unexplained == []


@pytest.mark.parametrize("state", ["INSTALLED", "Instaled", "", "missing"])
def test_a_state_that_no_real_answer_shows_is_refused(state: str) -> None:
    to_wire("DescribeInstancePatches", {"Patches": [ROW]})
    with pytest.raises(BrokenAnswer, match="state"):
        to_wire("DescribeInstancePatches", {"Patches": [ROW | {"State": state}]})


@pytest.mark.parametrize(
    "answer",
    [
        {"Patches": [{"Title": "a"}]},
        {"Patches": [ROW | {"Unheard": "of"}]},
        {"Patches": [ROW | {"InstalledTime": "yesterday"}]},
        {"Patches": "none"},
    ],
)
def test_an_answer_of_another_shape_is_refused(answer: dict[str, Any]) -> None:
    with pytest.raises(BrokenAnswer):
        to_wire("DescribeInstancePatches", answer)


def test_times_go_out_as_epoch_seconds_and_nothing_as_null() -> None:
    sent = to_wire("DescribeInstancePatches", {"Patches": [ROW | {"CVEIds": None}]})
    assert sent["Patches"][0]["InstalledTime"] == START.timestamp()
    assert "CVEIds" not in sent["Patches"][0]


def test_a_violation_is_told_in_aws_s_words() -> None:
    with pytest.raises(SsmError) as refused:
        check_input("SendCommand", {"DocumentName": "AWS-RunPatchBaseline", "MaxConcurrency": "banana%"})
    assert refused.value.message == (
        "1 validation error detected: Value 'banana%' at 'maxConcurrency' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: ^([1-9][0-9]*|[1-9][0-9]%|[1-9]%|100%)$"
    )


@pytest.mark.parametrize(("key", "accepted"), [("tag:Équipe 1", True), ("tag:team\n", False), ("tag:a*b", False)])
def test_java_s_letter_classes_are_understood(key: str, accepted: bool) -> None:
    params = {"DocumentName": "AWS-RunPatchBaseline", "Targets": [{"Key": key, "Values": ["x"]}]}
    if accepted:
        check_input("SendCommand", params)
    else:
        with pytest.raises(SsmError, match="pattern"):
            check_input("SendCommand", params)
