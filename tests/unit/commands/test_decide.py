"""Approve and Reject: every reason for which a click does not count, on what is stored (I3, I4)."""

from dataclasses import replace

import pytest

from commands.command import Actor
from commands.decide import ApprovalForm, Decide, refusal_of
from commands.problem import ReportProblem
from commands.replies import Done
from patching.gate import CheckResult, Outcome
from patching.model import Operation
from patching.states import ChangeState, RunState
from storage import audit, changes, decisions, problems, runs
from storage.changes import Change
from storage.runs import Purpose
from tests.unit.commands.desk import ANN, BEN, DIGEST, EVE, KIM, OLA, Desk, configuration

FORM = ApprovalForm(has_read=True, backup="snapshot of last night", application="orders-db")


def approve(change: Change, digest: str = DIGEST) -> Decide:
    return Decide(change.id, "approve", digest, form=FORM)


def test_a_click_is_kept_with_what_was_seen_and_judged_elsewhere(desk: Desk) -> None:
    change = desk.change()
    assert desk.ask(approve(change), OLA) == Done("")
    (decision,) = decisions.made(desk.store.db, change.id)
    assert (decision.user_id, decision.kind, decision.digest, decision.state) == (
        "U0OLA",
        "approve",
        DIGEST,
        "checking",
    )
    assert decision.channel == "C0ORDERS"
    assert changes.get(desk.store.db, change.id).state is ChangeState.PENDING
    assert [row.action for row in audit.rows(desk.store.db)][-1] == "approve clicked"
    assert desk.woken == ["decisions"]


@pytest.mark.parametrize(
    ("form", "field", "words"),
    [
        (None, None, "needs its form"),
        (replace(FORM, has_read=False), "read", "read what the patches address"),
        (replace(FORM, backup="  "), "backup", "where the database backup is"),
        (replace(FORM, application="billing-db"), "application", "That is not orders-db"),
        (replace(FORM, application=""), "application", "That is not orders-db"),
    ],
)
def test_an_approval_is_more_than_a_click(desk: Desk, form: ApprovalForm | None, field: str | None, words: str) -> None:
    refused = desk.refused(replace(approve(desk.change()), form=form), OLA)
    assert words in refused.sentence
    assert refused.field == field


def test_where_the_backup_is_need_not_be_said_where_the_plan_s_own_document_makes_it(desk: Desk) -> None:
    change = desk.change()
    with desk.store.transaction() as tx:
        known = (
            CheckResult("backup-database", "The database is backed up", Outcome.PASS, "The plan runs Dump first."),
        )
        tx.execute("UPDATE change SET checks = ? WHERE id = ?", [changes.checks_to_json(known), change.id])
    assert desk.ask(replace(approve(change), form=replace(FORM, backup="")), OLA) == Done("")


def test_where_the_backup_is_stands_in_the_decision_and_the_audit(desk: Desk) -> None:
    change = desk.change()
    desk.ask(approve(change), OLA)
    assert decisions.made(desk.store.db, change.id)[0].backup == "snapshot of last night"
    assert '"backup":"snapshot of last night"' in [row.detail for row in audit.rows(desk.store.db)][-1]


@pytest.mark.parametrize("actor", [ANN, Actor("U0ANN", OLA.roles)])
def test_I4_who_asked_does_not_approve_whatever_their_roles(desk: Desk, actor: Actor) -> None:
    assert "somebody else has to approve" in desk.refused(approve(desk.change()), actor).sentence


@pytest.mark.parametrize("user", ["U0ANN", "U0BEN", "U0EVE"])
def test_I4_nobody_of_a_superseded_chain_approves(desk: Desk, user: str) -> None:
    change = desk.change(requesters=("U0ANN", "U0BEN", "U0EVE"))
    assert "somebody else has to approve" in desk.refused(approve(change), Actor(user, OLA.roles)).sentence
    desk.ask(approve(change), OLA)


def test_who_asked_may_reject(desk: Desk) -> None:
    """A rejection sends nothing. Whether they hold the role is judged with the group read afresh."""
    desk.ask(Decide(desk.change().id, "reject", DIGEST, "too risky"), ANN)
    assert decisions.made(desk.store.db)[0].reason == "too risky"


@pytest.mark.parametrize("digest", ["", "e" * 64, DIGEST[:-1], DIGEST.upper()])
@pytest.mark.parametrize("kind", ["approve", "reject"])
def test_I3_another_digest_than_the_one_stored_is_refused(desk: Desk, digest: str, kind: str) -> None:
    sentence = desk.refused(Decide(desk.change().id, kind, digest), OLA).sentence
    assert "has changed since that message" in sentence


