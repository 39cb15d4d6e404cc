"""`/patch window …` and its forms: whose it is, what is said when something is wrong, and that a form counts once."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from commands import grammar
from commands.agenda import where_of
from commands.command import Actor
from commands.errors import Refused
from commands.replies import Accepted, Done, OpenForm
from commands.window import AskWindow
from commands.window_fields import Fields, fields_of, proposed, spec_from
from commands.window_orders import ChangeWindow, SaveWindow
from patching.model import Node, Operation
from patching.nodes import EnvironmentKey
from patching.planned import Agenda, PlannedTask, PlannedWindow
from patching.states import OrderState
from patching.window_spec import SpecProblems, WindowSpec
from storage import agenda, audit, environment_readings, inquiries, outbox, window_orders
from storage.window_orders import Action
from tests.unit.commands.desk import ADA, ANN, EVE, NOW, OLA, Desk
from tests.unit.views.made import DEBIAN

NONPROD, PROD = EnvironmentKey("orders-db", "nonprod"), EnvironmentKey("orders-db", "prod")
WEEKLY, MONTHLY, LIVE = "mw-0000000000000000a", "mw-0000000000000000b", "mw-0000000000000000c"
_AGO = NOW - timedelta(hours=1)


def _window(window_id: str, name: str, group: str, *, enabled: bool = True) -> PlannedWindow:
    targets = ((("tag:PatchGroup", (group,)),),)
    task = PlannedTask("t", "AWS-RunPatchBaseline", "Scan", ())
    return PlannedWindow(window_id, name, enabled, "rate(7 days)", "UTC", 3, 1, "", targets, (task,), _AGO)


@pytest.fixture
def read(desk: Desk) -> Desk:
    """Every environment's nodes carry PatchGroup=<environment>; nonprod has two windows, prod has one."""
    windows = (
        _window(WEEKLY, "weekly", "nonprod"),
        _window(MONTHLY, "monthly", "nonprod", enabled=False),
        _window(LIVE, "live", "prod"),
    )
    with desk.store.transaction() as tx:
        for key, environment in desk.config.environments().items():
            agenda.keep(tx, where_of(environment), desk.clock.now(), Agenda(windows, (), ()), None)
            node = Node("i-1", "db-1", "running", "Online", DEBIAN, tags={"PatchGroup": key.environment})
            environment_readings.keep(tx, desk.clock.now(), *key, [node])
    return desk


def filled(desk: Desk, key: EnvironmentKey, **changed: Any) -> dict[str, Any]:
    return {**fields_of(proposed(key, desk.config.environments()[key], "Europe/Dublin")), **changed}


