"""The mutants: each one swaps a function, so that a rule is left out, and names the tests that must notice.

A guard that stands behind another one, for the same case, is left out together with it: else nothing could show.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from bot.access import SlackDirectory
from commands import decide
from commands.ports import Role
from patching import clocks
from patching.gate import CHECKS, Check, CheckResult, GateInput, Outcome
from patching.states import RunState
from scheduler import changes, collect, decisions, permits, plan, restored
from storage import changes as stored_changes
from storage import decisions as stored_decisions
from storage import problems, rechecks
from storage import runs as stored_runs
from storage.runs import Purpose
from tests.integration.gate.situations import AT_THE_SEND, SITUATIONS
from tests.mutation.mutant import Mutant, swap
from tests.mutation.notices import NOTICE_MUTANTS
from tests.mutation.waves import WAVE_MUTANTS
from tests.mutation.window_orders import ORDER_MUTANTS
from tests.mutation.windows import WINDOW_MUTANTS

GATE = "tests/integration/gate/test_gate_holds.py"
GUARDS = "tests/integration/gate/test_guards_hold.py"
UNIT = "tests/unit/patching/test_gate.py"
SEEN_ANEW = "tests/integration/test_scanned_again.py::test_I3_nothing_is_installed_on_what_was_seen_before_the_approval"


def _forced(name: str) -> Mutant:
    """One check answers "pass" whatever it finds."""
    true = CHECKS[name]

    def passing(gate: GateInput) -> CheckResult:
        return replace(true(gate), outcome=Outcome.PASS)

    def apply() -> None:
        cast(dict[str, Check], CHECKS)[name] = passing

    if name in AT_THE_SEND:
        return Mutant(f"{name} forced to pass", apply, (f"{UNIT}::test_check[{name}]",))
    shown = "a_warning_is_shown_where_people_decide_and_holds_up_nobody"
    story = "I3_one_failing_check_blocks_production" if name in SITUATIONS else shown
    return Mutant(f"{name} forced to pass", apply, (f"{GATE}::test_{story}[{name}]", f"{UNIT}::test_check[{name}]"))


def _guard(name: str, apply: Callable[[], None], *tests: str) -> Mutant:
    return Mutant(name, apply, tuple(f"{GUARDS}::{test}" for test in tests))


# --- Approvals


def _anybody_who_asked_approves() -> None:
    """At the click and at its judgement; the look before the send still refuses, and nobody may get that far."""

    def broken(true: Any) -> Any:
        return lambda db, config, now, change, *rest: true(db, config, now, replace(change, requesters=()), *rest)

    swap(decide, "refusal_of", broken)


def _only_the_last_request_counts() -> None:
    """Who asked for the superseded change is forgotten."""

    def broken(true: Any) -> Any:
        return lambda tx, now, **given: true(tx, now, **{**given, "supersedes": None})

    swap(stored_changes, "create", broken)


def _no_role_is_needed_at_the_click() -> None:
    """Neither where the form opens nor where the click is judged."""

    def broken(true: Any) -> Any:
        return lambda tx, parts, decision, approvers, unreadable: true(
            tx, parts, decision, approvers | {decision.user_id}, unreadable
        )

    def roles(true: Any) -> Any:
        return lambda directory, user_id: true(directory, user_id) | {Role.APPROVER}

    swap(decisions, "_refusal", broken)
    SlackDirectory.roles = roles(SlackDirectory.roles)  # type: ignore[method-assign]


def _no_role_is_needed_before_the_send() -> None:
    def broken(true: Any) -> Any:
        def forbidden(parts: Any, tx: Any, run: Any, step: Any, now: Any, approvers: Any) -> Any:
            decided = {each.user_id for each in stored_decisions.made(tx, run.change_id)}
            return true(parts, tx, run, step, now, approvers | decided)

        return forbidden

    swap(permits, "forbidden", broken)


def _any_digest_is_accepted_at_the_click() -> None:
    def broken(true: Any) -> Any:
        return lambda db, config, now, change, user, kind, _: true(db, config, now, change, user, kind, change.digest)

    swap(decide, "refusal_of", broken)


# --- Before the send


def _no_scans_before_the_send() -> None:
    """The scans of the preparation stand in for those of the send, in both places that ask for them."""

    def no_scans(true: Any) -> Any:
        return lambda parts, change, purpose, names: (
            [] if purpose is Purpose.SEND else true(parts, change, purpose, names)
        )

    def of_change(true: Any) -> Any:
        return lambda db, change_id, purpose, since=None: true(
            db, change_id, Purpose.PREPARE if purpose is Purpose.SEND else purpose
        )

    swap(changes, "_scans", no_scans)
    swap(stored_runs, "of_change", of_change)


def _the_digest_is_not_compared_before_the_send() -> None:
    """Only the gate is asked."""
    swap(changes, "_against", lambda true: lambda change, found: () if found.passed else ("The gate does not pass.",))


def _problems_are_forgotten() -> None:
    swap(problems, "open_problem", lambda true: lambda db, application: None)


# --- Evidence and nodes


def _somebody_elses_scan_is_evidence() -> None:
    def broken(true: Any) -> Any:
        def why_not(step: Any, node_id: str, summaries: Any, rows: Any) -> Any:
            found = summaries.get(node_id)
            ours = {node_id: replace(found, snapshot_id=step.id)} if found else {}
            return true(step, node_id, ours, rows)

        return why_not

    swap(collect, "_why_not", broken)


def _what_somebody_else_installed_soaks() -> None:
    """Any Scan that shows a patch starts its clock, as if our own Install had brought it."""

    def broken(true: Any) -> Any:
        return lambda known, before, after, **given: true(known, before, after, verified=True, foreign_install=False)

    swap(clocks, "advance", broken)


def _nodes_may_stand_anywhere() -> None:
    swap(plan, "misplaced_nodes", lambda true: lambda parts, key, nodes: ())


def _a_scan_that_showed_nothing_is_a_look() -> None:
    swap(changes, "unseen", lambda true: lambda parts, scans: ())


def _a_database_is_never_an_older_copy() -> None:
    swap(rechecks, "is_owed", lambda true: lambda db, application, environment: False)


def _what_is_planned_in_a_copy_was_not_sent() -> None:
    """A stopped run goes on with the steps that its copy calls planned."""

    def broken(true: Any) -> Any:
        return lambda tx, now, run: stored_runs.transition(
            tx, run, RunState.NEEDS_HUMAN, now, "clock", note=restored.RUN_NOTE
        )

    swap(restored, "_stop", broken)


MUTANTS: tuple[Mutant, ...] = (
    *map(_forced, CHECKS),
    _guard(
        "scans before the send left out",
        _no_scans_before_the_send,
        "test_I3_a_repository_that_moves_before_the_send_supersedes_the_change[drift]",
    ),
    _guard(
        "requester rule left out",
        _anybody_who_asked_approves,
        "test_I4_who_asked_does_not_approve_though_an_approver[own-request]",
        "test_I4_who_asked_for_what_it_replaces_does_not_approve[asked-again]",
    ),
    _guard(
        "requesters of superseded changes left out",
        _only_the_last_request_counts,
        "test_I4_who_asked_for_what_it_replaces_does_not_approve[asked-again]",
    ),
    _guard(
        "approver role left out at the click",
        _no_role_is_needed_at_the_click,
        "test_I4_without_the_role_nobody_approves[no-role]",
    ),
    _guard(
        "approver role left out before the send",
        _no_role_is_needed_before_the_send,
        "test_I4_an_approver_who_lost_the_role_before_the_send_counts_no_more[role-lost]",
    ),
    _guard(
        "digest comparison left out at the click",
        _any_digest_is_accepted_at_the_click,
        "test_I3_an_approve_that_shows_another_digest_is_refused[other-digest]",
    ),
    _guard(
        "digest comparison left out before the send",
        _the_digest_is_not_compared_before_the_send,
        "test_I3_a_node_that_joins_before_the_send_supersedes_the_change[node-joins]",
    ),
    _guard(
        "reported problems left out",
        _problems_are_forgotten,
        "test_I3_a_problem_reported_after_the_approval_stops_the_send[problem-late]",
    ),
    _guard(
        "somebody else's SnapshotId accepted",
        _somebody_elses_scan_is_evidence,
        "test_I8_somebody_elses_scan_is_no_evidence[foreign-scan]",
    ),
    _guard(
        "what somebody else installed soaks",
        _what_somebody_else_installed_soaks,
        "test_I8_what_somebody_else_installed_does_not_soak[foreign-install]",
    ),
    _guard(
        "misplaced nodes overlooked",
        _nodes_may_stand_anywhere,
        "test_I13_a_node_tagged_production_blocks_an_install_outside_production[misplaced]",
    ),
    Mutant(
        "scans that showed nothing before the send accepted",
        _a_scan_that_showed_nothing_is_a_look,
        (f"{SEEN_ANEW}[1-nonprod]", f"{SEEN_ANEW}[2-prod]"),
    ),
    Mutant(
        "production installed before AWS was asked what it knows",
        _a_database_is_never_an_older_copy,
        ("tests/integration/test_at_most_once.py::test_I2_nothing_is_installed_before_aws_was_asked_what_it_knows",),
    ),
    Mutant(
        "planned steps of a copy taken for unsent",
        _what_is_planned_in_a_copy_was_not_sent,
        ("tests/integration/test_restored.py::test_I2_a_scan_that_is_planned_is_looked_up_and_not_sent",),
    ),
    *WAVE_MUTANTS,
    *WINDOW_MUTANTS,
    *ORDER_MUTANTS,
    *NOTICE_MUTANTS,
)
