"""Read models to render."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from commands.replies import Compared
from commands.reports import ChangeReport, NodeLine, RunReport
from commands.window_report import WindowReport
from patching.agenda import Opening
from patching.compare import Comparison, Finding, Verdict
from patching.gate import CHECKS, Action, CheckResult, Outcome
from patching.model import Node, Operation, PinnedPatch, Platform
from patching.nodes import EnvironmentKey
from patching.outcomes import NodeResult
from patching.plan import StepKind
from patching.states import ChangeState, RunState, StepState
from patching.summary import MissingPatch
from storage.changes import Change
from storage.decisions import Decision
from storage.objections import Objection
from storage.problems import Problem
from storage.runs import Purpose, Run
from storage.steps import Step

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
DEBIAN = Platform("Debian GNU/Linux", "12", "x86_64")
ANN, BEN, EVE, ADA = "U0ANN", "U0BEN", "U0EVE", "U0ADA"
PEOPLE = {ANN, BEN, EVE, ADA}
DIGEST = "0123456789abcdef" * 4
HOSTILE = "<!channel> <@U0VICTIM> *x* & ```y <http://z|z> @here"
"""What somebody may have put in a tag, a title or a reason."""
LONG = (HOSTILE + " ") * 60  # more than 3,000 characters

ALL_RUN_STATES = tuple(RunState)
ALL_CHANGE_STATES = tuple(ChangeState)


def node(index: int = 1, name: str | None = None) -> Node:
    return Node(f"i-{index:017x}", f"db-{index}" if name is None else name, "running", "Online", DEBIAN)


def run(**changed: Any) -> Run:
    operation = changed.get("operation", Operation.SCAN)
    nodes = changed.pop("nodes", tuple(node(index) for index in (1, 2, 3)))
    state = changed.get("state", RunState.SUCCEEDED)
    values: dict[str, Any] = {
        "id": 12,
        "operation": operation,
        "application": "orders-db",
        "environment": "nonprod",
        "production": False,
        "purpose": Purpose.REQUEST,
        "change_id": None,
        "state": state,
        "requested_by": ANN,
        "requested_at": NOW,
        "started_at": NOW,
        "ended_at": NOW + timedelta(minutes=5) if state.ended else None,
        "nodes": nodes,
        "pins": None,
        "pins_url": None,
        "changed_rows": None,
        "resumed": 0,
        "cancelled_by": None,
        "cancelled_at": None,
        "note": "",
    }
    return Run(**{**values, **changed})


def production_run(**changed: Any) -> Run:
    return run(
        **{
            "operation": Operation.INSTALL,
            "environment": "prod",
            "production": True,
            "purpose": Purpose.CHANGE,
            "change_id": 4,
            "pins": (pin("openssl"), pin("curl")),
            **changed,
        }
    )


def report(of: Run, **changed: Any) -> RunReport:
    done = "done" if of.state.ended else "running"
    values: dict[str, Any] = {
        "run": of,
        "nodes": tuple(NodeLine(each.id, each.name, done, "") for each in of.nodes),
        "stage": "ended" if of.state.ended else "scanning",
        "by_severity": {},
        "missing": (),
        "installed": {},
        "pending_reboot": {},
        "results": (),
        "problem": None,
        "unsettled": (),
        "may_report_problem": of.operation is Operation.INSTALL and not of.production and of.state.ended,
    }
    return RunReport(**{**values, **changed})


def pin(name: str, version: str = "3.0.17-1") -> PinnedPatch:
    return PinnedPatch(f"{name}.amd64", f"{name}.amd64:{version}")


def missing(name: str = "openssl", severity: str = "Critical", nodes: Sequence[int] = (1, 2)) -> MissingPatch:
    ids = tuple(node(index).id for index in nodes)
    return MissingPatch(f"{name}.amd64", "3.0.17-1", ("3.0.16-1",), severity, "Security", ("CVE-2026-1",), ids)


def result(index: int = 1, **changed: Any) -> NodeResult:
    values: dict[str, Any] = {
        "node_id": node(index).id,
        "node_name": f"db-{index}",
        "installed": (pin("openssl"), pin("curl")),
        "dependencies": (),
        "unproven": (),
        "missing": (),
        "pending_reboot": (),
        "failed": (),
    }
    return NodeResult(**{**values, **changed})


def problem(reason: str = "Replication lags since the reboot.") -> Problem:
    return Problem(3, "orders-db", 13, EVE, NOW, reason)


def step(**changed: Any) -> Step:
    values: dict[str, Any] = {
        "id": "3e1c1a2e-6a5b-4f7e-9f43-6f2d6a3c0b11",
        "run_id": 12,
        "position": 1,
        "kind": StepKind.INSTALL,
        "wave": 1,
        "settings": {},
        "operation": Operation.INSTALL,
        "document": "AWS-RunPatchBaseline",
        "document_version": "1",
        "document_hash": "f00",
        "parameters": {},
        "node_ids": (node(1).id, node(2).id),
        "max_concurrency": "50%",
        "max_errors": "0",
        "delivery_timeout": 3600,
        "state": StepState.UNKNOWN,
        "command_id": None,
        "attempts": 1,
        "not_before": None,
        "sending_at": NOW,
        "sent_at": None,
        "cancelled_at": None,
        "ended_at": None,
        "note": "SendCommand timed out.",
    }
    return Step(**{**values, **changed})


def checks(**failing: CheckResult) -> tuple[CheckResult, ...]:
    """Every check of the gate, passing but for those given by name, `_` for `-`."""
    given = {name.replace("_", "-"): check for name, check in failing.items()}
    return tuple(
        given.get(name) or CheckResult(name, name.replace("-", " ").capitalize(), Outcome.PASS, f"{name} holds.")
        for name in CHECKS
    )


def waived(name: str, reason: str = "The vendor confirmed it.", **changed: Any) -> CheckResult:
    return replace(fails(name, **changed), outcome=Outcome.WAIVED, waiver=reason)


def part_facts(ready: int = 31, of: int = 34, older: int = 0, **more: Any) -> Mapping[str, Any]:
    """The facts of a change of which not everything is ready, as JSON gives them back."""
    stays = [[f"late{index}.amd64", "Soaks for another 2 d 4 h."] for index in range(min(of - ready, 10))]
    return {"part": {"ready": ready, "of": of, "older": older, "stays": stays}, **more}


def unpinned_parts() -> Mapping[str, Any]:
    return {"nodes": [node(index).id for index in (1, 2, 3)], "policy": {"pin": "off"}}


def fails(name: str, action: Action = Action.NONE, **changed: Any) -> CheckResult:
    values: dict[str, Any] = {"evidence": f"{name} does not hold.", "remedy": f"Mend {name}.", "action": action}
    return CheckResult(name, name.capitalize(), Outcome.FAIL, **{**values, **changed})


OPENS = NOW + timedelta(days=3)
OPENING = Opening(
    "mw-0c50858d01EXAMPLE", "monthly", OPENS, OPENS + timedelta(hours=2), OPENS + timedelta(hours=3), "Europe/Berlin"
)


def objection(**changed: Any) -> Objection:
    values: dict[str, Any] = {
        "id": 1,
        "change_id": 4,
        "user_id": BEN,
        "reason": "Month end runs that night.",
        "at": NOW,
        "ended_by": None,
        "ended_at": NOW if "ended_by" in changed else None,
        "end_reason": None,
    }
    return Objection(**{**values, **changed})


def change(**changed: Any) -> Change:
    state = changed.get("state", ChangeState.PENDING)
    values: dict[str, Any] = {
        "id": 4,
        "application": "orders-db",
        "environment": "prod",
        "source": "nonprod",
        "state": state,
        "requested_by": ANN,
        "requested_at": NOW,
        "requesters": (ANN,),
        "supersedes": None,
        "configuration": "c1",
        "digest": DIGEST,
        "parts": {"nodes": [node(index).id for index in (1, 2, 3)]},
        "checks": checks(),
        "pins": tuple(pin(f"package{index}") for index in range(31)),
        "facts": {},
        "evaluated_at": NOW + timedelta(minutes=10),
        "approved_at": None,
        "ended_at": None,
        "note": "",
    }
    return Change(**{**values, **changed})


def unevaluated(state: ChangeState = ChangeState.PREPARING, **changed: Any) -> Change:
    nothing = dict.fromkeys(("digest", "parts", "checks", "pins", "facts", "evaluated_at"))
    return change(**{"state": state, **nothing, **changed})


def decision(kind: str = "approve", state: str = "accepted", **changed: Any) -> Decision:
    values: dict[str, Any] = {
        "id": 1,
        "change_id": 4,
        "user_id": BEN,
        "kind": kind,
        "digest": DIGEST,
        "reason": "",
        "channel": "C0ORDERS",
        "state": state,
        "at": NOW + timedelta(hours=1),
        "judged_at": NOW + timedelta(hours=1),
        "note": "",
    }
    return Decision(**{**values, **changed})


def change_report(of: Change, **changed: Any) -> ChangeReport:
    values: dict[str, Any] = {
        "change": of,
        "decisions": (),
        "scans": (),
        "install": None,
        "superseded": None,
        "successor": None,
        "approvers": f"<!subteam^S0ONCALL>, <@{BEN}>",
        "ready": of.state is ChangeState.PENDING,
    }
    return ChangeReport(**{**values, **changed})


def finding(verdict: Verdict, name: str = "openssl", **changed: Any) -> Finding:
    values: dict[str, Any] = {
        "platform": DEBIAN,
        "kb_id": f"{name}.amd64",
        "version": "3.0.17-1",
        "title": f"{name}.amd64:3.0.17-1",
        "severity": "Important",
        "classification": "Security",
        "cve_ids": (),
        "verdict": verdict,
        "source_versions": ("3.0.16-1",),
        "nodes": (node(1).id,),
        "detail": f"About {name} there is something to do.",
    }
    return Finding(**{**values, **changed})


def comparison(findings: Sequence[Finding], **changed: Any) -> Compared:
    values: dict[str, Any] = {
        "application": "orders-db",
        "source": "nonprod",
        "target": "prod",
        "source_at": NOW - timedelta(hours=2),
        "target_at": NOW - timedelta(hours=1),
        "source_nodes": 2,
        "target_nodes": 3,
        "comparison": Comparison(tuple(findings), (), ()),
        "page": 0,
    }
    return Compared(**{**values, **changed})


OPENS = datetime(2026, 11, 29, 3, tzinfo=UTC)


def opening(**changed: Any) -> Opening:
    opens = changed.get("opens", OPENS)
    values: dict[str, Any] = {
        "window_id": "mw-0c50858d01EXAMPLE",
        "name": "weekly patching",
        "opens": opens,
        "closes": opens + timedelta(hours=2),
        "ends": opens + timedelta(hours=3),
        "timezone": "Europe/Berlin",
    }
    return Opening(**{**values, **changed})


def window_report(**changed: Any) -> WindowReport:
    values: dict[str, Any] = {
        "key": EnvironmentKey("orders-db", "prod"),
        "production": True,
        "opening": opening(),
        "nodes": 3,
        "operations": ("Install",),
        "changes": (),
        "freezes": (),
        "seen_by": (),
        "gone": False,
        "moved_to": None,
    }
    return WindowReport(**{**values, **changed})
