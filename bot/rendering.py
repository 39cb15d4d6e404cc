"""From a notice to what is sent: the view for its kind, fed from the store as it is now (I5)."""

from dataclasses import dataclass
from typing import Any

from bot.views.change import change_card, change_details
from bot.views.notices import (
    decision_refused,
    email_ended,
    email_started,
    install_ended,
    install_started,
    receipt,
    reminder,
)
from bot.views.run import run_card, run_details
from bot.views.tables import Attachment, Flavour
from commands.reports import change_report, run_report
from patching.config import Configuration
from storage import changes, runs
from storage.database import Store
from storage.outbox import Medium, Notice


@dataclass(frozen=True, slots=True)
class Rendering:
    """Blocks for Slack, or subject and HTML for mail; the text is the fallback of both."""

    text: str
    blocks: list[dict[str, Any]]
    attachment: Attachment | None = None
    subject: str = ""
    html: str = ""


def render(store: Store, config: Configuration, notice: Notice, flavour: Flavour) -> Rendering:
    number = notice.subject.partition(":")[2]
    match notice.kind:
        case "run-card":
            return Rendering(*run_card(run_report(store, runs.get(store.db, int(number)))))
        case "run-details":
            rendered, attachment = run_details(run_report(store, runs.get(store.db, int(number))), flavour)
            return Rendering(*rendered, attachment)
        case "change-card":
            return Rendering(*change_card(change_report(store, changes.get(store.db, int(number)), config)))
        case "change-details":
            report = change_report(store, changes.get(store.db, int(number)), config)
            rendered, attachment = change_details(report, flavour)
            return Rendering(*rendered, attachment)
        case "install-started" | "install-ended":
            return _for_owner(store, notice, int(number))
        case "receipt":
            report = change_report(store, changes.get(store.db, int(number)), config)
            return Rendering(*receipt(report, str(notice.payload["head"])))
        case "window-reminder":
            return Rendering(*reminder(notice.payload))
        case "refusal":
            return Rendering(*decision_refused(str(notice.payload["sentence"]), notice.payload.get("person")))
    raise ValueError(f"no view for a notice of kind {notice.kind}")


def _for_owner(store: Store, notice: Notice, run_id: int) -> Rendering:
    report = run_report(store, runs.get(store.db, run_id))
    started = notice.kind == "install-started"
    if notice.medium is Medium.EMAIL:
        mail = email_started(report) if started else email_ended(report)
        return Rendering(mail.text, [], subject=mail.subject, html=mail.html)
    return Rendering(*(install_started(report) if started else install_ended(report)))
