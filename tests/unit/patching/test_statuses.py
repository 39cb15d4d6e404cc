"""AWS's words for a node's part of a command, each told apart for people; an outcome never comes from them (I9)."""

import pytest

from patching.outcomes import NodeOutcome, outcome_of
from patching.statuses import NEVER_ANSWERED, NEVER_STARTED, explained

TERMS = (
    *("Delayed", "Delivery Timed Out", "Undeliverable", "Terminated", "Cancelled"),
    *("Execution Timed Out", "Access Denied", "Invalid Platform", "Failed"),
)
SHOWN = 200  # characters of a node's line in a message


@pytest.mark.parametrize("term", TERMS)
def test_a_status_is_one_sentence_with_aws_s_word_its_meaning_and_what_to_look_at(term: str) -> None:
    sentence = explained("Failed", term)
    assert sentence.startswith(f"{term}: ")
    assert sentence.endswith(".")
    assert sentence.count(".") == 1
    assert ": look " in sentence
    assert len(sentence) <= SHOWN
    assert explained("Failed", term.replace(" ", "")) == sentence


def test_no_two_statuses_read_alike() -> None:
    assert len({explained("Failed", term).partition(": ")[2] for term in TERMS}) == len(TERMS)


@pytest.mark.parametrize("sentence", [NEVER_ANSWERED, NEVER_STARTED])
def test_a_node_that_gave_no_answer_is_told_in_full(sentence: str) -> None:
    assert sentence.endswith(".")
    assert ": look " in sentence
    assert len(sentence) <= SHOWN


@pytest.mark.parametrize(
    ("status", "details", "beginning"),
    [
        ("Delayed", "Delayed", "Delayed: "),
        ("Failed", "", "Failed: "),
        ("Failed", "Success", "Failed: "),
        ("Success", "Terminated", "Terminated: "),
        ("TimedOut", "", "TimedOut: a status of AWS's that says no more"),
        ("Failed", "Something new", "Something new: a status of AWS's that says no more"),
        ("Success", "Success", ""),
        ("Pending", "Pending", ""),
        ("InProgress", "InProgress", ""),
        ("Cancelling", "Cancelling", ""),
        ("Unheard", "Of", ""),
    ],
)
def test_where_details_say_nothing_the_status_speaks(status: str, details: str, beginning: str) -> None:
    sentence = explained(status, details)
    assert sentence.startswith(beginning)
    assert bool(sentence) is bool(beginning)


@pytest.mark.parametrize("status", ["Failed", "TimedOut", "Cancelled"])
@pytest.mark.parametrize("details", [*TERMS, "", "Success", "Something new"])
def test_every_node_that_did_not_succeed_has_its_sentence(status: str, details: str) -> None:
    assert outcome_of(status, details) not in (None, NodeOutcome.SUCCEEDED)
    assert explained(status, details)
