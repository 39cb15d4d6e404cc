"""Sweep `reminders`: everybody affected hears of a maintenance window before it opens, and when that was wrong (I7).

It reads the store alone. What people were told stands in `storage/window_executions.py`, in the same transaction as
the notices; a notice's key is the window, its execution time, the lead and the recipient, so two sweeps owe it once.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlite_utils import Database

from commands.affected import affected
from commands.agenda import AgendaUnknown, openings, seen, where_of
from patching.agenda import Opening
from patching.config import Configuration
from patching.nodes import EnvironmentKey
from patching.reminding import Correction, Told, corrections, lead_due
from scheduler.parts import Parts
from storage import agenda, environment_readings, outbox, subscriptions, window_executions
from storage.database import to_text
from storage.window_executions import Execution, Recipient, subject_of

log = logging.getLogger(__name__)

HORIZON: Final = timedelta(days=40)  # farther than AWS is asked for
BEGUN: Final = timedelta(0)
"""The last lead: a window whose tasks patch has opened."""

_LONGEST: Final = timedelta(days=2)  # no window is open for longer (facts/patch-manager.md section 5)

_UNKNOWN: Final = timedelta(minutes=1)  # until an agenda that nobody knows is asked for again

Known = Mapping[tuple[str, datetime], Execution]


@dataclass(frozen=True, slots=True)
class Due:
    """A reminder of one execution that is due to these."""

    opening: Opening
    lead: timedelta
    recipients: tuple[Recipient, ...]


@dataclass(slots=True)
class Reminders:
    """An environment is looked at when what is known of it has changed, or when the next lead of a window has come:
    hundreds of them with dozens of windows each are dear to look at every few seconds."""

    parts: Parts
    quiet: dict[EnvironmentKey, tuple[object, datetime]] = field(default_factory=dict)  # as known then, and until when

    def tick(self, now: datetime) -> None:
        """One environment that fails keeps no other from its turn; then it raises."""
        failure: Exception | None = None
        db, config = self.parts.store.db, self.parts.config
        tries, nodes = agenda.tries(db), environment_readings.read_times(db)
        subscribed = subscriptions.states(db)
        for key, environment in config.environments().items():
            known = (tries.get(where_of(environment)), nodes.get(key), subscribed.get(key.application))
            before, until = self.quiet.get(key, (None, now))
            if known == before and now < until:
                continue
            try:
                self.quiet[key] = (known, look(self.parts, key, now))
            except Exception as error:
                log.exception("the windows of %s can't be told of", key)
                failure = error
        if failure:
            raise failure


def look(parts: Parts, key: EnvironmentKey, now: datetime) -> datetime:
    """Owe what is due of one environment's windows; until when nothing else will be, if nothing changes."""
    db, config = parts.store.db, parts.config
    try:
        planned = openings(db, config, key, now, now + HORIZON, now)
    except AgendaUnknown as unknown:
        log.debug("nobody is reminded of the windows of %s: %s", key, unknown)
        return now + _UNKNOWN
    known = _known(db, key, now)
    if _corrections(known, planned, now) or _due(db, config, key, planned, known, now):
        with parts.store.transaction() as tx:
            known = _known(tx, key, now)
            _correct(tx, now, config, key, _corrections(known, planned, now), known)
            for each in _due(tx, config, key, planned, _known(tx, key, now), now):
                _remind(tx, now, config, key, each)
        parts.wake("deliver")
    moments = (opening.opens - lead for opening in planned for lead in (*config.notices.leads, BEGUN))
    return min((moment for moment in moments if moment > now), default=now + HORIZON)


def _known(db: Database, key: EnvironmentKey, now: datetime) -> Known:
    return window_executions.since(db, key, now - _LONGEST)


