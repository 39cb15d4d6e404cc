"""What each order for a maintenance window asks of AWS, call by call, with what has come to exist kept as it does.

Every function raises AwsError, and Unfit where the order may not be carried out; what it returns joins the progress.
"""

from dataclasses import dataclass
from typing import Final

from aws.target import Target
from aws.window_orders import WindowOrders
from aws.window_wire import ExistingWindow
from patching.model import Operation
from patching.targets import reach
from patching.window_spec import WindowSpec
from scheduler.parts import Parts, target_of
from scheduler.plan import misplaced_nodes
from storage import window_orders
from storage.window_orders import Action, WindowOrder

_TOKENS: Final = ("window", "target", "task")


class Unfit(Exception):
    """One clear sentence: why this order is not carried out, as far as it was not."""


@dataclass(slots=True)
class Job:
    """An order at work. `scan_only`: on production a window must not come to install."""

    parts: Parts
    order: WindowOrder
    target: Target
    scan_only: bool

    @property
    def aws(self) -> WindowOrders:
        return self.parts.window_orders

    @property
    def spec(self) -> WindowSpec:
        assert self.order.spec is not None  # of every order to create or edit
        return self.order.spec

    @property
    def window_id(self) -> str:
        assert self.order.window_id is not None  # of every order but to create
        return self.order.window_id

    def token(self, name: str) -> str:
        """Committed before the first call that carries it (I1)."""
        if not self.order.tokens:
            with self.parts.store.transaction() as tx:
                made = {each: self.parts.new_id() for each in _TOKENS}
                self.order = window_orders.keep_tokens(tx, self.order, made)
        return self.order.tokens[name]

    def keep(self, **known: object) -> None:
        with self.parts.store.transaction() as tx:
            self.order = window_orders.advance(tx, self.order, known)


def carry_out(job: Job) -> None:
    match job.order.action:
        case Action.CREATE:
            _create(job)
        case Action.EDIT:
            _edit(job)
        case Action.ENABLE:
            _enable(job)
        case Action.DISABLE:
            job.aws.set_enabled(job.target, job.window_id, False)
        case Action.DELETE:
            job.aws.delete(job.target, job.window_id)


def _create(job: Job) -> None:
    _check_nodes(job)
    known = job.order.progress
    if "window_id" not in known:
        key = job.order.key
        tags = {"application": key.application, "environment": key.environment, "order": job.order.ref}
        job.keep(window_id=job.aws.create(job.target, job.spec, tags, job.token("window")))
    window_id = str(job.order.progress["window_id"])
    if "target_id" not in known:
        job.keep(target_id=job.aws.register_target(job.target, window_id, job.spec, job.token("target")))
    if "task_id" not in known:
        _register_task(job, window_id, str(job.order.progress["target_id"]))


def _edit(job: Job) -> None:
    """A task that is to scan is changed before anything else, one that is to install after everything else."""
    _check_nodes(job)
    existing = job.aws.existing(job.target, job.window_id)
    existing.check_editable()
    job.keep(enabled=existing.window["Enabled"])
    target_id = _target_id(job, existing)
    if job.spec.operation is Operation.SCAN:
        _change_task(job, existing, target_id)
    if existing.target:
        job.aws.update_target(job.target, existing, job.spec)
        _changed(job, "targets")
    job.aws.update_window(job.target, existing, job.spec)
    _changed(job, "times")
    if job.spec.operation is not Operation.SCAN:
        _change_task(job, existing, target_id)


def _target_id(job: Job, existing: ExistingWindow) -> str | None:
    """The registered target's, made where there is none; None for a task that names its nodes itself."""
    if existing.target:
        return str(existing.target["WindowTargetId"])
    if existing.names_nodes_itself:
        return None
    made = job.aws.register_target(job.target, job.window_id, job.spec, job.token("target"))
    _changed(job, "targets")
    return made


def _change_task(job: Job, existing: ExistingWindow, target_id: str | None) -> None:
    if existing.task:
        job.aws.update_task(job.target, existing, target_id, job.spec, scan_only=job.scan_only)
    else:
        assert target_id is not None  # only an existing task names its nodes itself
        _register_task(job, existing.id, target_id)
    _changed(job, "task")


def _register_task(job: Job, window_id: str, target_id: str) -> None:
    token = job.token("task")
    made = job.aws.register_task(job.target, window_id, target_id, job.spec, token, scan_only=job.scan_only)
    job.keep(task_id=made)


def _enable(job: Job) -> None:
    """One that would install on production stays disabled, whichever environment it is enabled for: it would go past
    the gate."""
    existing = job.aws.existing(job.target, job.window_id)
    if existing.may_install() and (job.scan_only or _reaches_production(job, existing)):
        raise Unfit(
            f"A task of the window {job.window_id} would install on production, past the gate; it stays disabled. Turn "
            "its Operation to Scan first, and install with `/patch install APP ENV window`."
        )
    job.aws.set_enabled(job.target, job.window_id, True)


def _reaches_production(job: Job, existing: ExistingWindow) -> bool:
    """Where a resource group chooses its nodes nobody can tell, so it counts as one that does."""
    environments = job.parts.config.environments()
    here = environments[job.order.key]
    for environment in environments.values():
        if environment.production and (environment.account, environment.region) == (here.account, here.region):
            nodes = job.parts.patch_manager.resolve(target_of(environment), environment.targets)
            found = reach({node.id: node.tags for node in nodes}, existing.alternatives)
            if found.certain or found.perhaps:
                return True
    return False


def _check_nodes(job: Job) -> None:
    """I13: a window that installs reaches no node that stands in production, or in another environment."""
    if job.spec.operation is Operation.SCAN:
        return
    nodes = job.parts.patch_manager.resolve(job.target, job.spec.targets)
    misplaced = misplaced_nodes(job.parts, job.order.key, nodes)
    if misplaced:
        raise Unfit(
            f"{' '.join(misplaced)} Nothing was changed; correct the tags or the configuration, then ask again."
        )


def _changed(job: Job, what: str) -> None:
    changed: list[str] = list(job.order.progress.get("changed", ()))
    if what not in changed:
        job.keep(changed=[*changed, what])
