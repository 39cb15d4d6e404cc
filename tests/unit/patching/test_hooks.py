"""Which nodes can run hooks, and what people are told where a document with hooks did not go well."""

import pytest

from patching.hooks import StepEnd, hook_failure, too_old_for_hooks
from patching.model import Node

HOOKS = {
    "PreInstallHookDocName": "DrainOrders",
    "PostInstallHookDocName": "UpdateOrders",
    "OnExitHookDocName": "StartOrders",
}
OURS = ("PreInstallHook", "InstallNoReboot", "PostInstallHook", "InstallAndReboot", "OnExitHook")
AWS = ("PatchScan", "PreInstallHook", "PatchInstallNoReboot", "PostInstallHook", "PatchInstallAndReboot", "OnExitHook")
_STATUS = {"S": "Success", "F": "Failed", "T": "TimedOut", "P": "Pending", "I": "InProgress", "C": "Cancelled"}


def ended(statuses: str, said: str = "pm2: not found.", names: tuple[str, ...] = OURS) -> tuple[StepEnd, ...]:
    """`SSF-S`: a letter for each step, - one that was skipped, which AWS calls a success."""
    return tuple(
        StepEnd(name, _STATUS.get(letter, "Success"), letter in "SFTIC", said if letter in "FT" else "done")
        for name, letter in zip(names, statuses, strict=True)
    )


@pytest.mark.parametrize(
    ("version", "fits"),
    [
        *((version, True) for version in ("3.0.502.0", "3.0.502", "3.2.2303.0", "10.0.0.0")),
        *((version, False) for version in ("3.0.501.9", "2.3.1644.0", "3.0", "", None, "latest")),
    ],
)
def test_an_agent_before_3_0_502_is_too_old_and_so_is_one_that_says_nothing(version: str | None, fits: bool) -> None:
    node = Node("i-1", "db-1", "running", "Online", None, agent_version=version)
    assert too_old_for_hooks([node]) == (() if fits else (f"db-1 ({version or 'unknown'})",))


def test_a_node_without_a_name_goes_by_its_id() -> None:
    assert too_old_for_hooks([Node("i-1", "", "running", "Online", None)]) == ("i-1 (unknown)",)


@pytest.mark.parametrize(
    ("statuses", "sentence"),
    [
        ("F---S", "the pre-install hook DrainOrders failed, so nothing was installed here: pm2: not found."),
        (
            "SF--S",
            "the installation failed, so part of it may be installed and nothing was rebooted for it: pm2: not found.",
        ),
        (
            "SSF-S",
            "the post-install hook UpdateOrders failed, so what was installed waits for its reboot: pm2: not found.",
        ),
        (
            "SSSFS",
            "the second installation, which reboots, failed, "
            "so what was installed may still wait for its reboot: pm2: not found.",
        ),
        ("SSSSF", "the on-exit hook StartOrders failed, so look whether the application is well: pm2: not found."),
    ],
)
def test_the_step_that_failed_is_told_with_what_it_means_and_what_it_said(statuses: str, sentence: str) -> None:
    assert hook_failure(ended(statuses), HOOKS) == sentence


def test_an_on_exit_hook_that_failed_too_is_told_beside_it() -> None:
    assert hook_failure(ended("F---F"), HOOKS) == (
        "the pre-install hook DrainOrders failed, so nothing was installed here; the on-exit hook StartOrders did not "
        "go well either, so look whether the application is well: pm2: not found."
    )


def test_a_hook_that_ran_into_its_time_limit_did_not_stop_the_installation() -> None:
    assert hook_failure(ended("TSSSS", said=""), HOOKS) == (
        "the pre-install hook DrainOrders ran into its time limit, and the steps after it ran all the same."
    )


def test_where_the_command_s_time_is_up_nothing_follows_the_on_exit_hook_included() -> None:
    assert hook_failure(ended("STPPP", said=""), HOOKS) == (
        "the installation ran into its time limit, and nothing ran after it; "
        "the on-exit hook StartOrders did not run, so run it by itself."
    )


@pytest.mark.parametrize(("statuses", "ran"), [("SIPPP", False), ("CPPPP", False), ("PPPPP", None), ("SSSSS", True)])
def test_an_on_exit_hook_that_did_not_run_is_named_once_anything_has(statuses: str, ran: bool | None) -> None:
    told = hook_failure(ended(statuses), HOOKS)
    assert told == ("The on-exit hook StartOrders did not run, so run it by itself." if ran is False else "")


def test_without_an_on_exit_hook_there_is_nothing_to_say_of_it() -> None:
    assert hook_failure(ended("SIPPP"), {"PreInstallHookDocName": "DrainOrders"}) == ""


@pytest.mark.parametrize(
    ("statuses", "told"),
    [
        ("F----S", "the scan before the installation failed, so nothing was installed here: no."),
        ("SF---S", "the pre-install hook DrainOrders failed, so nothing was installed here: no."),
        (
            "SSSSFS",
            "the second installation, which reboots, failed, so what was installed may still wait for its reboot: no.",
        ),
    ],
)
def test_the_steps_of_aws_s_document_mean_the_same(statuses: str, told: str) -> None:
    assert hook_failure(ended(statuses, "no", AWS), HOOKS) == told


def test_steps_of_another_document_say_nothing_of_hooks() -> None:
    assert hook_failure([StepEnd("PatchLinux", "Failed", True, "no space left")], {}) == ""
