"""Slash commands, buttons and modals: payload → command → ack. A listener waits for nobody but `views.open`."""

import html
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from slack_bolt import Ack, App, BoltContext, BoltResponse
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.followups import FollowUps
from bot.forms import Form, Forms, Opener, Value, refused_ack
from bot.views.blocks import Rendered
from bot.views.modals import REASON
from bot.views.replies import refusal, render
from bot.views.tables import Flavour
from bot.views.window_change import CALLBACK as CHANGE_WINDOW
from bot.views.window_change import EDIT as EDIT_WINDOW
from bot.views.window_form import CALLBACK as SAVE_WINDOW
from bot.window_forms import WindowForms
from bot.window_listeners import WindowListeners
from commands import command, grammar
from commands.acknowledge import Acknowledge
from commands.approvals import ListApprovals
from commands.ask_again import AskAgain
from commands.cancel import Cancel
from commands.command import Actor, Command, Context
from commands.compare import Compare
from commands.decide import Decide
from commands.errors import Refused
from commands.freeze import Freeze
from commands.install import Install, InstallPart
from commands.jobs import ShowJobs
from commands.objecting import Object, Overrule, TakeBack
from commands.pause import Continue, Pause
from commands.ports import Clock, Directory, Jobs, Wake
from commands.postpone import Postpone
from commands.problem import ClearProblem, ReportProblem
from commands.replies import Accepted, Done, OpenForm, Reply
from commands.scan import Scan
from commands.send_again import SendAgain
from commands.settle import Settle
from commands.status import Status
from commands.windows import ListWindows
from commands.withdraw import Withdraw
from patching.config import Configuration
from patching.nodes import EnvironmentKey
from storage import changes
from storage.database import Store

log = logging.getLogger(__name__)

Body = Mapping[str, Any]

STRANGE = "That button is not one of Patchgate's any more; nothing was done. Use the newest message."
BROKEN = "Patchgate failed inside; nothing was recorded. Tell an admin, who finds the reason in the log."


