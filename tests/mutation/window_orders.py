"""Mutants of what makes a maintenance window once, and never one that installs on production."""

from typing import Any
from uuid import uuid4

from aws import window_wire
from aws.window_wire import ExistingWindow
from patching import window_spec
from scheduler import window_orders, window_steps
from scheduler.window_steps import Job
from tests.mutation.mutant import Mutant, swap

ORDERS = "tests/integration/test_window_orders.py"
EDITS = "tests/integration/test_window_edits.py"


def _tokens_are_made_anew() -> None:
    Job.token = lambda self, name: str(uuid4())  # type: ignore[method-assign]


def _halves_stay() -> None:
    swap(window_orders, "_undo", lambda true: lambda job: None)


def _orders_are_not_looked_at_again() -> None:
    swap(window_spec, "refusals", lambda true: lambda spec, environment: {})


def _tasks_are_not_looked_at_again() -> None:
    def broken(true: Any) -> Any:
        return lambda spec, target_id, *, scan_only, existing=None: true(
            spec, target_id, scan_only=False, existing=existing
        )

    swap(window_wire, "task_settings", broken)


def _windows_that_install_are_enabled() -> None:
    ExistingWindow.may_install = lambda self: False  # type: ignore[method-assign]


def _misplaced_nodes_are_installed_on() -> None:
    swap(window_steps, "_check_nodes", lambda true: lambda job: None)


ORDER_MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "client tokens of a window made anew for each try",
        _tokens_are_made_anew,
        (f"{ORDERS}::test_a_lost_answer_makes_nothing_twice[CreateMaintenanceWindow]",),
    ),
    Mutant(
        "a half-made window left at AWS",
        _halves_stay,
        (f"{ORDERS}::test_what_aws_refuses_half_way_is_deleted_again_and_told",),
    ),
    Mutant(
        "an order for a window not held against the configuration of now",
        _orders_are_not_looked_at_again,
        (f"{EDITS}::test_production_gets_no_window_that_installs_whoever_wrote_the_row",),
    ),
    Mutant(
        "a task for production not looked at right before its request",
        _tasks_are_not_looked_at_again,
        (f"{EDITS}::test_production_gets_no_window_that_installs_whoever_wrote_the_row",),
    ),
    Mutant(
        "a window that installs on production enabled",
        _windows_that_install_are_enabled,
        (f"{EDITS}::test_an_existing_window_that_installs_on_production_is_disabled_but_enabled_only_once_it_scans",),
    ),
    Mutant(
        "a window that installs on nodes tagged as production",
        _misplaced_nodes_are_installed_on,
        (f"{EDITS}::test_I13_a_window_that_installs_reaches_no_node_that_is_tagged_as_production",),
    ),
)