def save(desk: Desk, key: EnvironmentKey = NONPROD, form: str = "V1", **changed: Any) -> SaveWindow:
    return SaveWindow(key, filled(desk, key, **changed), form)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("", "`/patch window` takes one of create, edit, enable, disable, delete; nothing was done."),
        ("drop orders-db nonprod", "takes one of create"),
        ("edit orders-db", "`/patch window edit` is missing something; nothing was done. Usage: `/patch window edit"),
        ("create orders-db nonprod weekly", "`/patch window create` has words too many; nothing was done."),
        ("edit orders-db nonprod a b", "has words too many"),
        ("edit orders-db nonprd", "Did you mean nonprod?"),
    ],
)
def test_what_is_not_understood(desk: Desk, words: str, sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        grammar.parse(f"window {words}", desk.config)
    assert sentence in refused.value.sentence


def test_the_form_opens_and_a_window_is_found_by_id_or_name(read: Desk) -> None:
    def ask(words: str, actor: Actor = ANN) -> Any:
        return read.ask(grammar.parse(f"window {words}", read.config), actor)

    assert ask("create orders-db nonprod") == OpenForm(Action.CREATE, NONPROD)
    assert ask("disable orders-db nonprod weekly") == OpenForm(Action.DISABLE, NONPROD, WEEKLY)
    assert ask(f"enable orders-db nonprod {MONTHLY}") == OpenForm(Action.ENABLE, NONPROD, MONTHLY)
    assert ask("DELETE orders-db prod", ADA) == OpenForm(Action.DELETE, PROD, LIVE)
    assert inquiries.unanswered(read.store.db) == []
    told = ask("edit orders-db nonprod monthly")
    assert isinstance(told, Done)
    assert f"The settings of monthly ({MONTHLY}) are being read" in told.sentence
    (asked,) = inquiries.unanswered(read.store.db)
    assert (asked.kind, asked.key, asked.about, asked.user_id) == ("window", NONPROD, MONTHLY, "U0ANN")


@pytest.mark.parametrize(
    ("action", "which", "sentence"),
    [
        (
            Action.EDIT,
            "",
            f"orders-db nonprod has 2 windows; nothing was done. Say which one by its id: {WEEKLY} (weekly)",
        ),
        (
            Action.DELETE,
            "live",
            "orders-db nonprod has no window “live”, as read 0 s ago; nothing was done. Say which one",
        ),
    ],
)
def test_which_window_must_be_clear(read: Desk, action: Action, which: str, sentence: str) -> None:
    assert sentence in read.refused(AskWindow(action, NONPROD, which), ANN).sentence


def test_nothing_is_done_while_windows_are_not_known(desk: Desk, read: Desk) -> None:
    read.later(minutes=31)
    sentence = read.refused(AskWindow(Action.EDIT, NONPROD, "weekly"), ANN).sentence
    assert "last read 31 min ago. So nothing was done; they are read every five minutes." in sentence


@pytest.mark.parametrize("actor", [ANN, OLA, ADA, EVE], ids=lambda actor: actor.user_id)
def test_I4_operators_change_windows_and_admins_those_of_production(read: Desk, actor: Actor) -> None:
    """At the command, and at the form, whoever opened it."""
    for key, able, window in ((NONPROD, ANN, WEEKLY), (PROD, ADA, LIVE)):
        for asked in (
            AskWindow(Action.CREATE, key),
            AskWindow(Action.DISABLE, key, window),
            save(read, key),
            SaveWindow(key, filled(read, key), "V2", window),
            ChangeWindow(Action.DISABLE, key, window, "V3"),
        ):
            if actor is not able:
                role = "admin" if key is PROD else "operator"
                assert f"needs the {role} role, which you don't have; nothing" in read.refused(asked, actor).sentence


def test_I4_a_window_that_reaches_production_nodes_too_is_an_admin_s(read: Desk) -> None:
    asked = ChangeWindow(Action.DELETE, NONPROD, WEEKLY, "V1", "weekly")
    application = read.config.applications["orders-db"]
    shared = application.environments["nonprod"]
    environments = {"nonprod": shared, "prod": shared.model_copy(update={"production": True})}
    one_account = application.model_copy(update={"environments": environments})
    read.config = read.config.model_copy(
        update={"applications": {**read.config.applications, "orders-db": one_account}}
    )
    both = Node("i-2", "db-2", "running", "Online", DEBIAN, tags={"PatchGroup": "nonprod"})
    with read.store.transaction() as tx:
        environment_readings.keep(tx, read.clock.now(), *PROD, [both])
    sentence = read.refused(asked, ANN).sentence
    assert "Changing weekly, which reaches production nodes too, needs the admin role" in sentence
    assert isinstance(read.ask(asked, ADA), Accepted)


def test_I1_a_form_makes_an_order_with_its_message_and_audit_once(read: Desk) -> None:
    asked = save(read, comment="Asked for by the team", sns_events=())
    answer = read.ask(asked, ANN)
    assert answer == Accepted(
        "window-order-1",
        "window-order:1",
        "window-order-1 is recorded: to create orders-db-nonprod-scan of orders-db nonprod. Its message says how it "
        "ends.",
    )
    order = window_orders.get(read.store.db, 1)
    assert order.spec == spec_from(asked.fields)
    assert order.spec
    assert order.spec.targets == {"tag:PatchGroup": ("nonprod",)}
    assert (order.action, order.key, order.requested_by) == (Action.CREATE, NONPROD, "U0ANN")
    card = outbox.card(read.store.db, order.subject)
    assert card
    assert (card.kind, card.recipient) == ("window-order-card", "C0ORDERS")
    assert read.woken == ["window-orders", "deliver"]
    assert audit.first_broken(read.store.db) is None

    twice = read.refused(asked, ANN)
    assert twice.sentence == "This form was sent already, as window-order-1; nothing more was done."
    busy = read.refused(save(read, form="V2"), ANN)
    assert "window-order-1, asked for by {person}, to create orders-db-nonprod-scan" in busy.sentence
    assert busy.person == "U0ANN"
    with read.store.transaction() as tx:
        window_orders.finish(tx, order, OrderState.DONE, read.clock.now())
    assert "sent already" in read.refused(asked, ANN).sentence
    assert isinstance(read.ask(save(read, form="V2"), ANN), Accepted)


WRONG: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "name": ({"name": "a b"}, "The name is 'a b'; allowed is 3 to 128"),
    "rhythm": ({"rhythm": ""}, "Choose how often the window opens."),
    "expression": ({"rhythm": "typed", "expression": "weekly"}, "The schedule is 'weekly'; allowed is cron(…)"),
    "schedule_offset": (
        {"rhythm": "typed", "expression": "rate(7 days)", "schedule_offset": "2"},
        "only a cron schedule can open some days later",
    ),
    "timezone": ({"timezone": "Mars/Base"}, "Mars/Base"),
    "duration_hours": ({"duration_hours": "25"}, "The duration is '25'; allowed is 1 to 24"),
    "cutoff_hours": ({"cutoff_hours": "3"}, "it must be less than the duration, which is 3 h"),
    "targets": ({"targets": "PatchGroup"}, "Write each target on a line of its own"),
    "document": ({"document": "no such thing!"}, "The document"),
    "operation": ({"operation": ""}, "The operation is missing"),
    "comment": ({"comment": "x" * 101}, "The comment"),
    "delivery_seconds": ({"delivery_seconds": "29"}, "allowed is 30 to 2,592,000 seconds"),
    "max_concurrency": ({"max_concurrency": "0%"}, "The concurrency is '0%'"),
    "max_errors": ({"max_errors": "101%"}, "The error threshold is '101%'"),
    "priority": ({"priority": "-1"}, "The priority is '-1'"),
    "service_role_arn": ({"service_role_arn": "me"}, "The service role is 'me'; allowed is an IAM role's ARN."),
    "s3_bucket": ({"s3_bucket": "NOT A BUCKET"}, "The S3 bucket"),
    "s3_prefix": ({"s3_prefix": "logs/"}, "there is a prefix without a bucket"),
    "sns_topic_arn": ({"sns_topic_arn": "arn:aws:sqs:x"}, "The SNS topic"),
    "sns_events": (
        {"sns_topic_arn": "arn:aws:sns:eu-west-1:111111111111:t", "sns_events": ()},
        "choose at least one for the topic",
    ),
}


