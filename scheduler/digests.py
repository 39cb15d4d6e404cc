"""Sweep `digests`: once a week each channel of an application is owed a word on how things stand (I7)."""

from datetime import datetime, timedelta
from typing import Final

from commands.digest_report import KIND, channels, payload
from scheduler.parts import Parts
from storage import audit, outbox
from storage.database import to_text
from storage.outbox import Medium

LATEST: Final = timedelta(days=3)
"""After downtime the newest digest is sent so long after its moment; later, the next one says it better."""


def tick(parts: Parts, now: datetime) -> None:
    weekly = parts.config.notices.digest
    if weekly is None:
        return
    db, moment = parts.store.db, weekly.last(now)
    began = audit.began(db)
    if now - moment > LATEST or began is None or moment < began:
        return
    for channel, applications in channels(parts.config).items():
        key = f"{KIND}:{channel}:{to_text(moment)}"
        if outbox.by_key(db, key):
            continue
        content = payload(db, parts.config, channel, applications, now)
        with parts.store.transaction() as tx:
            outbox.owe(
                tx,
                now,
                key=key,
                kind=KIND,
                medium=Medium.CHANNEL,
                recipient=channel,
                subject=f"digest:{channel}",
                payload=content,
            )
        parts.wake("deliver")
