"""One command from a terminal: asked for, followed if that is wanted, and printed."""

import io
import json
import sqlite3
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import tzinfo

import click

from bot.rendering import render
from bot.settings import Settings, read_configuration
from bot.terminal import OFFERED
from bot.terminal_asking import Answer, Person, ask, open_store, parse
from bot.terminal_following import Status, answer_to, follow, standing
from bot.views.documents import (
    Document,
    change_document,
    inquiry_document,
    refusal_document,
    reply_document,
    run_document,
)
from bot.views.tables import Flavour
from bot.views.terminal import Screen
from commands import status
from commands.errors import Refused
from commands.ports import Clock
from commands.replies import Accepted, ChangeStatus, Done, Reply, RunStatus
from commands.reports import change_report, run_report
from patching.config import Configuration, ConfigurationError
from storage import changes, runs
from storage.database import StorageError, Store


@dataclass(frozen=True, slots=True)
class Session:
    """`zone`: of the times that are shown; None for the machine's own. `pause` waits for so many seconds."""

    read: Callable[[], Settings]
    clock: Clock
    pause: Callable[[float], object]
    system_user: str
    zone: tzinfo | None = None

    def run(self, name: str, words: Sequence[str], as_json: bool, wait: bool) -> int:
        """The exit status (docs/guide/terminal.md)."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")  # cron's character set may lack what a title has
        screen = Screen(self.zone, OFFERED)
        try:
            settings = self.read()
            config = read_configuration(settings.config_path)
        except ConfigurationError as error:
            return _refuse(screen, " ".join([*error.problems, "Nothing was done."]), as_json)
        try:
            asked = parse(name, words, config)
            if wait and isinstance(asked, status.Status) and asked.ref is None:
                raise Refused("--wait follows one run or change; nothing was done. Name its id.")
        except Refused as error:
            _refuse(screen, screen.sentence(error.sentence, error.person), as_json)
            return Status.USAGE
        person = Person(self.system_user, config.access.terminal.get(self.system_user))
        try:
            answer = ask(asked, person, settings, config, self.clock)
        except Refused as error:
            return _refuse(screen, screen.sentence(error.sentence, error.person), as_json)
        except StorageError as error:
            return _refuse(screen, str(error), as_json)
        except sqlite3.Error as error:
            where = f"The database {settings.database_path} can't be used"
            return _refuse(screen, f"{where} ({error}); nothing was done. Check its rights and its disk.", as_json)
        return _Telling(self, settings, config, screen, answer, as_json, wait).tell()


@dataclass(frozen=True, slots=True)
class _Telling:
    """What comes after the commit: from here on nothing is undone by what goes wrong."""

    session: Session
    settings: Settings
    config: Configuration
    screen: Screen
    answer: Answer
    as_json: bool
    wait: bool

    def tell(self) -> int:
        reply, ref = self.answer.reply, _ref(self.answer)
        if ref is None:
            self._print(self.screen.reply(reply), reply_document(reply))
            return Status.SUCCEEDED
        recorded = isinstance(reply, Accepted | Done)
        try:
            if self.wait:
                end = follow(self._open, ref, self.session.clock, self.session.pause, self._say)
            else:
                end = Status.ACCEPTED if recorded else self._standing(ref)
            text, document = self._page(ref)
        except KeyboardInterrupt:
            self._say(f"{ref} is followed no more; it goes on, and `/patch status {ref}` shows it.")
            return 130
        except (Refused, StorageError, sqlite3.Error) as error:
            self._say(f"{ref} stands, but can't be followed: {error}")
            return Status.FAILED
        self._print(self._recorded(reply, ref) if recorded and not self.wait else text, document)
        return end

    def _recorded(self, reply: Reply, ref: str) -> str:
        if isinstance(reply, Accepted) or (isinstance(reply, Done) and not ref.startswith("inquiry-")):
            return self.screen.sentence(reply.sentence)
        return f"{ref} is recorded; the answer comes to you in Slack, and with --wait it comes here."

    def _page(self, ref: str) -> tuple[str, Document]:
        """The thing itself, as it is now."""
        with closing(self._open()) as store:
            kind, _, number = ref.partition("-")
            match kind:
                case "change":
                    report = change_report(store, changes.get(store.db, int(number)), self.config)
                    install = run_report(store, report.install) if report.install else None
                    return self.screen.change(report), change_document(report, install)
                case "inquiry":
                    notice = answer_to(store.db, ref)
                    if notice is None:
                        return "", inquiry_document(ref, None)
                    if notice.kind == "plan":
                        return self.screen.plan(notice.payload), inquiry_document(ref, notice.payload)
                    found = render(store, self.config, notice, Flavour.TABLE)
                    return self.screen.message((found.text, found.blocks)), inquiry_document(ref, notice.payload)
                case _:
                    found_run = run_report(store, runs.get(store.db, int(number)))
                    return self.screen.run(found_run), run_document(found_run)

    def _standing(self, ref: str) -> Status:
        with closing(self._open()) as store:
            return standing(store.db, ref).status

    def _open(self) -> Store:
        return open_store(self.settings, write=False)

    def _say(self, markup: str) -> None:
        click.echo(self.screen.line(markup), err=True)

    def _print(self, text: str, document: Document) -> None:
        _print(text, document, self.as_json)


def _ref(answer: Answer) -> str | None:
    """What is to be followed or shown: a run, a change, an inquiry."""
    match answer.reply:
        case Accepted(ref=ref):
            return ref
        case RunStatus(report=report):
            return report.run.ref
        case ChangeStatus(report=report):
            return report.change.ref
        case Done():
            return answer.subjects[-1] if answer.subjects else None
        case _:
            return None


def _refuse(screen: Screen, sentence: str, as_json: bool) -> int:
    click.echo(screen.line(sentence), err=True)
    if as_json:
        _print("", refusal_document(sentence), as_json)
    return Status.FAILED


def _print(text: str, document: Document, as_json: bool) -> None:
    click.echo(json.dumps(document, indent=1) if as_json else text)
