"""Forms that buttons open: what stands in the way is said before anybody fills one in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from bot.views.modals import (
    APPLICATION,
    BACKUP,
    READ,
    REASON,
    approve_modal,
    clear_modal,
    object_modal,
    overrule_modal,
    problem_modal,
    refused_modal,
    reject_modal,
)
from commands import objecting
from commands.decide import ApprovalForm, refusal_of
from commands.errors import Refused
from commands.ports import Clock, Directory, Role
from commands.reports import change_report
from patching.config import Configuration
from storage import changes, problems, runs
from storage.database import Store

Value = Mapping[str, Any]
Opener = Callable[[Value, str, Value], dict[str, Any]]
"""(the button's value, who clicked, what travels with the form) → view. Raises Refused."""


@dataclass(frozen=True, slots=True)
class Form:
    """What was filled in: `view.state.values`, in which each block's id is its input's action_id."""

    values: Mapping[str, Any]
    id: str = ""  # of the view: another one each time that a form is opened

    @classmethod
    def of(cls, view: Mapping[str, Any]) -> Self:
        return cls(view["state"]["values"], str(view["id"]))

    def text(self, name: str) -> str:
        return str(self.values.get(name, {}).get(name, {}).get("value") or "")

    @property
    def approval(self) -> ApprovalForm:
        chosen = self.values.get(READ, {}).get(READ, {}).get("selected_options") or []
        return ApprovalForm(bool(chosen), self.text(BACKUP), self.text(APPLICATION))

    @property
    def fields(self) -> dict[str, str | tuple[str, ...]]:
        """{block's id: what stands in its input}: typed or chosen; several where one may choose several."""
        return {name: _entered(inputs[name]) for name, inputs in self.values.items() if name in inputs}

    @property
    def last(self) -> str:
        """The block under which an error of the whole form is shown."""
        return list(self.values)[-1] if self.values else REASON


def _entered(state: Mapping[str, Any]) -> str | tuple[str, ...]:
    if "selected_options" in state:
        return tuple(str(option["value"]) for option in state["selected_options"] or ())
    if "selected_option" in state:
        return str((state["selected_option"] or {}).get("value", ""))
    return str(state.get("value") or state.get("selected_time") or "").strip()


def refused_ack(view: Mapping[str, Any], error: Refused) -> dict[str, Any]:
    """The answer to a form that is refused: each sentence under its input; a form without any is replaced."""
    form = Form.of(view)
    sentence = error.sentence.replace("{person}", "Somebody")  # plain text: no mention can be shown there
    if not form.values:
        return {"response_action": "update", "view": refused_modal(str(view["title"]["text"]), sentence)}
    errors: dict[str, str] = {}
    for name, said in (error.fields or {error.field or form.last: sentence}).items():
        where = name if name in form.values else form.last
        errors[where] = f"{errors[where]} {said}" if where in errors else said
    return {"response_action": "errors", "errors": errors}


@dataclass(frozen=True, slots=True)
class Forms:
    config: Configuration
    store: Store
    clock: Clock
    directory: Directory

    def openers(self) -> dict[str, Opener]:
        """By the action_id of the button."""
        return {
            "approve": self._approve,
            "reject": self._reject,
            "report-problem": self._problem,
            "clear-problem": self._clear,
            "object": self._object,
            "overrule": self._overrule,
        }

    def _approve(self, value: Value, user_id: str, private: Value) -> dict[str, Any]:
        """Refused before anything is filled in where that is known already; the sweep asks Slack afresh (ADR 0006)."""
        change = changes.find(self.store.db, int(value["change"]))
        if change is None:
            raise Refused("That change is not known here; nothing was done.")
        refused = refusal_of(
            self.store.db, self.config, self.clock.now(), change, user_id, "approve", str(value["digest"])
        )
        if refused:
            raise refused
        if Role.APPROVER not in self.directory.roles(user_id):
            raise Refused(
                f"You don't hold the approver role, so you can't approve {change.ref}; nothing was changed. "
                "If you were given it just now, try again in a minute."
            )
        return approve_modal(change_report(self.store, change, self.config), private)

    def _reject(self, value: Value, user_id: str, private: Value) -> dict[str, Any]:
        change = changes.find(self.store.db, int(value["change"]))
        if change is None or change.digest != value["digest"] or change.state.value != "pending":
            raise Refused("That change is no longer waiting for a decision; nothing was done.")
        return reject_modal(change, private)

    def _object(self, value: Value, user_id: str, private: Value) -> dict[str, Any]:
        change = changes.find(self.store.db, int(value["change"]))
        if change is None:
            raise Refused("That change is not known here; nothing was done.")
        refused = objecting.refusal_of(self.store.db, self.config, self.clock.now(), change)
        if refused:
            raise refused
        return object_modal(change, private)

    def _overrule(self, value: Value, user_id: str, private: Value) -> dict[str, Any]:
        objection = objecting.standing_objection(self.store.db, int(value["objection"]))
        if Role.ADMIN not in self.directory.roles(user_id):
            raise Refused("Overruling an objection needs the admin role, which you don't have; nothing was changed.")
        return overrule_modal(objection, private)

    def _problem(self, value: Value, user_id: str, private: Value) -> dict[str, Any]:
        run = runs.find(self.store.db, int(value["run"]))
        if run is None:
            raise Refused("That install is not known here; nothing was done.")
        return problem_modal(run, private)

    def _clear(self, value: Value, user_id: str, private: Value) -> dict[str, Any]:
        problem = problems.open_problem(self.store.db, str(value["application"]))
        if problem is None:
            raise Refused("No problem is reported there any more; nothing was done.")
        return clear_modal(problem, private)
