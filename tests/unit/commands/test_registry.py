"""The commands there are: found by their files, each with its rights, its help and its usage."""

import inspect
from pathlib import Path

import pytest

import commands
from commands.command import Actor, Command
from commands.decide import Decide
from commands.emergency import Emergency
from commands.errors import Refused
from commands.help import ShowHelp
from commands.install import Install, InstallPart
from commands.jobs import ShowJobs
from commands.objecting import Overrule
from commands.ports import Role
from commands.problem import ClearProblem, ReportProblem
from commands.registry import discover, subcommands, usage_hint
from commands.replies import Help
from commands.scan import Scan
from commands.send_again import SendAgain
from commands.settle import Settle
from commands.waive import Waive
from patching.nodes import EnvironmentKey
from tests.unit.commands.desk import ADA, ANN, EVE, OLA, Desk

KEY = EnvironmentKey("orders-db", "nonprod")
ASKED: dict[type[Command], Command] = {
    Scan: Scan(KEY),
    Install: Install(KEY),
    Settle: Settle("step-1", True),
    ClearProblem: ClearProblem("orders-db", "was the network"),
    Emergency: Emergency(KEY, "the hole is being used"),
    Waive: Waive(1, "other-patchers", "they agreed"),
    InstallPart: InstallPart(KEY),
    ShowJobs: ShowJobs(),
    SendAgain: SendAgain(1),
    Overrule: Overrule(1, "it was moved"),
}
"""One of each command that needs a role."""

FOR_ALL = {
    "approvals",
    "backups",
    "cancel",  # of what one asked for
    "compare",
    "continue",
    "help",
    "pause",
    "freeze",  # to see the list; to add or lift as admin
    "plan",
    "preflight",
    "status",
    "subscribe",
    "unsubscribe",
    "windows",
    "window",  # as operator, of production as admin
}


def test_the_subcommands_of_the_contract_and_no_others() -> None:
    assert {name: command.usage for name, command in subcommands().items()} == {
        "scan": "APP ENV",
        "install": "APP ENV [window]",
        "compare": "APP [FROM TO]",
        "status": "[ID]",
        "approvals": "",
        "help": "[COMMAND]",
        "plan": "APP ENV",
        "preflight": "APP ENV",
        "backups": "APP ENV [PAGE]",
        "emergency": "APP ENV REASON",
        "waive": "CHANGE CHECK REASON",
        "windows": "[APP]",
        "window": "ACTION APP ENV [WINDOW]",
        "cancel": "RUN",
        "pause": "RUN",
        "continue": "RUN",
        "freeze": "ACTION [NAME REASON]",
        "subscribe": "APP",
        "unsubscribe": "APP",
        "jobs": "",
    }


def test_the_usage_hint_fits_the_manifest_and_names_them_all() -> None:
    assert all(name in usage_hint() for name in subcommands())
    assert len(usage_hint()) <= 1000


@pytest.mark.parametrize("command", discover(), ids=lambda command: command.name)
def test_a_command_describes_itself(command: type[Command]) -> None:
    assert command.summary.endswith(".")
    assert inspect.getfile(command).startswith(str(Path(commands.__file__).parent))
    assert (command.name in subcommands()) == command.in_slash


def test_rights_are_those_of_the_contract() -> None:
    assert {command.name: command.role for command in discover()} == {
        "scan": Role.OPERATOR,
        "install": Role.OPERATOR,
        "compare": None,
        "status": None,
        "approvals": None,
        "help": None,
        "decide": None,  # judged by the sweep, with the group read afresh
        "settle": Role.ADMIN,
        "report-problem": None,
        "clear-problem": Role.OPERATOR,
        "plan": None,
        "preflight": None,
        "backups": None,
        "emergency": Role.ADMIN,
        "waive": Role.ADMIN,
        "windows": None,
        "window": None,  # these three: operators, or admins where production is concerned
        "save-window": None,
        "change-window": None,
        "withdraw": None,  # those who asked
        "freeze": None,  # the list; adding and lifting is for admins
        "cancel": None,  # these three: those who asked; operators, or for a production Install who decides about it
        "pause": None,
        "continue": None,
        "acknowledge": None,
        "object": None,
        "take-back": None,  # who objected
        "overrule": Role.ADMIN,
        "postpone": None,  # who has any role, and those affected
        "subscribe": None,
        "unsubscribe": None,
        "install-part": Role.OPERATOR,
        "ask-again": None,  # as what it asks for again
        "jobs": Role.ADMIN,
        "send-again": Role.ADMIN,
    }


def test_every_command_with_a_role_is_tried_here() -> None:
    assert {command for command in discover() if command.role} == set(ASKED)


@pytest.mark.parametrize("command", ASKED, ids=lambda command: command.name)
@pytest.mark.parametrize("role", [*Role, None])
def test_I4_a_role_grants_itself_and_no_other(desk: Desk, command: type[Command], role: Role | None) -> None:
    actor = Actor("U0XYZ", frozenset({role} if role else ()))
    said = ""
    try:
        desk.ask(ASKED[command], actor)
    except Refused as refused:
        said = refused.sentence
    assert (f"{command.name} needs the {command.role} role" in said) == (role is not command.role)
    assert desk.woken == [] or role is command.role


@pytest.mark.parametrize("command", [Decide, Settle, ReportProblem, ClearProblem], ids=lambda command: command.name)
def test_what_a_button_asks_for_cannot_be_typed(desk: Desk, command: type[Command]) -> None:
    with pytest.raises(Refused, match="button"):
        command.parse(["1"], desk.config)


@pytest.mark.parametrize(
    ("actor", "permitted"),
    [
        (ANN, {"scan", "install", *FOR_ALL}),
        (OLA, FOR_ALL),
        (ADA, {"emergency", "jobs", "waive", *FOR_ALL}),
        (EVE, FOR_ALL),
    ],
    ids=lambda value: value.user_id if isinstance(value, Actor) else "",
)
def test_help_says_what_the_asker_may_run(desk: Desk, actor: Actor, permitted: set[str]) -> None:
    with desk.nothing_changes():
        reply = desk.ask(ShowHelp(), actor)
    assert isinstance(reply, Help)
    assert {line.name for line in reply.lines} == set(subcommands())
    assert {line.name for line in reply.lines if line.permitted} == permitted


def test_help_of_an_unknown_command_suggests_one(desk: Desk) -> None:
    assert "Did you mean scan?" in desk.refused(ShowHelp("scna"), EVE).sentence
    assert "`/patch help` lists them" in desk.refused(ShowHelp("xyzzy"), EVE).sentence
