"""What those affected are told of windows, changes and Installs, in Slack and by e-mail, from the store as it is."""

from collections.abc import Sequence
from datetime import datetime

from bot.views import window_notices
from bot.views.blocks import Rendered
from bot.views.bypass import bypass_warning, email_bypass
from bot.views.change_notices import change_notice, email_change_notice
from bot.views.mail import Email
from bot.views.notices import (
    email_ended,
    email_failing,
    email_started,
    install_ended,
    install_failing,
    install_started,
)
from commands.reports import change_report, run_report
from commands.window_report import correction_report, window_report
from patching.config import Configuration
from patching.nodes import EnvironmentKey
from storage import bypasses, changes, runs
from storage.database import Store
from storage.outbox import Medium, Notice


def about_window(store: Store, config: Configuration, notice: Notice, now: datetime) -> Rendered | Email:
    """Kinds window-reminder, window-started and window-correction; subject `window:ID:TIME`."""
    mail, shown = notice.medium is Medium.EMAIL, notice.ts is not None
    groups = _groups(config, notice, str(notice.payload["application"]))
    if notice.kind == "window-correction":
        corrected = correction_report(store, notice.payload)
        if mail:
            return window_notices.email_correction(corrected, now)
        return window_notices.correction(corrected, now, shown=shown, groups=groups)
    report = window_report(store, config, notice.payload, now)
    if notice.kind == "window-started":
        if mail:
            return window_notices.email_started(report, now)
        return window_notices.started(report, now, shown=shown, groups=groups)
    if mail:
        return window_notices.email_reminder(report, now)
    return window_notices.reminder(report, now, shown=shown, groups=groups)


def about_change(store: Store, config: Configuration, notice: Notice, now: datetime) -> Rendered | Email:
    """Kinds of `change_notices.KINDS`; subject `change:ID`."""
    report = change_report(store, changes.get(store.db, _id(notice)), config)
    install = run_report(store, report.install) if report.install else None
    if notice.medium is Medium.EMAIL:
        return email_change_notice(report, notice.kind, notice.payload, now, install=install)
    groups = _groups(config, notice, report.change.application)
    return change_notice(report, notice.kind, notice.payload, now, install=install, groups=groups)


def about_install(store: Store, notice: Notice) -> Rendered | Email:
    """Kinds install-started, install-failing and install-ended; subject `run:ID`."""
    report = run_report(store, runs.get(store.db, _id(notice)))
    mail = notice.medium is Medium.EMAIL
    match notice.kind:
        case "install-started":
            return email_started(report) if mail else install_started(report)
        case "install-failing":
            return email_failing(report) if mail else install_failing(report)
        case _:
            return email_ended(report) if mail else install_ended(report)


def about_bypass(store: Store, config: Configuration, notice: Notice) -> Rendered | Email:
    """Kind bypass; subject `window:ID` or `association:ID`."""
    payload = notice.payload
    key = EnvironmentKey(str(payload["application"]), str(payload["environment"]))
    stands = bypasses.stands(store.db, key, str(payload["id"]), str(payload["fingerprint"]))
    if notice.medium is Medium.EMAIL:
        return email_bypass(payload, stands=stands, read_at=notice.created_at)
    groups = _groups(config, notice, key.application)
    return bypass_warning(payload, stands=stands, read_at=notice.created_at, groups=groups)


def _groups(config: Configuration, notice: Notice, application: str) -> Sequence[str]:
    """Owners that are groups are mentioned in the application's own channel alone."""
    known = config.applications.get(application)
    mine = notice.medium is Medium.CHANNEL and notice.recipient == config.channel_of(application)
    return known.owners.groups if known and mine else ()


def _id(notice: Notice) -> int:
    return int(notice.subject.partition(":")[2])