@pytest.mark.parametrize("field", WRONG)
def test_what_is_wrong_is_said_under_its_input_and_nothing_is_kept(read: Desk, field: str) -> None:
    entered, words = WRONG[field]
    refused = read.refused(save(read, **entered), ANN)
    assert refused.fields
    assert words in refused.fields[field]
    assert all(sentence.endswith(".") for sentence in refused.fields.values())


def test_all_that_is_wrong_is_said_at_once(read: Desk) -> None:
    wrong: dict[str, Any] = {
        "name": "",
        "rhythm": "typed",
        "expression": "",
        "targets": "nonsense",
        "max_errors": "many",
    }
    refused = read.refused(save(read, **wrong), ANN)
    assert refused.fields
    assert set(refused.fields) == {"name", "expression", "targets", "max_errors"}


@pytest.mark.parametrize(
    ("key", "entered", "fields"),
    [
        (PROD, {"operation": "Install"}, {"operation"}),
        (PROD, {"operation": "Install", "document": "My-Own"}, {"operation", "document"}),
        (PROD, {"targets": "PatchGroup=prod"}, {"targets"}),  # the environment's is nonprod, in this configuration
        (NONPROD, {"targets": "PatchGroup=nonprod, prod"}, {"targets"}),
        (NONPROD, {"targets": "instance_ids=i-0123456789abcdef0"}, {"targets"}),
        (NONPROD, {"operation": "Install"}, set()),
        (NONPROD, {"targets": "tag:PatchGroup = nonprod\nRole=replica , primary\n"}, set()),
    ],
)
def test_production_never_installs_by_a_window_and_no_window_reaches_further(
    read: Desk, key: EnvironmentKey, entered: Mapping[str, Any], fields: set[str]
) -> None:
    """Whatever the form said: I13 for windows."""
    actor = ADA if key is PROD else ANN
    asked = save(read, key, **entered)
    if fields:
        assert set(read.refused(asked, actor).fields or ()) == fields
    else:
        assert isinstance(read.ask(asked, actor), Accepted)