@dataclass(frozen=True, slots=True)
class Listeners:
    config: Configuration
    store: Store
    clock: Clock
    directory: Directory
    wake: Wake
    followups: FollowUps
    jobs: Jobs

    def register(self, app: App) -> None:
        app.command("/patch")(self.on_command)
        for action_id, build in self._buttons().items():
            app.action(action_id)(self._button(build, replaces=action_id.endswith("-page")))
        openers = Forms(self.config, self.store, self.clock, self.directory).openers()
        for action_id, view in {**openers, EDIT_WINDOW: self._windows.edit}.items():
            app.action(action_id)(self._opener(view))
        WindowListeners(self._windows, self.followups).register(app)
        for callback_id, make in self._submissions().items():
            app.view(callback_id)(self._submission(make))
        app.error(self.on_error)

    def on_command(self, ack: Ack, body: Body, context: BoltContext, client: WebClient) -> None:
        """`/patch …`: the ack is the answer, and it comes after the commit or the opening of a form."""
        asked = self._context(body["channel_id"], context)
        actor = self._actor(body["user_id"])
        try:
            parsed = grammar.parse(html.unescape(str(body.get("text", ""))), self.config)
            if parsed.deferred:
                ack()
                self._defer(body, parsed, asked, actor, replace=False)
                return
            reply = command.run(parsed, asked, actor)
            if isinstance(reply, OpenForm):
                _open(client, body, self._windows.asked(reply, {"channel": asked.channel}))
                ack()
                return
        except Refused as error:
            text, blocks = refusal(error.sentence, error.person)
        else:
            text, blocks = render(reply, Flavour.TEXT)
            self._expect_link(reply, str(body.get("response_url", "")))
        ack(text=text, blocks=blocks, response_type="ephemeral")

    def on_error(self, error: Exception, ack: Ack, body: Body) -> BoltResponse:
        """What nobody foresaw: logged in full, and one sentence to the person."""
        log.error("a request failed", exc_info=error)
        if body.get("command"):
            return ack(text=BROKEN, response_type="ephemeral")
        if body.get("type") == "view_submission":
            return ack(**refused_ack(body["view"], Refused(BROKEN)))
        self._answer(body, (BROKEN, []))
        return ack()

    def _buttons(self) -> dict[str, Callable[[Value], Command]]:
        """Buttons that are a command at once."""
        return {
            "acknowledge": lambda value: Acknowledge(str(value["subject"])),
            "withdraw": lambda value: Withdraw(int(value["change"])),
            "install-part": self._install_part,
            "postpone": lambda value: Postpone(
                int(value["change"]), datetime.fromisoformat(str(value["starts_at"])).astimezone(UTC)
            ),
            "take-back": lambda value: TakeBack(int(value["objection"])),
            "cancel-run": lambda value: Cancel.parse([str(value["run"])], self.config),
            "pause-run": lambda value: Pause.parse([str(value["run"])], self.config),
            "continue-run": lambda value: Continue.parse([str(value["run"])], self.config),
            "settle-ran": lambda value: Settle(str(value["step"]), True),
            "settle-not": lambda value: Settle(str(value["step"]), False),
            "install-source": lambda value: Install(self._key(value)),
            "scan-source": lambda value: Scan(self._key(value)),
            "scan-target": lambda value: Scan(self._key(value)),
            "ask-again": lambda value: AskAgain(int(value["change"])),
            "compare-page": lambda value: Compare(
                grammar.application(str(value["application"]), self.config),
                str(value["source"]),
                str(value["target"]),
                int(value["page"]),
            ),
            "status-page": lambda value: Status(page=int(value["page"])),
            "approvals-page": lambda value: ListApprovals(int(value["page"])),
            "freezes-page": lambda value: Freeze(page=int(value["page"])),
            "windows-page": lambda value: ListWindows(
                grammar.application(str(value["application"]), self.config) if value.get("application") else None,
                int(value["page"]),
            ),
            "jobs-page": lambda value: ShowJobs(int(value["page"])),
            "notice-again": lambda value: SendAgain(int(value["notice"])),
        }

    def _submissions(self) -> dict[str, Callable[[Value, Form], Command]]:
        """Modals: (private metadata, what was filled in) → command."""
        return {
            "approve": lambda private, form: Decide(
                int(private["change"]), "approve", str(private["digest"]), form=form.approval
            ),
            "reject": lambda private, form: Decide(
                int(private["change"]), "reject", str(private["digest"]), form.text(REASON)
            ),
            "object": lambda private, form: Object(int(private["change"]), form.text(REASON)),
            "overrule": lambda private, form: Overrule(int(private["objection"]), form.text(REASON)),
            "report-problem": lambda private, form: ReportProblem(int(private["run"]), form.text(REASON)),
            "clear-problem": lambda private, form: ClearProblem(str(private["application"]), form.text(REASON)),
            SAVE_WINDOW: self._windows.save,
            CHANGE_WINDOW: self._windows.change,
        }

    def _button(self, build: Callable[[Value], Command], *, replaces: bool) -> Callable[..., None]:
        def listener(ack: Ack, body: Body, action: Body, context: BoltContext) -> None:
            asked = self._context(_channel(body), context)
            actor = self._actor(body["user"]["id"])
            replace = False
            try:
                built = _built(build, action)
                if built.deferred:
                    ack()
                    self._defer(body, built, asked, actor, replace=replaces)
                    return
                reply = command.run(built, asked, actor)
            except Refused as error:
                rendered = refusal(error.sentence, error.person)
            else:
                rendered = render(reply, Flavour.TEXT) if reply != Done("") else ("", [])
                replace = replaces
                self._expect_link(reply, str(body.get("response_url", "")))
            ack()
            self._answer(body, rendered, replace=replace)

        return listener

    def _opener(self, view: Opener) -> Callable[..., None]:
        def listener(ack: Ack, body: Body, action: Body, client: WebClient) -> None:
            try:
                _open(client, body, view(_value(action), str(body["user"]["id"]), {"channel": _channel(body)}))
            except Refused as error:
                self._answer(body, refusal(error.sentence, error.person))
            except (KeyError, TypeError, ValueError):
                log.warning("a button's form can't be made", exc_info=True)
                self._answer(body, refusal(STRANGE))
            ack()

        return listener

    def _submission(self, make: Callable[[Value, Form], Command]) -> Callable[..., None]:
        def listener(ack: Ack, body: Body, view: Body, context: BoltContext) -> None:
            private = json.loads(str(view.get("private_metadata") or "{}"))
            form = Form.of(view)
            asked = self._context(str(private.get("channel", "")), context)
            try:
                command.run(make(private, form), asked, self._actor(body["user"]["id"]))
            except Refused as error:
                ack(**refused_ack(view, error))
            else:
                ack()

        return listener

    @property
    def _windows(self) -> WindowForms:
        return WindowForms(self.config, self.store, self.clock, self.directory)

    def _install_part(self, value: Value) -> Command:
        change = changes.find(self.store.db, int(value["change"]))
        if change is None:
            raise Refused("That change is not known here; nothing was done.")
        key = grammar.environment(change.application, change.environment, self.config)
        return InstallPart(key, change.timing == "window")

    def _key(self, value: Value) -> EnvironmentKey:
        return grammar.environment(str(value["application"]), str(value["environment"]), self.config)

    def _actor(self, user_id: str) -> Actor:
        return Actor(user_id, self.directory.roles(user_id))

    def _context(self, channel: str, context: BoltContext) -> Context:
        received = context.get("received")
        if not isinstance(received, float):
            raise TypeError("a request came in without its receipt's time")
        return Context(self.config, self.store, self.clock, self.directory, self.wake, received, channel, self.jobs)

    def _expect_link(self, reply: Reply, response_url: str) -> None:
        if isinstance(reply, Accepted) and response_url:
            self.followups.expect_link(reply.subject, response_url)

    def _defer(self, body: Body, asked_for: Command, asked: Context, actor: Actor, *, replace: bool) -> None:
        """A command that only reads, off the listener's thread; its answer comes through the response URL."""

        def work() -> None:
            try:
                rendered, keep = render(command.run(asked_for, asked, actor), Flavour.TEXT), not replace
            except Refused as error:
                rendered, keep = refusal(error.sentence, error.person), True
            self.followups.say(str(body["response_url"]), rendered, replace=not keep)

        self.followups.submit(work)

    def _answer(self, body: Body, rendered: Rendered, *, replace: bool = False) -> None:
        if body.get("response_url") and rendered[0]:
            self.followups.answer(str(body["response_url"]), rendered, replace=replace)


def _built(build: Callable[[Value], Command], action: Body) -> Command:
    """The command behind a button. Raises Refused for one whose value an older Patchgate wrote in another form."""
    value = _value(action)
    try:
        return build(value)
    except (KeyError, TypeError, ValueError):
        raise Refused(STRANGE) from None


def _value(action: Body) -> Value:
    """A button's value. Ours is always a JSON object; anything else comes from a message that is not ours."""
    try:
        value = json.loads(str(action.get("value") or ""))
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Refused(STRANGE)
    return value


def _open(client: WebClient, body: Body, view: dict[str, Any]) -> None:
    """Raises Refused where Slack did not take the form in time."""
    try:
        client.views_open(trigger_id=str(body["trigger_id"]), view=view)
    except (SlackApiError, SlackClientError, OSError) as error:
        log.warning("a modal did not open: %s", error)
        raise Refused("The form did not open in time; nothing was done. Ask for it once more.") from None


def _channel(body: Body) -> str:
    return str((body.get("channel") or {}).get("id", ""))