def _due(
    db: Database,
    config: Configuration,
    key: EnvironmentKey,
    planned: Sequence[Opening],
    known: Known,
    now: datetime,
) -> list[Due]:
    """Whom to remind of what. Who is affected only since the newest lead hears of it too, until it has begun."""
    found = []
    everybody: Sequence[Recipient] | None = None
    for opening in planned:
        before = known.get(opening.key)
        leads = config.notices.leads
        if opening.opens <= now and opening.window_id in _patching(db, config, key):
            leads = (*leads, BEGUN)
        lead = lead_due(leads, opening.opens, now, before.lead if before else None)
        if lead is None:
            continue
        told = before.told if before and before.lead == lead else ()
        if told and opening.opens <= now:
            continue
        if everybody is None:
            everybody = affected(db, config, key.application, key.environment)
        recipients = tuple(each for each in everybody if each not in told)
        if recipients:
            found.append(Due(opening, lead, recipients))
    return found


def _patching(db: Database, config: Configuration, key: EnvironmentKey) -> Collection[str]:
    """The windows with a task that patches its nodes: what Patchgate sends in a window is told when it starts."""
    known = seen(db, config, key)
    return {window.id for window in known.agenda.windows if window.patching(known.nodes)} if known else ()


def _remind(tx: Database, now: datetime, config: Configuration, key: EnvironmentKey, due: Due) -> None:
    opening = due.opening
    before = window_executions.find(tx, key, opening) or Execution(key, opening, (), None)
    window_executions.keep(tx, now, replace(before.with_told(due.recipients), opening=opening, lead=due.lead))
    payload = {**_about(config, key), "opening": opening.as_json(), "lead": int(due.lead.total_seconds())}
    for medium, recipient in due.recipients:
        outbox.owe(
            tx,
            now,
            key=f"{subject_of(opening)}:{int(due.lead.total_seconds())}:{key}:{medium}:{recipient}",
            kind="window-started" if due.lead == BEGUN else "window-reminder",
            medium=medium,
            recipient=recipient,
            subject=subject_of(opening),
            payload=payload,
        )


def _corrections(known: Known, planned: Sequence[Opening], now: datetime) -> tuple[Correction, ...]:
    told = [Told(each.opening, off=each.gone_at is not None) for each in known.values()]
    return corrections(told, planned, now)


def _correct(
    tx: Database,
    now: datetime,
    config: Configuration,
    key: EnvironmentKey,
    found: Sequence[Correction],
    known: Known,
) -> None:
    """One word to each who was told, about all that changed for them; it stands for the reminder that is due by now."""
    said: dict[Recipient, list[Correction]] = defaultdict(list)
    for each in found:
        execution = known[each.opening.key]
        for told in execution.told:
            said[told].append(each)
        if not each.back:
            moved_to = each.moved_to.opens if each.moved_to else None
            window_executions.keep(tx, now, replace(execution, gone_at=now, moved_to=moved_to))
        standing = each.opening if each.back else each.moved_to
        if standing:
            before = window_executions.find(tx, key, standing) or Execution(key, standing, (), None)
            lead = lead_due(config.notices.leads, standing.opens, now, before.lead) or before.lead
            heard = replace(before.with_told(execution.told), opening=standing, lead=lead, gone_at=None, moved_to=None)
            window_executions.keep(tx, now, heard)
    for (medium, recipient), items in said.items():
        first = items[0].moved_to or items[0].opening
        outbox.owe(
            tx,
            now,
            key=f"{subject_of(items[0].opening)}:corrected-{to_text(now)}:{key}:{medium}:{recipient}",
            kind="window-correction",
            medium=medium,
            recipient=recipient,
            subject=subject_of(first),
            payload={**_about(config, key), "corrections": [_as_json(each) for each in items]},
        )


def _about(config: Configuration, key: EnvironmentKey) -> dict[str, Any]:
    return {
        "application": key.application,
        "environment": key.environment,
        "production": config.environments()[key].production,
    }


def _as_json(correction: Correction) -> dict[str, Any]:
    return {
        "opening": correction.opening.as_json(),
        "back": correction.back,
        "moved_to": correction.moved_to.as_json() if correction.moved_to else None,
    }