@pytest.mark.parametrize("state", [state for state in ChangeState if state is not ChangeState.PENDING])
@pytest.mark.parametrize("kind", ["approve", "reject"])
def test_I3_only_a_pending_change_is_decided(desk: Desk, state: ChangeState, kind: str) -> None:
    sentence = desk.refused(Decide(desk.change(state).id, kind, DIGEST), OLA).sentence
    assert f"change-1 is {state}, no longer waiting for a decision" in sentence


def test_a_change_that_is_not_there(desk: Desk) -> None:
    assert "There is no change-9" in desk.refused(Decide(9, "approve", DIGEST), OLA).sentence


def test_clicking_twice_counts_once(desk: Desk) -> None:
    change = desk.change()
    desk.ask(approve(change), OLA)
    assert "is being checked already; once is enough" in desk.refused(approve(change), OLA).sentence
    desk.ask(approve(change), KIM)  # another approver's click stands beside it


@pytest.mark.parametrize(("kind", "word"), [("approve", "approved"), ("reject", "rejected")])
def test_the_second_is_told_who_was_first(desk: Desk, kind: str, word: str) -> None:
    change = desk.change()
    desk.ask(replace(approve(change), kind=kind, reason="why"), OLA)
    with desk.store.transaction() as tx:
        (decision,) = decisions.made(tx)
        assert decisions.judge(tx, desk.clock.now(), decision, accepted=True, note="")
        new = ChangeState.APPROVED if kind == "approve" else ChangeState.REJECTED
        changes.transition(tx, change, new, desk.clock.now(), "U0OLA")
    desk.woken.clear()
    refusal = desk.refused(approve(change), KIM)
    assert f"change-1 was already {word} by {{person}}" in refusal.sentence
    assert refusal.person == "U0OLA"


def test_I3_a_reported_problem_stops_an_approval_and_not_a_rejection(desk: Desk) -> None:
    change = desk.change()
    with desk.store.transaction() as tx:
        run = runs.create(
            tx,
            desk.clock.now(),
            operation=Operation.INSTALL,
            application="orders-db",
            environment="nonprod",
            production=False,
            purpose=Purpose.REQUEST,
            requested_by="U0ANN",
        )
        tx.execute("UPDATE run SET state = ? WHERE id = ?", [RunState.SUCCEEDED, run.id])
    desk.ask(ReportProblem(run.id, "queries hang"), EVE)
    desk.woken.clear()
    refusal = desk.refused(approve(change), OLA)
    assert "has reported a problem with orders-db; nothing was approved" in refusal.sentence
    assert refusal.person == "U0EVE"
    desk.ask(Decide(change.id, "reject", DIGEST, "see the problem"), OLA)
    with desk.store.transaction() as tx:
        problem = problems.open_problem(tx, "orders-db")
        assert problem is not None
        problems.clear(tx, desk.clock.now(), problem, run.ref, "U0ANN", "was the network")
    desk.ask(approve(change), KIM)


def test_I3_a_configuration_changed_since_then_stops_an_approval(desk: Desk) -> None:
    change = desk.change()
    desk.config = configuration(soak="8d")
    assert "The configuration has changed since change-1" in desk.refused(approve(change), OLA).sentence
    desk.ask(Decide(change.id, "reject", DIGEST, "why"), OLA)


@pytest.mark.parametrize(
    ("policy", "hours", "counts"),
    [
        ({}, 24, True),
        ({}, 24.01, False),
        ({"approval_expiry": "2h"}, 2, True),
        ({"approval_expiry": "2h"}, 2.01, False),
        ({"scan_max_age": "1h"}, 1, True),
        ({"scan_max_age": "1h"}, 1.01, False),
    ],
)
def test_I3_old_evidence_is_not_approved(desk: Desk, policy: dict[str, str], hours: float, counts: bool) -> None:
    desk.config = configuration(**policy)
    change = desk.change()
    desk.later(hours=hours)
    refusal = refusal_of(desk.store.db, desk.config, desk.clock.now(), change, "U0OLA", kind="approve", digest=DIGEST)
    assert (refusal is None) == counts
    assert refusal is None or "too old to approve" in refusal.sentence


def test_I6_a_decision_is_judged_once(desk: Desk) -> None:
    change = desk.change()
    desk.ask(approve(change), OLA)
    (decision,) = decisions.made(desk.store.db, state="checking")
    with desk.store.transaction() as tx:
        assert decisions.judge(tx, desk.clock.now(), decision, accepted=False, note="not an approver")
    with desk.nothing_changes(), desk.store.transaction() as tx:
        assert not decisions.judge(tx, desk.clock.now(), decision, accepted=True, note="")
    assert [row.action for row in audit.rows(desk.store.db)][-1] == "approve refused"


def test_a_requester_in_another_role_is_still_a_requester(desk: Desk) -> None:
    change = desk.change(requesters=("U0BEN",))
    assert "You asked for change-1" in desk.refused(approve(change), BEN).sentence
