"""From text to commands: what is understood, and the one sentence for what is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands import grammar
from commands.approvals import ListApprovals
from commands.cancel import Cancel
from commands.command import Command
from commands.compare import Compare
from commands.errors import Refused
from commands.help import ShowHelp
from commands.install import Install
from commands.jobs import ShowJobs
from commands.pause import Continue, Pause
from commands.plan import Plan
from commands.registry import subcommands
from commands.scan import Scan
from commands.status import Status
from commands.subscribe import Subscribe
from commands.unsubscribe import Unsubscribe
from patching.nodes import EnvironmentKey
from tests.unit.commands.desk import configuration

CONFIG = configuration()
ORDERS = EnvironmentKey("orders-db", "nonprod")


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ("", ShowHelp()),
        ("   ", ShowHelp()),
        ("help", ShowHelp()),
        ("help scan", ShowHelp("scan")),
        ("help SCAN", ShowHelp("scan")),
        ("scan orders-db nonprod", Scan(ORDERS)),
        ("  scan   orders-db\tnonprod  ", Scan(ORDERS)),
        ("SCAN orders-db nonprod", Scan(ORDERS)),
        ('scan "orders-db" nonprod', Scan(ORDERS)),
        ("scan “orders-db” ‘nonprod’", Scan(ORDERS)),
        ("scan „orders-db“ nonprod", Scan(ORDERS)),
        ("install orders-db prod", Install(EnvironmentKey("orders-db", "prod"))),
        ("compare orders-db", Compare("orders-db", "nonprod", "prod")),
        ("compare billing-db", Compare("billing-db", "test", "live")),
        ("compare orders-db prod nonprod", Compare("orders-db", "prod", "nonprod")),
        ("plan orders-db prod", Plan(EnvironmentKey("orders-db", "prod"))),
        ("status", Status()),
        ("status scan-12", Status("scan-12")),
        ("status INSTALL-1", Status("install-1")),
        ("approvals", ListApprovals()),
        ("cancel install-13", Cancel("install-13")),
        ("cancel SCAN-1", Cancel("scan-1")),
        ("cancel change-4", Cancel("change-4")),
        ("pause install-13", Pause("install-13")),
        ("continue install-13", Continue("install-13")),
        ("jobs", ShowJobs()),
        ("subscribe orders-db", Subscribe("orders-db")),
        ("unsubscribe gone-db", Unsubscribe("gone-db")),
    ],
)
def test_what_is_understood(text: str, understood: Command) -> None:
    assert grammar.parse(text, CONFIG) == understood


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("scna orders-db nonprod", "Did you mean scan?"),
        ("aprovals", "Did you mean approvals?"),
        (
            "drop tables",
            "There are: approvals, backups, cancel, compare, continue, emergency, freeze, help, install, jobs, pause, "
            "plan, preflight, scan, status, subscribe, unsubscribe, waive, window, windows.",
        ),
        ("scan ordrs-db nonprod", "Did you mean orders-db?"),
        ("scan Orders-DB nonprod", "Did you mean orders-db?"),
        ("scan nothing-like-it nonprod", "There are: orders-db, billing-db, tools."),
        ("scan orders-db prd", "Did you mean prod?"),
        ("scan orders-db xyz", "There are: nonprod, prod."),
        ("scan billing-db prod", "billing-db has no environment “prod”"),
        ("scan", "is missing something"),
        ("scan orders-db", "is missing something"),
        ("scan orders-db nonprod now", "has words too many"),
        ("scan orders-db nonprod now", "Usage: `/patch scan APP ENV`"),
        ("install orders-db", "is missing something"),
        ("approvals all", "has words too many"),
        ("help scan install", "one command at most"),
        ("status scan-1 scan-2", "one id at most"),
        ("status 12", "is not an id"),
        ("status scan-", "is not an id"),
        ("status scan-1x", "is not an id"),
        ("status scan-٣", "is not an id"),
        ("status scan-1234567890", "is not an id"),
        ("status run-1", "Ids look like scan-12, install-13, change-4"),
        ("cancel", "is missing something"),
        ("cancel install-1 install-2", "has words too many"),
        ("cancel 12", "“12” is not a run"),
        ("pause orders-db", "Ids of runs look like scan-12, install-13"),
        ("continue install-٣", "is not a run"),
        ("compare", "either no environment or two"),
        ("compare orders-db prod", "either no environment or two"),
        ("compare orders-db prod prod", "can't be compared with itself"),
        ("compare tools", "has no production environment"),
        ('scan "orders-db nonprod', "A quote is opened but not closed"),
        ("scan “orders-db nonprod", "A quote is opened but not closed"),
        ("scan orders-db\\", "A quote is opened but not closed"),
        ("scan orders-db \x00 nonprod", "control characters"),
        ("scan orders-db \x1b[31mnonprod", "control characters"),
        ("scan " + "x" * 3000, "That is 3005 characters"),
        ("scan '' nonprod", "There is no application “”"),
        ("scan <!channel> nonprod", "There is no application “<!channel>”"),
        ("backups orders-db prod zero", "zero is no page"),
        ("backups orders-db prod 0", "0 is no page"),
        ("backups orders-db prod ²", "² is no page"),
        ("backups orders-db", "is missing something"),
        ("plan orders-db", "is missing something"),
        ("plan orders-db prd", "Did you mean prod?"),
        ("decide 1 approve", "There is no subcommand “decide”"),
        ("settle step ran", "There is no subcommand “settle”"),
        ("clear-problem orders-db", "There is no subcommand “clear-problem”"),
    ],
)
def test_what_is_refused(text: str, words: str) -> None:
    with pytest.raises(Refused) as refused:
        grammar.parse(text, CONFIG)
    assert words in refused.value.sentence
    assert "nothing was done" in refused.value.sentence
    assert len(refused.value.sentence) < 500


@given(st.text(max_size=1200))
def test_any_text_is_a_command_or_one_short_refusal(text: str) -> None:
    outcome = outcome_of(text)
    assert len(outcome) < 500 if isinstance(outcome, str) else type(outcome) in subcommands().values()


@given(st.lists(st.sampled_from([*subcommands(), "orders-db", "prod", "nonprod", "scan-1", '"', "“", "x"]), max_size=6))
def test_words_of_the_grammar_in_any_order_are_a_command_or_one_refusal(words: list[str]) -> None:
    outcome = outcome_of(" ".join(words))
    assert "nothing was done" in outcome if isinstance(outcome, str) else type(outcome) in subcommands().values()


def test_a_long_word_is_repeated_shortened() -> None:
    assert grammar.show("x" * 60) == f"“{'x' * 60}”"
    assert grammar.show("x" * 61) == f"“{'x' * 59}…”"


def outcome_of(text: str) -> Command | str:
    """The command, or the refusal's sentence."""
    try:
        return grammar.parse(text, CONFIG)
    except Refused as refused:
        return refused.sentence
