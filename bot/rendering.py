"""From a notice to what is sent: the view for its kind, fed from the store as it is now (I5)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.rendering_affected import about_bypass, about_change, about_install, about_window
from bot.views import change_notices
from bot.views.approval_notices import approval_asked, approval_reminder, receipt, record_message
from bot.views.away import Told
from bot.views.backups import backups_answer
from bot.views.blocks import Rendered
from bot.views.change import change_card, change_details
from bot.views.digest import digest
from bot.views.freezes import freeze_told
from bot.views.jobs import sweep_failing, sweep_recovered
from bot.views.mail import Email
from bot.views.notices import (
    decision_refused,
    email_nodes_away,
    nodes_away,
    preflight_answer,
)
from bot.views.plan import plan_answer, plan_file
from bot.views.run import run_card, run_details
from bot.views.run_control import paused_reminder
from bot.views.tables import Attachment, Flavour
from bot.views.window_change import edit_offer
from bot.views.window_orders import window_order_card
from commands.digest_report import digest_report
from commands.record import as_json, record_of, rows_as_csv
from commands.reports import change_report, run_report
from patching.config import Configuration
from patching.nodes import EnvironmentKey
from storage import changes, runs, window_orders
from storage.changes import Change
from storage.database import Store
from storage.outbox import Medium, Notice


@dataclass(frozen=True, slots=True)
class Rendering:
    """Blocks for Slack, or subject and HTML for mail; the text is the fallback of both."""

    text: str
    blocks: list[dict[str, Any]]
    attachments: tuple[Attachment, ...] = ()
    subject: str = ""
    html: str = ""


def render(
    store: Store,
    config: Configuration,
    notice: Notice,
    flavour: Flavour,
    link: str | None = None,
    now: datetime | None = None,
) -> Rendering:
    """`link`: the permanent one of the subject's card, where it is known; `now`: when it is sent, by which a message
    that comes too late says so; left out, it is as in time as when it was owed."""
    number = notice.subject.partition(":")[2]
    now = now or notice.created_at
    match notice.kind:
        case "run-card":
            return Rendering(*run_card(run_report(store, runs.get(store.db, int(number)))))
        case "run-details":
            rendered, attachment = run_details(run_report(store, runs.get(store.db, int(number))), flavour)
            return Rendering(*rendered, (attachment,) if attachment else ())
        case "change-card":
            return Rendering(*change_card(change_report(store, changes.get(store.db, int(number)), config)))
        case "change-details":
            report = change_report(store, changes.get(store.db, int(number)), config)
            rendered, attachment = change_details(report, flavour)
            files = (attachment, plan_file(report.change))
            return Rendering(*rendered, tuple(file for file in files if file))
        case "approval-asked" | "approval-reminder" | "record":
            return _about_change(store, config, notice, changes.get(store.db, int(number)), link)
        case "window-order-card":
            return Rendering(*window_order_card(window_orders.get(store.db, int(number))))
        case "freeze-added" | "freeze-lifted":
            return Rendering(*freeze_told(notice.kind, notice.payload))
        case "backups":
            return Rendering(*backups_answer(notice.payload))
        case "plan":
            rendered, attachment = plan_answer(notice.payload, direct=notice.medium is Medium.USER)
            return Rendering(*rendered, (attachment,) if attachment else ())
        case "window":
            return Rendering(*edit_offer({**notice.payload, "inquiry": int(number)}))
        case "preflight":
            return Rendering(*preflight_answer(notice.payload))
        case "install-started" | "install-failing" | "install-ended":
            return _either(about_install(store, notice))
        case "window-reminder" | "window-started" | "window-correction":
            return _either(about_window(store, config, notice, now))
        case kind if kind in change_notices.KINDS:
            return _either(about_change(store, config, notice, now))
        case "node-away" | "node-back" | "node-late":
            return _about_nodes(store, config, notice, int(number))
        case "paused-reminder":
            return _paused(store, notice, int(number), link)
        case "receipt":
            report = change_report(store, changes.get(store.db, int(number)), config)
            return Rendering(*receipt(report, str(notice.payload["head"])))
        case "digest":
            rendered, attachment = digest(digest_report(store.db, config, notice), flavour)
            return Rendering(*rendered, (attachment,) if attachment else ())
        case "sweep-failing":
            return Rendering(*sweep_failing(notice.payload))
        case "sweep-recovered":
            return Rendering(*sweep_recovered(notice.payload))
        case "bypass":
            return _either(about_bypass(store, config, notice))
        case "refusal":
            return Rendering(*decision_refused(str(notice.payload["sentence"]), notice.payload.get("person")))
    raise ValueError(f"no view for a notice of kind {notice.kind}")


def _about_change(store: Store, config: Configuration, notice: Notice, change: Change, link: str | None) -> Rendering:
    report = change_report(store, change, config)
    if notice.kind == "approval-asked":
        return Rendering(*approval_asked(report, link))
    if notice.kind == "approval-reminder":
        waited = notice.created_at - (change.evaluated_at or change.requested_at)
        return Rendering(*approval_reminder(report, waited, link))
    story = record_of(store, change)
    files = (
        Attachment(f"{change.ref}.json", f"The record of {change.ref}", as_json(story)),
        Attachment(f"{change.ref}.csv", f"Every row of evidence of {change.ref}", rows_as_csv(story)),
    )
    return Rendering(*record_message(report), files)


def _paused(store: Store, notice: Notice, run_id: int, link: str | None) -> Rendering:
    waited = timedelta(seconds=int(notice.payload["waited"]))
    return Rendering(*paused_reminder(run_report(store, runs.get(store.db, run_id)), waited, link))


def _about_nodes(store: Store, config: Configuration, notice: Notice, run_id: int) -> Rendering:
    report = run_report(store, runs.get(store.db, run_id))
    environment = config.environment(EnvironmentKey(report.run.application, report.run.environment))
    region = environment.region if environment else ""
    about = Told(notice.kind, tuple(notice.payload["nodes"]), notice.created_at, region)
    return _either(email_nodes_away(report, about) if notice.medium is Medium.EMAIL else nodes_away(report, about))


def _either(made: Rendered | Email) -> Rendering:
    if isinstance(made, Email):
        return Rendering(made.text, [], subject=made.subject, html=made.html)
    return Rendering(*made)
