"""`/patch freeze …`: who is frozen and until when; admins add a freeze or lift one, each with a reason."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final, Self

from sqlite_utils import Database

from commands import grammar
from commands.command import Actor, Command, Context, require
from commands.errors import Refused
from commands.freezes import FreezeList, FreezePeriod, Origin, called, last_minute, upcoming, written
from commands.ports import Role
from commands.reasons import reason_from
from commands.replies import Done, Reply
from patching.config import Configuration
from patching.freezes import freeze_name
from patching.moments import LONGEST, When, parse_when
from patching.phrases import listed
from patching.suggest import did_you_mean
from storage import freezes, outbox
from storage.outbox import Medium

AHEAD: Final = timedelta(days=90)  # of the list
PAGE: Final = 12  # freezes a page
_OPTIONS: Final = ("apps", "from", "until")
_DASHES: Final = ("--", "—", "–")  # phones make one of two


class Action(StrEnum):
    LIST = "list"
    ADD = "add"
    LIFT = "lift"


@dataclass(frozen=True, slots=True)
class Freeze(Command):
    """Anybody may see the list; adding and lifting is for admins."""

    name: ClassVar[str] = "freeze"
    usage: ClassVar[str] = "ACTION [NAME REASON]"
    summary: ClassVar[str] = "List the freezes, or as an admin add one or lift one."
    detail: ClassVar[str] = (
        "ACTION is list, add or lift. `add NAME REASON` freezes every application from now until it is lifted; "
        "`--apps a,b`, `--from WHEN` and `--until WHEN` say it more narrowly, WHEN being a day, a time such as "
        "2026-12-20T18:00 (UTC, or with an offset), or how long from now, such as 48h. `lift NAME REASON` lifts the "
        "period that is in force, or the next one."
    )

    action: Action = Action.LIST
    which: str = ""
    reason: str = ""
    applications: tuple[str, ...] | None = None  # None: all
    starts: When | None = None  # None: now
    ends: When | None = None  # None: until it is lifted
    page: int = 0

    @classmethod
    def parse(cls, words: Sequence[str], config: Configuration) -> Self:
        action, rest = (words[0].lower() if words else Action.LIST), words[1:]
        if action not in list(Action):
            raise Refused(f"{grammar.show(action)} is not list, add or lift; nothing was done. {_usage(action)}")
        if action == Action.LIST:
            if rest:
                raise Refused(f"`/patch freeze list` has words too many; nothing was done. {_usage(action)}")
            return cls()
        options, left = _options(rest) if action == Action.ADD else ({}, list(rest))
        if len(left) < 2:
            raise Refused(f"`/patch freeze {action}` needs a name and a reason; nothing was done. {_usage(action)}")
        name, reason = " ".join(left[0].split()), reason_from(" ".join(left[1:]))
        if action == Action.LIFT:
            return cls(Action.LIFT, name, reason)
        return cls(
            Action.ADD,
            _name(name),
            reason,
            applications=_applications(options.get("apps", "all"), config),
            starts=_when(options["from"]) if "from" in options else None,
            ends=_when(options["until"]) if "until" in options else None,
        )

    def perform(self, context: Context, actor: Actor) -> Reply:
        if self.action is Action.LIST:
            return self._list(context)
        require(Role.ADMIN, actor, f"freeze {self.action}")
        with context.commit() as tx:
            done = self._add(tx, context, actor) if self.action is Action.ADD else self._lift(tx, context, actor)
        for sweep in ("waiting", "changes", "deliver"):
            context.wake(sweep)
        return done

    def _list(self, context: Context) -> FreezeList:
        now, page = context.now, max(0, self.page)
        found = upcoming(context.store.db, context.config, None, now, now + AHEAD)
        shown = found[page * PAGE : (page + 1) * PAGE]
        return FreezeList(shown, now, AHEAD, page, more=len(found) > (page + 1) * PAGE)

    def _add(self, tx: Database, context: Context, actor: Actor) -> Done:
        now = context.now
        starts = self.starts.starts(now) if self.starts else now
        ends = self.ends.ends(now) if self.ends else None
        if ends is not None and ends <= max(starts, now):
            raise Refused(
                f"It would end on {written(ends, 'UTC')}, which is not after {written(max(starts, now), 'UTC')}; "
                "nothing was done. Give a later --until, or leave it out."
            )
        if starts > now + LONGEST:
            raise Refused("It would begin more than ten years from now; nothing was done. Look at --from.")
        known = next((each for each in _names(tx, context) if each.casefold() == self.which.casefold()), None)
        if known:
            raise Refused(f"There is a freeze {known} already; nothing was done. Take another name, or lift it first.")
        added = freezes.add(tx, now, self.which, self.applications, starts, ends, self.reason, actor.user_id)
        _owe(
            tx,
            context,
            "freeze-added",
            actor,
            FreezePeriod(added.key, added.name, Origin.ADDED, added.applications, starts, ends, "UTC"),
            self.reason,
        )
        begins = "from now" if starts <= now else f"from {written(starts, 'UTC')}"
        until = f"until {last_minute(ends, 'UTC')}" if ends else "until an admin lifts it"
        return Done(f"{self.which} freezes {_people(self.applications)} {begins} {until}.")

    def _lift(self, tx: Database, context: Context, actor: Actor) -> Done:
        """All periods that are in force now, or the next one."""
        now = context.now
        found = called(tx, context.config, self.which, now)
        if not found:
            raise self._unknown(tx, context)
        if len({each.key if each.origin is Origin.ADDED else each.origin for each in found}) > 1:
            raise Refused(
                f"There is a freeze {found[0].name} in the configuration, and one that an admin added; nothing was "
                "done. Rename the one in the configuration."
            )
        meant = [each for each in found if each.is_in_force(now)] or list(found[:1])
        for each in meant:
            freezes.lift(tx, now, each.name, each.key, actor.user_id, self.reason)
        last = max(meant, key=lambda each: each.ends_at or datetime.max.replace(tzinfo=now.tzinfo))
        _owe(tx, context, "freeze-lifted", actor, last, self.reason)
        if last.origin is Origin.ADDED:
            return Done(f"{last.name} is lifted for {_people(last.applications)}.")
        return Done(
            f"{last.name} is lifted for {_people(last.applications)}{_span(last, now)}; what comes later stays."
        )

    def _unknown(self, tx: Database, context: Context) -> Refused:
        names = list(_names(tx, context))
        known = next((each for each in names if each.casefold() == self.which.casefold()), None)
        if known:
            return Refused(f"{known} is not in force, and nobody knows of a time at which it comes; nothing was done.")
        guess = did_you_mean(self.which, names)
        hint = f"Did you mean {guess}?" if guess else "`/patch freeze list` names them."
        return Refused(f"There is no freeze {grammar.show(self.which)}; nothing was done. {hint}")


def _options(words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """`--apps a,b` or `--apps=a,b`, wherever they stand; and the words that are left."""
    found: dict[str, str] = {}
    left: list[str] = []
    waiting = iter(words)
    for word in waiting:
        dash = next((each for each in _DASHES if word.startswith(each)), None)
        if dash is None or word == dash:
            left.append(word)
            continue
        name, given, value = word.removeprefix(dash).partition("=")
        if name not in _OPTIONS or name in found:
            problem = "is there twice" if name in found else "is no option"
            raise Refused(f"{grammar.show(word)} {problem}; nothing was done. {_usage(Action.ADD)}")
        found[name] = value if given else next(waiting, "")
    return found, left


def _name(word: str) -> str:
    try:
        return freeze_name(word)
    except ValueError:
        raise Refused(
            f"{grammar.show(word)} can't be a freeze's name; nothing was done. "
            "Allowed are at most 60 letters, digits, spaces and . _ -."
        ) from None


def _when(text: str) -> When:
    try:
        return parse_when(text)
    except ValueError:
        raise Refused(
            f"{grammar.show(text)} is not a moment; nothing was done. Write one such as 2026-12-20, "
            '2026-12-20T18:00+01:00, "2026-12-20 18:00 Europe/Berlin" or 48h.'
        ) from None


def _applications(text: str, config: Configuration) -> tuple[str, ...] | None:
    if text.strip().lower() == "all":
        return None
    return tuple(dict.fromkeys(grammar.application(each.strip(), config) for each in text.split(",")))


def _usage(action: str) -> str:
    usage = {
        "add": "add NAME [--apps A,B] [--from WHEN] [--until WHEN] REASON",
        "lift": "lift NAME REASON",
        "list": "list",
    }
    return f"Usage: `/patch freeze {usage.get(action, Freeze.usage)}`."


def _names(tx: Database, context: Context) -> Iterable[str]:
    """Of the configuration, and of those that admins added and that are not over."""
    yield from (freeze.name for freeze in context.config.freezes)
    yield from (each.name for each in freezes.added(tx, context.now))


def _people(applications: tuple[str, ...] | None) -> str:
    return listed(applications) if applications else "every application"


def _span(period: FreezePeriod, now: datetime) -> str:
    """When the lifted period would have been, where that is known."""
    begins = period.starts_at and period.starts_at > now
    since = f" from {written(period.starts_at, period.timezone)}" if begins and period.starts_at else ""
    until = f" until {last_minute(period.ends_at, period.timezone)}" if period.ends_at else ""
    return f"{since}{until}"


def _owe(tx: Database, context: Context, kind: str, actor: Actor, period: FreezePeriod, reason: str) -> None:
    """One line to the general channel and to that of each application concerned (I7)."""
    config = context.config
    names = config.applications if period.applications is None else period.applications
    payload = {
        "name": period.name,
        "applications": period.applications,
        "starts_at": period.starts_at.isoformat() if period.starts_at else None,
        "ends_at": period.ends_at.isoformat() if period.ends_at else None,
        "recurs": period.origin is not Origin.ADDED,
        "reason": reason,
        "by": actor.user_id,
    }
    for channel in dict.fromkeys([config.slack.channel, *(config.channel_of(name) for name in names)]):
        outbox.owe(
            tx,
            context.now,
            key=f"{kind}:{period.key}:{channel}",
            kind=kind,
            medium=Medium.CHANNEL,
            recipient=channel,
            subject=f"freeze:{period.key}",
            payload=payload,
        )
