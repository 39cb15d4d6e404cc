"""What was owed, read from the outbox, and what was told, read from Slack and the mail server themselves."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from typing import Any

from patching.agenda import Opening
from sandbox.mail import Mail
from sandbox.slack.model import BOT, Message
from sandbox.slack.workspace import Workspace
from storage.database import Store
from tests.months.judge import Owed, Place, Told, Word
from tests.town import words_of

Posted = tuple[str, str]
"""A message in Slack: its channel and ts."""


def read_at(store: Store) -> datetime | None:
    """When the bot last read AWS, well."""
    row = store.db.execute("SELECT max(read_at) AS at FROM agenda_reading").fetchone()
    return datetime.fromisoformat(row["at"]) if row["at"] else None


def owed(store: Store) -> list[Owed]:
    said: Counter[tuple[Place, Word]] = Counter()
    found = []
    for row in store.db.execute("SELECT * FROM notice ORDER BY id"):
        place, word = (row["medium"], row["recipient"]), _word(row)
        late_from = _late_from(row["kind"], json.loads(row["payload"]))
        if word.kind == "window-correction":
            said[place, word] += 1
            word = Word(word.kind, word.about, word.moment, f"{word.stage} #{said[place, word]}")
        found.append(Owed(row["id"], word, place, row["state"], late_from))
    return found


@dataclass(slots=True)
class Doubts:
    """What was accepted a moment before the bot died: looked for after each death, and owed again from then on."""

    posted: dict[Posted, int] = field(default_factory=dict)  # to which row a message belongs that no row knows
    mailed: Counter[int] = field(default_factory=Counter)

    @property
    def times(self) -> Counter[int]:
        return Counter(self.posted.values()) + self.mailed

    def look(self, store: Store, workspace: Workspace, mails: Sequence[Mail], since: datetime) -> None:
        """The bot has died in what it began at `since`."""
        rows = list(store.db.execute("SELECT * FROM notice WHERE state = 'sending'"))
        assert len(rows) <= 1, "one thread sends one at a time"
        for row in rows:
            known, place = self.posted.keys() | set(_posted(store)), (row["medium"], row["recipient"])
            fresh = {(each.channel, each.ts) for each in _said(workspace) if each.at >= since} - known
            mine = {each for each in fresh if _place(workspace, each[0]) == place}
            self.posted |= dict.fromkeys(sorted(mine)[-1:], row["id"])
            if row["medium"] == "email":
                self.mailed[row["id"]] = sum(_number(mail) == row["id"] for mail in mails)


def told(store: Store, workspace: Workspace, mails: Sequence[Mail], doubts: Doubts) -> list[Told]:
    """For each place in the order of arrival."""
    rows = _posted(store) | doubts.posted
    slack = [
        Told(rows.get((each.channel, each.ts)), _place(workspace, each.channel), each.at, words_of(_as_json(each)))
        for each in sorted(_said(workspace), key=lambda each: each.ts)
    ]
    return [*slack, *(Told(_number(mail), ("email", mail.to[0]), mail.at, _words(mail)) for mail in mails)]


def _word(row: Any) -> Word:
    kind, payload = row["kind"], json.loads(row["payload"])
    match kind:
        case "window-reminder":
            opening = Opening.from_json(payload["opening"])
            return Word(kind, opening.name, opening.opens, str(payload["lead"]))
        case "window-correction":
            changes = sorted(map(_change, payload["corrections"]), key=lambda change: change[0].opens)
            first = changes[0][0]
            return Word(kind, first.name, first.opens, "; ".join(what for _, what in changes))
        case "digest":
            _, channel, moment = row["key"].split(":", 2)
            return Word(kind, channel, datetime.fromisoformat(moment), "")
    return Word(kind, row["subject"], datetime.fromisoformat(row["created_at"]), "")


def _late_from(kind: str, payload: Any) -> datetime | None:
    """When what it is about begins; None where nothing does."""
    match kind:
        case "window-reminder":
            return Opening.from_json(payload["opening"]).opens
        case "window-correction":
            about = [each[which] for each in payload["corrections"] for which in ("opening", "moved_to") if each[which]]
            return min(Opening.from_json(each).opens for each in about)
    return None


def _change(correction: Any) -> tuple[Opening, str]:
    opening, moved_to = Opening.from_json(correction["opening"]), correction["moved_to"]
    if correction["back"]:
        return opening, "back"
    return opening, f"moved to {Opening.from_json(moved_to).opens:%Y-%m-%d %H:%M}" if moved_to else "off"


def _posted(store: Store) -> dict[Posted, int]:
    rows = store.db.execute("SELECT id, channel, ts FROM notice WHERE ts IS NOT NULL")
    return {(row["channel"], row["ts"]): row["id"] for row in rows}


def _said(workspace: Workspace) -> Iterator[Message]:
    with workspace.lock:
        return iter([each for each in workspace.posts.all() if each.user == BOT and each.ephemeral_to is None])


def _place(workspace: Workspace, channel: str) -> Place:
    person = workspace.directory.channels[channel].person
    return ("user", person) if person else ("channel", channel)


def _as_json(message: Message) -> dict[str, Any]:
    return {"text": message.text, "blocks": list(message.blocks or ())}


def _number(mail: Mail) -> int:
    """The row that it is of: `<notice-12-…@patchgate>`."""
    return int(str(message_from_bytes(mail.raw)["Message-ID"]).split("-")[1])


def _words(mail: Mail) -> str:
    return f"{mail.subject}\n{mail.text}"
