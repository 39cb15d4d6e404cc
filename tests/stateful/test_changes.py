"""Stories of changes, made up by hypothesis and judged by an independent ledger (issue 3, Shows 3).

No path sends without enough current approvers who never asked and a passing gate on scans newer than the approval;
and every legitimate path does send.
"""

from datetime import timedelta

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from commands import grammar, objecting
from commands.command import Command
from commands.decide import ApprovalForm, Decide
from commands.emergency import Emergency
from commands.errors import Refused
from commands.install import Install
from commands.objecting import Object, Overrule, TakeBack
from commands.ports import Role
from commands.problem import ClearProblem, ReportProblem
from commands.waive import Waive
from commands.withdraw import Withdraw
from patching.gate import Outcome
from patching.states import ChangeState, RunState
from storage import audit, decisions, objections, problems, runs
from storage.changes import Change
from storage.runs import Purpose
from tests.integration.window_house import opens_at, window
from tests.stateful.conftest import EXAMPLES
from tests.stateful.house import House
from tests.stateful.ledger import Ledger
from tests.stateful.street import Street

STEPS = 30
SOAK = timedelta(days=7)
ASKERS = ("U0ANN", "U0KIM")
APPROVERS = ("U0OLA", "U0LEE", "U0KIM", "U0ADA", "U0ANN")
OFTEN = st.sampled_from((True, True, True, False))
WAIVABLE = ("soak-over", "install-verified")


def held() -> dict[Role, set[str]]:
    """Kim and Ada hold two roles each, so that only four eyes stand in their way."""
    return {
        Role.OPERATOR: {"U0ANN", "U0KIM"},
        Role.APPROVER: {"U0OLA", "U0LEE", "U0KIM", "U0ADA"},
        Role.ADMIN: {"U0ADA"},
    }


def policy(required: int) -> dict[str, object]:
    return {"approvals_required": required, "waivable": WAIVABLE, "soak": "7d"}