def test_an_edit_keeps_what_has_no_input_and_must_differ(read: Desk) -> None:
    base = WindowSpec.model_validate(
        {
            **proposed(NONPROD, read.config.environments()[NONPROD], "Europe/Dublin").model_dump(),
            "description": "Made by hand",
            "start_date": "2026-12-01T00:00:00+01:00",
            "parameters": {"SnapshotId": ["a"]},
            "allow_unassociated_targets": True,
            "schedule": "cron(5 4 ? * 6L *)",
        }
    )
    same = SaveWindow(NONPROD, fields_of(base), "V1", WEEKLY, base)
    assert "Nothing differs from its settings" in read.refused(same, ANN).sentence
    changed = {**fields_of(base), "operation": "Install", "position": "1"}
    assert isinstance(read.ask(SaveWindow(NONPROD, changed, "V1", WEEKLY, base), ANN), Accepted)
    order = window_orders.get(read.store.db, 1)
    assert (order.action, order.window_id, order.window_name) == (Action.EDIT, WEEKLY, "weekly")
    assert order.spec == base.model_copy(update={"operation": Operation.INSTALL, "schedule": "cron(5 4 ? * FRI#1 *)"})


def test_every_setting_goes_into_the_form_and_comes_back(read: Desk) -> None:
    base = spec_from(
        filled(
            read,
            NONPROD,
            sns_topic_arn="arn:aws:sns:eu-west-1:111111111111:t",
            sns_role_arn="arn:aws:iam::111111111111:role/sns",
            sns_events=("Failed", "TimedOut"),
            s3_bucket="logs",
            s3_prefix="patching",
            reboot_option="NoReboot",
            schedule_offset="4",
            rhythm="nth-weekday",
        )
    )
    assert base.schedule == "cron(0 2 ? * SAT#2 *)"
    assert spec_from(fields_of(base), base) == base
    typed: Fields = {**fields_of(base), "rhythm": "typed", "expression": base.schedule}
    assert spec_from(typed) == base
    with pytest.raises(SpecProblems):
        spec_from({})


def test_a_change_is_agreed_to_for_the_window_as_it_is(read: Desk) -> None:
    assert read.refused(ChangeWindow(Action.DELETE, NONPROD, WEEKLY, "V1", "weekyl"), ANN).field == "name"
    gone = read.refused(ChangeWindow(Action.DISABLE, NONPROD, LIVE, "V1"), ANN)
    assert gone.sentence.startswith(f"{LIVE} is no window of orders-db nonprod any more; nothing was done.")
    assert isinstance(read.ask(ChangeWindow(Action.DELETE, NONPROD, WEEKLY, "V1", " weekly "), ANN), Accepted)
    order = window_orders.get(read.store.db, 1)
    assert (order.action, order.window_id, order.window_name, order.spec) == (Action.DELETE, WEEKLY, "weekly", None)
    assert "sent already" in read.refused(ChangeWindow(Action.DELETE, NONPROD, WEEKLY, "V1", "weekly"), ANN).sentence
