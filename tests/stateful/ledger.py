"""What an observer with paper and pencil knows: who asked, who approved what they saw, and what SSM took since.

It reads the world's own log and what people did, and of the bot's rows only which change an Install belongs to.
"""

from collections import Counter
from dataclasses import dataclass, field

from commands.ports import Role
from patching.gate import CHECKS, Outcome
from patching.states import ChangeState
from sandbox.aws.log import SsmCall
from storage import changes, problems, runs
from storage.changes import Change
from tests.stateful.house import House

FOUR_EYES_IN_AN_EMERGENCY = 2


@dataclass
class Request:
    """One change as its askers and approvers know it."""

    excluded: frozenset[str]  # who asked for it or for what it replaces
    required: int
    emergency: bool = False
    approvals: dict[str, tuple[str, int]] = field(default_factory=dict)  # user → (digest they saw, log's length)


class Ledger:
    def __init__(self, house: House, required: int) -> None:
        self._house = house
        self.required = required  # by the policy in force
        self.requests: dict[int, Request] = {}
        self._read = house.log_length
        self._installs: Counter[tuple[int, str]] = Counter()
        self.frozen = False  # these two change between sweeps only, so they hold for whatever a sweep sends
        self.objecting: set[str] = set()  # who objects to the newest change

    def asked(self, user: str, before: Change | None, *, emergency: bool = False) -> None:
        """A request was accepted. It takes over the chain of the one before it, if that was stopped by the gate."""
        change = self._house.newest
        assert change
        chained = before is not None and before.state in {ChangeState.BLOCKED, ChangeState.SUPERSEDED}
        earlier = self.requests[before.id].excluded if before and chained else frozenset()
        needed = max(self.required, FOUR_EYES_IN_AN_EMERGENCY) if emergency else self.required
        self.requests[change.id] = Request(earlier | {user}, needed, emergency)
        self.objecting.clear()

    def approved(self, user: str, change: Change, digest: str) -> None:
        """A click that was taken in; whether it counts is for the bot to judge, and for `look` to check."""
        self.requests[change.id].approvals[user] = (digest, self._house.log_length)

    def candidates(self, change: Change) -> list[str]:
        """Approvers of now who may approve and have not yet."""
        request = self.requests[change.id]
        holders = self._house.people.held[Role.APPROVER]
        return sorted(holders - request.excluded - request.approvals.keys())

    def standing(self, change: Change) -> dict[str, int]:
        """Who approved what the change means now, holds the role and never asked → when they clicked."""
        request, people = self.requests[change.id], self._house.people
        holders = people.held[Role.APPROVER] if people.readable else set()
        return {
            user: clicked
            for user, (digest, clicked) in request.approvals.items()
            if user in holders and user not in request.excluded and digest == change.digest
        }

    def installs(self, change_id: int) -> int:
        """Installs of a change on any one node, at most."""
        return max((count for (change, _), count in self._installs.items() if change == change_id), default=0)

    def look(self) -> None:
        """Judge every production Install that SSM took since the last look (I2, I3, I4)."""
        production = self._house.node_ids("prod")
        calls = self._house.sent(self._read)
        self._read = self._house.log_length
        for call in calls:
            if call.params["Parameters"]["Operation"] == ["Install"] and production & set(call.params["InstanceIds"]):
                self._judge(call)
        assert all(count == 1 for count in self._installs.values()), self._installs

    def _judge(self, call: SsmCall) -> None:
        db = self._house.store.db
        run = runs.get(db, int(call.params["Comment"].split(" ")[1].partition("-")[2]))
        assert run.change_id, call
        change = changes.get(db, run.change_id)
        self._installs.update((change.id, node_id) for node_id in call.params["InstanceIds"])
        standing, required = self.standing(change), self.requests[change.id].required
        assert len(standing) >= required, f"{change.ref} was sent with {standing} of {required}"
        settled = sorted(standing.values())[required - 1]
        scanned = {
            node_id
            for each in self._house.sent(settled)
            if each.number < call.number and each.params["Parameters"]["Operation"] == ["Scan"]
            for node_id in each.params["InstanceIds"]
        }
        everywhere = self._house.node_ids("nonprod") | self._house.node_ids("prod")
        assert scanned == everywhere, f"{change.ref} was sent without scans newer than its approval"
        judged = changes.evaluations(db, change.id)[-1]
        assert (judged["moment"], judged["digest"]) == ("send", change.digest)
        outcomes = {check["name"]: check["outcome"] for check in judged["checks"]}
        assert outcomes.keys() == CHECKS.keys()
        assert Outcome.FAIL not in outcomes.values(), outcomes
        assert problems.open_problem(db, self._house.name) is None or outcomes["no-problem"] == Outcome.WAIVED
        assert call.params["Parameters"]["InstallOverrideList"], call
        assert not self.frozen or outcomes["no-freeze"] == Outcome.WAIVED
        assert not self.objecting, f"{change.ref} was sent though {self.objecting} object"
        if change.timing == "window":
            assert change.opening
            assert change.opening.is_open(call.at), f"{change.ref} was sent outside of its window"