class Changes(RuleBasedStateMachine):
    """`disturbed`: something happened since non-production was proven that may keep a change from being sent.
    `fresh`: nobody has asked for production since the newest set was put into non-production."""

    street: Street

    @initialize(required=st.sampled_from((1, 2)))
    def installed_and_soaked(self, required: int) -> None:
        self.house: House = self.street.next_house(policy(required))
        self.house.people.held = held()
        self.ledger = Ledger(self.house, required)
        self.prove()

    # --- What people do

    @precondition(lambda self: self.state() in {ChangeState.BLOCKED, ChangeState.SUPERSEDED} and not self.fresh)
    @rule()
    def another_asks_again(self) -> None:
        """Whoever asked first is still in the chain, and tries to approve."""
        self.house.settle()
        self.tried(ClearProblem(self.house.name, "it was the network"), "U0ANN")
        self.prove()
        chain = self.ledger.requests[self.newest().id].excluded
        self.open(Install(self.house.prod), next((user for user in ASKERS if user not in chain), "U0ANN"))
        self.house.settle()
        if self.state() is ChangeState.PENDING:
            self.let_askers_try()

    @precondition(lambda self: self.nothing_is_open())
    @rule(user=st.sampled_from((*ASKERS, "U0OLA")), judged=OFTEN)
    def ask(self, user: str, judged: bool) -> None:
        self.open(Install(self.house.prod), user)
        self.wait_for_the_gate(judged)

    @precondition(lambda self: self.nothing_is_open())
    @rule(user=st.sampled_from((*ASKERS, "U0OLA")), judged=OFTEN)
    def ask_for_a_window(self, user: str, judged: bool) -> None:
        window(self.house, opens_at(self.house))
        self.house.jump(timedelta(minutes=6))
        self.house.read_agenda()
        self.open(Install(self.house.prod, at_window=True), user)
        self.wait_for_the_gate(judged)

    @precondition(lambda self: self.state() is ChangeState.WAITING)
    @rule(late=st.sampled_from((False, False, True)))
    def the_window_opens(self, late: bool) -> None:
        """`late`: nothing of the bot ran until after its cutoff."""
        self.house.jump(timedelta(hours=2) if late else timedelta())
        self.let_the_window_open()
        self.disturbed = True
        if late:
            self.house.settle()

    @precondition(lambda self: self.state() in objecting.OPEN)
    @rule(user=st.sampled_from(("U0EVE", "U0ANN")))
    def object(self, user: str) -> None:
        if self.tried(Object(self.newest().id, "month end runs that night"), user):
            self.ledger.objecting.add(user)
            self.disturbed = True

    @precondition(lambda self: self.ledger.objecting)
    @rule(overruled=st.booleans())
    def the_objection_ends(self, overruled: bool) -> None:
        for each in objections.standing(self.house.store.db, self.newest().id)[:1]:
            asked, by = (Overrule(each.id, "it was moved"), "U0ADA") if overruled else (TakeBack(each.id), each.user_id)
            if self.tried(asked, by):
                self.ledger.objecting.discard(each.user_id)

    @precondition(lambda self: self.is_open() and not self.ledger.frozen)
    @rule()
    def freeze(self) -> None:
        self.typed("freeze add stocktaking --apps all we count the stock")
        self.ledger.frozen = self.disturbed = True

    @precondition(lambda self: self.ledger.frozen)
    @rule()
    def lift(self) -> None:
        self.typed("freeze lift stocktaking all is counted")
        self.ledger.frozen = False

    @precondition(lambda self: self.nothing_is_open())
    @rule(user=st.sampled_from(("U0ADA", "U0ANN")), judged=OFTEN)
    def emergency(self, user: str, judged: bool) -> None:
        self.open(Emergency(self.house.prod, "the exploit is public"), user, emergency=True)
        self.wait_for_the_gate(judged)

    @precondition(lambda self: self.failing())
    @rule(data=st.data(), user=st.sampled_from(("U0ADA", "U0KIM")))
    def waive(self, data: st.DataObject, user: str) -> None:
        change = self.newest()
        check = data.draw(st.sampled_from(self.failing()), label="check")
        self.open(Waive(change.id, check, "known and harmless"), user, emergency=bool(change.emergency))
        self.house.settle()

    @precondition(lambda self: self.state() is ChangeState.PENDING)
    @rule(user=st.sampled_from(APPROVERS), seen=OFTEN, rounds=st.integers(0, 4))
    def click(self, user: str, seen: bool, rounds: int) -> None:
        """`seen` False: the button of a message that showed something else. `rounds`: how far it gets before more."""
        self.approve(user, self.newest().digest or "" if seen else "0" * 64)
        self.sweeps_run(rounds)

    @precondition(lambda self: self.state() is ChangeState.PENDING)
    @rule(user=st.sampled_from(APPROVERS))
    def double_click(self, user: str) -> None:
        first, second = (self.approve(user, self.newest().digest or "") for _ in range(2))
        assert not second, f"{user} clicked twice and was heard twice ({first})"

    @precondition(lambda self: self.state() is ChangeState.PENDING)
    @rule(users=st.permutations(APPROVERS))
    def race(self, users: list[str]) -> None:
        """Two click before either click is judged."""
        for user in users[:2]:
            self.approve(user, self.newest().digest or "")
        self.house.round()

    @precondition(lambda self: self.state() is ChangeState.PENDING)
    @rule()
    def those_who_asked_approve(self) -> None:
        self.let_askers_try()

    @precondition(lambda self: self.state() is ChangeState.PENDING)
    @rule()
    def approvers_leave_after_approving(self) -> None:
        self.let_enough_approve()
        self.house.people.held[Role.APPROVER].clear()
        self.house.settle()

    @precondition(lambda self: self.state() is ChangeState.PENDING)
    @rule()
    def the_repository_moves_after_the_approval(self) -> None:
        change = self.let_enough_approve()
        self.house.world.move_repository(self.house.name)
        self.disturbed = True
        self.house.settle()
        self.ledger.look()
        assert self.ledger.installs(change.id) == 0

    @precondition(lambda self: self.state() is ChangeState.PENDING)
    @rule(user=st.sampled_from(APPROVERS))
    def reject(self, user: str) -> None:
        change = self.newest()
        self.tried(Decide(change.id, "reject", change.digest or "", "not tonight"), user)

    @precondition(lambda self: self.is_open())
    @rule(user=st.sampled_from((*ASKERS, "U0OLA")))
    def withdraw(self, user: str) -> None:
        change = self.newest()
        if self.tried(Withdraw(change.id), user):
            assert user in self.ledger.requests[change.id].excluded
            assert self.newest().state is ChangeState.WITHDRAWN

    @precondition(lambda self: self.is_open())
    @rule()
    def report_problem(self) -> None:
        self.disturbed |= self.tried(ReportProblem(self.proof_run(), "queries hang"), "U0EVE")

    @precondition(lambda self: self.problem_is_open())
    @rule(user=st.sampled_from(("U0ANN", "U0OLA")))
    def clear_problem(self, user: str) -> None:
        self.tried(ClearProblem(self.house.name, "it was the network"), user)

    @precondition(lambda self: self.is_open())
    @rule()
    def install_in_nonprod(self) -> None:
        if self.tried(Install(self.house.nonprod), "U0ANN"):
            self.disturbed = True

    # --- What happens to people

    @precondition(lambda self: self.is_open())
    @rule(user=st.sampled_from(APPROVERS))
    def role_lost(self, user: str) -> None:
        self.house.people.held[Role.APPROVER].discard(user)

    @precondition(lambda self: self.house.people.held != held())
    @rule(user=st.sampled_from(APPROVERS))
    def role_given(self, user: str) -> None:
        self.house.people.held[Role.APPROVER].add(user)

    @precondition(lambda self: self.is_open() or not self.house.people.readable)
    @rule()
    def group_unreadable_or_readable_again(self) -> None:
        self.house.people.readable = not self.house.people.readable

    # --- What happens to the world

    @precondition(lambda self: self.is_open())
    @rule()
    def drift(self) -> None:
        self.house.world.move_repository(self.house.name)
        self.disturbed = True

    @precondition(lambda self: self.is_open())
    @rule(by=st.sampled_from((timedelta(minutes=2), timedelta(minutes=40), timedelta(hours=3), timedelta(hours=25))))
    def wait(self, by: timedelta) -> None:
        """Expiry, stale scans, scans for the send that have grown old; an emergency's soak may end meanwhile."""
        self.house.jump(by)
        self.disturbed = True

    @precondition(lambda self: self.nothing_is_open() and not self.fresh)
    @rule(soaked=st.booleans())
    def next_month(self, soaked: bool) -> None:
        """The problem is cleared, the archive moves, and the newest set goes into non-production."""
        self.house.settle()
        self.tried(ClearProblem(self.house.name, "it was the network"), "U0ANN")
        self.house.world.move_repository(self.house.name)
        self.prove(soaked=soaked)

    @precondition(lambda self: self.is_open())
    @rule()
    def lose_a_reply(self) -> None:
        """SSM takes the next command, and the bot hears nothing of it."""
        self.house.world.faults.add("ssm", "SendCommand", "lost-reply", 1)

    @precondition(lambda self: self.is_open())
    @rule(required=st.sampled_from((None, None, 1, 2)))
    def restart(self, required: int | None) -> None:
        """`required`: with another policy, which what was asked before does not stand for."""
        if required is None or required == self.ledger.required:
            self.house.restart()
            return
        self.house.restart(policy(required))
        self.ledger.required = required
        self.disturbed = True

    @precondition(lambda self: self.is_open())
    @rule(rounds=st.integers(1, 4))
    def sweeps(self, rounds: int) -> None:
        self.sweeps_run(rounds)

    @precondition(lambda self: self.is_open())
    @rule()
    def settle(self) -> None:
        self.house.settle()

    @precondition(lambda self: self.state() is ChangeState.PENDING and not self.disturbed)
    @rule()
    def approve_with_enough(self) -> None:
        """A legitimate path from wherever the story stands: it is sent, once, and it ends well."""
        if self.house.people.readable and not self.problem_is_open() and not self.ledger.frozen:
            self.house.people.held = held()
            self.house.settle()  # somebody's click may wait to be judged, and be a rejection
            if self.state() is not ChangeState.REJECTED:
                self.let_go()

    # --- What always holds

    @invariant()
    def nothing_was_sent_that_may_not_be(self) -> None:
        if hasattr(self, "ledger"):
            self.ledger.look()

    def teardown(self) -> None:
        if not hasattr(self, "ledger"):
            return
        self.end_what_is_open()
        self.house.world.move_repository(self.house.name)  # so that production misses something again
        self.prove()
        self.open(Install(self.house.prod), "U0ANN")
        self.house.settle()
        assert self.state() is ChangeState.PENDING, self.told()
        self.let_go()
        assert audit.first_broken(self.house.store.db) is None
        self.only_the_lists_were_installed()
        self.house.close()

    # --- How it is done

    def open(self, asked: Command, user: str, *, emergency: bool = False) -> None:
        before = self.house.newest
        if self.tried(asked, user):
            self.ledger.asked(user, before, emergency=emergency)
            self.fresh = False

    def wait_for_the_gate(self, judged: bool) -> None:
        """`judged` False: what comes next comes while both environments are still scanned."""
        if judged:
            self.house.settle()

    def let_enough_approve(self) -> Change:
        """Those who may and have not; then their clicks are judged, and nothing is scanned yet."""
        change = self.newest()
        for user in self.ledger.candidates(change)[: change.required]:
            self.approve(user, change.digest or "")
        self.house.round()
        return change

    def let_askers_try(self) -> None:
        """All of the chain are given the role, and click; with the others who do they would be enough."""
        change = self.newest()
        excluded = sorted(self.ledger.requests[change.id].excluded)
        self.house.people.held[Role.APPROVER].update(excluded)
        for user in (*excluded, *self.ledger.candidates(change)[: change.required - 1]):
            self.approve(user, change.digest or "")
        self.house.settle()

    def approve(self, user: str, digest: str) -> bool:
        change = self.newest()
        form = ApprovalForm(has_read=True, backup="snapshot of last night", application=self.house.name)
        if self.tried(Decide(change.id, "approve", digest, form=form), user):
            self.ledger.approved(user, change, digest)
            return True
        return False

    def tried(self, asked: Command, user: str) -> bool:
        """Whether it was taken in; a refusal writes nothing."""
        before = self.house.commits()
        try:
            self.house.ask(asked, user)
        except Refused:
            assert self.house.commits() == before
            return False
        return True

    def prove(self, *, soaked: bool = True) -> None:
        """The newest set into non-production, and its soak, or half of it."""
        self.house.ask(Install(self.house.nonprod), "U0ANN")
        self.house.settle()
        newest = runs.recent(self.house.store.db, 1)[0]
        assert newest.state is RunState.SUCCEEDED, newest
        self.house.jump(SOAK + timedelta(days=1) if soaked else SOAK / 2)
        self.fresh, self.disturbed = True, False

    def let_go(self) -> None:
        """As many approve as are still wanted; then time does the rest."""
        change = self.newest()
        if change.state is ChangeState.PENDING:
            self.house.people.held[Role.APPROVER] |= {"U0OLA", "U0LEE"} | self.given(change)
            wanted = change.required - len(self.given(change))
            for user in self.ledger.candidates(change)[:wanted]:
                assert self.approve(user, change.digest or "")
        self.house.settle()
        if self.state() is ChangeState.WAITING:
            self.ledger.look()
            assert self.ledger.installs(change.id) == 0
            self.let_the_window_open()
        self.house.settle()
        self.ledger.look()
        assert self.state() is ChangeState.DONE, self.told()
        (install,) = runs.of_change(self.house.store.db, change.id, Purpose.CHANGE)
        assert install.state is RunState.SUCCEEDED, install
        assert self.ledger.installs(change.id) == 1

    def let_the_window_open(self) -> None:
        starts = self.newest().starts_at
        assert starts
        self.house.jump(max(starts - self.house.clock.now(), timedelta()) + timedelta(seconds=1))
        self.house.read_agenda()
        self.house.round()

    def typed(self, text: str) -> None:
        """By Ada, who is an admin whatever happens to her other role."""
        self.house.ask(grammar.parse(text, self.house.parts.config), "U0ADA")

    def given(self, change: Change) -> set[str]:
        return set(decisions.approvers(self.house.store.db, change))

    def end_what_is_open(self) -> None:
        """Everybody is back, the problem is cleared, and what still waits is taken back."""
        self.house.people.held, self.house.people.readable = held(), True
        self.house.settle()
        self.tried(ClearProblem(self.house.name, "it was the network"), "U0ANN")
        if self.ledger.frozen:
            self.lift()
        self.house.settle()
        change = self.house.newest
        if change and change.state in {ChangeState.PENDING, ChangeState.WAITING, ChangeState.HELD}:
            assert self.tried(Withdraw(change.id), change.requesters[0])

    def only_the_lists_were_installed(self) -> None:
        """What production's nodes installed is what the change named that sent them (dependencies: none here)."""
        db, production = self.house.store.db, self.house.node_ids("prod")
        listed = {
            (pin.id, pin.title)
            for run in runs.recent(db, 1000)
            if run.change_id and run.purpose is Purpose.CHANGE
            for pin in run.pins or ()
        }
        installs = [each for each in self.house.world.installs() if production & each.rows.keys()]
        assert installs
        for install in installs:
            assert {row for rows in install.rows.values() for row in rows} <= listed

    def newest(self) -> Change:
        change = self.house.newest
        assert change
        return change

    def state(self) -> ChangeState | None:
        change = self.house.newest
        return change.state if change else None

    def sweeps_run(self, rounds: int) -> None:
        for _ in range(rounds):
            self.house.round()

    def problem_is_open(self) -> bool:
        return problems.open_problem(self.house.store.db, self.house.name) is not None

    def is_open(self) -> bool:
        """Something can still happen to the newest change."""
        state = self.state()
        return state is not None and not state.ended and state is not ChangeState.BLOCKED

    def nothing_is_open(self) -> bool:
        return not self.is_open()

    def failing(self) -> list[str]:
        change = self.house.newest
        if change is None or change.state is not ChangeState.BLOCKED:
            return []
        return [check.name for check in change.checks or () if check.outcome is Outcome.FAIL]

    def proof_run(self) -> int:
        """The newest ended Install in non-production."""
        found = runs.recent(self.house.store.db, 1000)
        return next(run.id for run in found if not run.production and run.ref.startswith("install") and run.ended_at)

    def told(self) -> str:
        change = self.newest()
        failing = [f"{each.name}: {each.evidence}" for each in change.checks or () if each.outcome is Outcome.FAIL]
        return f"{change.ref} is {change.state}: {change.note} {failing}"


def test_I2_I3_I4_no_story_sends_what_it_may_not_and_every_legitimate_one_sends(street: Street, examples: int) -> None:
    run_state_machine_as_test(
        type("Stories", (Changes,), {"street": street}),
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            # The few of every day are always the same, and are told as they are found: shrinking takes minutes.
            derandomize=examples <= EXAMPLES,
            phases=(Phase.generate,) if examples <= EXAMPLES else (Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
