"""The forms of maintenance windows: what stands in them when they open, and what they ask for when they are sent."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.forms import Form, Value
from bot.schedule_preview import NoPreview, preview
from bot.views.blocks import Block
from bot.views.window_change import change_modal
from bot.views.window_form import Previewed, WindowForm, window_modal
from commands import grammar
from commands.agenda import AgendaUnknown, openings
from commands.errors import Refused
from commands.ports import Clock, Directory
from commands.replies import OpenForm
from commands.window import check_right, window_of
from commands.window_fields import (
    EXPRESSION,
    NAME,
    TARGETS,
    Fields,
    fields_of,
    proposed,
    schedule_fields,
    schedule_of,
)
from commands.window_orders import ChangeWindow, SaveWindow
from patching.agenda import Opening
from patching.config import Configuration
from patching.durations import words
from patching.nodes import EnvironmentKey
from patching.planned import LOOK_AHEAD
from patching.schedules import expression
from patching.states import ChangeState
from patching.window_spec import WindowSpec
from storage import changes, outbox
from storage.database import Store
from storage.window_orders import Action

READ_FOR: Final = timedelta(minutes=30)
"""How long the settings that were read to be edited count: whoever saves later could undo somebody's change at AWS."""
_LONGEST = 3000  # characters of an input


@dataclass(frozen=True, slots=True)
class ReadWindow:
    """A window's settings as an inquiry found them at AWS."""

    key: EnvironmentKey
    id: str
    name: str
    spec: WindowSpec


@dataclass(frozen=True, slots=True)
class WindowForms:
    config: Configuration
    store: Store
    clock: Clock
    directory: Directory

    def asked(self, reply: OpenForm, private: Value) -> Block:
        """For a command that was let through: an empty form, or the question before a change. Raises Refused."""
        key = reply.key
        about = {**private, "application": key.application, "environment": key.environment}
        if reply.action is Action.CREATE:
            return self._modal(key, fields_of(self._spec(key)), about)
        now = self.clock.now()
        window = window_of(self.store.db, self.config, key, now, reply.window_id)
        upcoming = next((each for each in self._openings(key) if each.window_id == window.id), None)
        about |= {"action": reply.action.value, "window": window.id}
        environment = self.config.environments()[key]
        return change_modal(reply.action, key, environment, window, upcoming, self._waiting(window.id), about)

    def edit(self, value: Value, user_id: str, private: Value) -> Block:
        """Behind the button that follows when a window's settings were read. Raises Refused."""
        read = self._read(int(value["inquiry"]))
        db, config, key = self.store.db, self.config, read.key
        window = window_of(db, config, key, self.clock.now(), read.id)
        check_right(db, config, self.directory.roles(user_id), key, window)
        fields = fields_of(read.spec)
        if len(fields[TARGETS]) > _LONGEST:
            raise Refused(
                f"{read.name} has more targets than a form of Slack's holds; nothing was done. "
                "Edit it in Systems Manager."
            )
        about = {"application": key.application, "environment": key.environment, "inquiry": value["inquiry"]}
        return self._modal(key, fields, {**private, **about}, read.name)

    def refreshed(self, private: Value, form: Form) -> Block:
        """The form that is open, with the inputs that its schedule needs now and its preview. Raises Refused."""
        key = self._key(private)
        read = self._read(int(private["inquiry"])) if "inquiry" in private else None
        known = fields_of(read.spec if read else self._spec(key))
        filled = form.fields
        written = filled.get(EXPRESSION)
        if isinstance(written, str) and written:  # what was typed goes over into the inputs that say the same
            known |= schedule_fields(written)
        fields = {**known, **filled}
        return self._modal(key, fields, private, read.name if read else "")

    def save(self, private: Value, form: Form) -> SaveWindow:
        key = self._key(private)
        if "inquiry" not in private:
            return SaveWindow(key, form.fields, form.id)
        read = self._read(int(private["inquiry"]))
        return SaveWindow(read.key, form.fields, form.id, read.id, read.spec)

    def change(self, private: Value, form: Form) -> ChangeWindow:
        action = Action(str(private["action"]))
        return ChangeWindow(action, self._key(private), str(private["window"]), form.id, form.text(NAME))

    def _modal(self, key: EnvironmentKey, fields: Fields, private: Value, edited: str = "") -> Block:
        environment = self.config.environments()[key]
        return window_modal(WindowForm(key, environment, fields, self._previewed(fields), edited), private)

    def _previewed(self, fields: Fields) -> Previewed:
        timezone, offset = str(fields.get("timezone", "")), str(fields.get("schedule_offset", ""))
        written, days = "", int(offset) if offset.isdecimal() else 0
        try:
            written = expression(schedule_of(fields))
            return Previewed(written, timezone, days, preview(written, timezone, days, self.clock.now()))
        except (NoPreview, ValueError) as problem:
            return Previewed(written, timezone, days, problem=str(problem))

    def _spec(self, key: EnvironmentKey) -> WindowSpec:
        """What a new one is proposed to be, in the zone of one that the environment has."""
        timezone = next((each.timezone for each in self._openings(key)), "UTC")
        return proposed(key, self.config.environments()[key], timezone)

    def _openings(self, key: EnvironmentKey) -> tuple[Opening, ...]:
        """Those to come; none where they are not known."""
        now = self.clock.now()
        try:
            return openings(self.store.db, self.config, key, now, now + LOOK_AHEAD, now)
        except AgendaUnknown:
            return ()

    def _waiting(self, window_id: str) -> list[str]:
        """The ids of changes that are to start in the window."""
        waiting = changes.in_state(self.store.db, ChangeState.WAITING, ChangeState.HELD)
        return [each.ref for each in waiting if each.opening and each.opening.window_id == window_id]

    def _key(self, private: Value) -> EnvironmentKey:
        return grammar.environment(str(private["application"]), str(private["environment"]), self.config)

    def _read(self, inquiry: int) -> ReadWindow:
        """Raises Refused for what was read too long ago."""
        answer = outbox.by_key(self.store.db, f"inquiry:{inquiry}:answer")
        if answer is None or "spec" not in answer.payload:
            raise Refused("Nobody knows any more what was read for that; nothing was done. Ask to edit it once more.")
        told = answer.payload
        key = grammar.environment(str(told["application"]), str(told["environment"]), self.config)
        age = self.clock.now() - datetime.fromisoformat(str(told["read_at"]))
        if age > READ_FOR:
            raise Refused(
                f"Its settings were read {words(age)} ago and may be others now; nothing was done. "
                f"Ask once more: `/patch window edit {key} {told['window_id']}`."
            )
        return ReadWindow(
            key, str(told["window_id"]), str(told["window_name"]), WindowSpec.model_validate(told["spec"])
        )
