"""`/patch windows [APP]`: what AWS's maintenance windows and associations will do, to whom, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Self

from commands import grammar
from commands.agenda import TOO_OLD, Seen, seen_everywhere, where_of
from commands.command import Actor, Command, Context
from commands.errors import Refused
from commands.replies import Reply
from commands.window_lines import association_lines, candidates, window_line
from commands.window_list import EnvironmentPart, ReadingLine, WindowLine, WindowList
from patching.config import Configuration, Environment
from patching.nodes import EnvironmentKey
from patching.planned import PlannedWindow
from patching.states import ChangeState
from storage import changes
from storage.changes import Change

PAGE = 5  # windows a page


@dataclass(frozen=True, slots=True)
class ListWindows(Command):
    name: ClassVar[str] = "windows"
    usage: ClassVar[str] = "[APP]"
    summary: ClassVar[str] = "List the maintenance windows ahead and what each would do."
    detail: ClassVar[str] = (
        "For each environment what AWS plans in the next 35 days: when, for how long, which tasks scan or install on "
        "how many nodes, the changes that wait for it and the freezes that cover it; beside them State Manager's "
        "associations that patch. What installs on production past the gate is marked. AWS is asked every five "
        "minutes; the answer says how old it is."
    )
    deferred: ClassVar[bool] = True

    application: str | None = None
    page: int = 0

    @classmethod
    def parse(cls, words: Sequence[str], config: Configuration) -> Self:
        if len(words) > 1:
            raise Refused(
                "`/patch windows` takes one application at most; nothing was done. "
                f"Usage: `/patch windows {cls.usage}`."
            )
        return cls(grammar.application(words[0], config) if words else None)

    def perform(self, context: Context, actor: Actor) -> Reply:
        now, known = context.now, seen_everywhere(context.store.db, context.config)
        mine = {key: each for key, each in known.items() if self.application in (None, key.application)}
        entries: list[tuple[EnvironmentKey, PlannedWindow | None]] = []
        disabled: dict[EnvironmentKey, tuple[tuple[str, str], ...]] = {}
        quiet: list[str] = []
        for key, each in mine.items():
            planned, off = candidates(each, now)
            disabled[key] = tuple((window.id, window.name) for window in off)
            entries += [(key, window) for window in planned]
            if not planned and (off or association_lines(each)):
                entries.append((key, None))
            elif not planned and each.read_at is not None:
                quiet.append(str(key))
        page = max(0, self.page)
        shown = entries[page * PAGE : (page + 1) * PAGE]
        last = {key: at for at, (key, _) in enumerate(entries)}
        waiting = changes.in_state(context.store.db, ChangeState.WAITING, ChangeState.HELD)
        return WindowList(
            application=self.application,
            parts=tuple(
                EnvironmentPart(
                    key=key,
                    production=context.config.environments()[key].production,
                    nodes=len(known[key].nodes),
                    owners=_owners(context.config, key.application),
                    windows=_lines(context, key, known, [window for of, window in shown if of == key], waiting, now),
                    is_last=last[key] < page * PAGE + len(shown),
                    associations=association_lines(known[key]),
                    disabled=disabled[key],
                )
                for key in dict.fromkeys(key for key, _ in shown)
            ),
            quiet=tuple(quiet) if page == 0 else (),
            readings=_readings(context.config, mine, now),
            now=now,
            page=page,
            more=len(entries) > (page + 1) * PAGE,
        )


def _lines(
    context: Context,
    key: EnvironmentKey,
    known: dict[EnvironmentKey, Seen],
    windows: Sequence[PlannedWindow | None],
    waiting: Sequence[Change],
    now: datetime,
) -> tuple[WindowLine, ...]:
    environments = context.config.environments()
    near = {
        other: each for other, each in known.items() if _account(environments[other]) == _account(environments[key])
    }
    mine = [change for change in waiting if (change.application, change.environment) == key]
    return tuple(
        window_line(context.store.db, context.config, key, known[key], window, near, mine, now)
        for window in windows
        if window is not None
    )


def _account(environment: Environment) -> tuple[str, str]:
    return environment.account, environment.region


def _owners(config: Configuration, application: str) -> tuple[str, ...]:
    owners = config.applications[application].owners
    return (*owners.users, *owners.groups, *owners.emails)


def _readings(config: Configuration, known: dict[EnvironmentKey, Seen], now: datetime) -> tuple[ReadingLine, ...]:
    """One for each account, Region and role, as old as the oldest of its environments."""
    found: dict[tuple[str, str, str], ReadingLine] = {}
    for key, each in known.items():
        where = where_of(config.environments()[key])
        old = each.read_at is None or now - each.read_at > TOO_OLD
        line = ReadingLine(where[0], where[1], each.read_at, each.error, old)
        if where not in found or line.read_at is None:
            found[where] = line
    return tuple(found.values())
