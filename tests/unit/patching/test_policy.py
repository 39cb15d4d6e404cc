"""The policy in patchgate.yaml: what may be written, what an application overrides, what a digest says of it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from patching.config import Configuration, ConfigurationError, validate
from patching.durations import parse_duration, written
from patching.gate import CHECKS, NEVER_WAIVABLE, GatePolicy
from patching.policy import WAIVABLE, Policy
from patching.soak import SoakPolicy


def configuration(
    policy: Mapping[str, Any] | None = None, of_application: Mapping[str, Any] | None = None
) -> Configuration:
    environment = {"account": "111111111111", "region": "eu-west-1", "targets": {"tag:PatchGroup": ["orders-db"]}}
    application = {"environments": {"nonprod": environment}, "policy": dict(of_application or {})}
    return validate(
        {"slack": {"channel": "C0PATCHING"}, "policy": dict(policy or {}), "applications": {"orders-db": application}}
    )


def policy(written: Mapping[str, Any] | None = None, of_application: Mapping[str, Any] | None = None) -> Policy:
    return configuration(written, of_application).policy_of("orders-db")


def days(number: int) -> timedelta:
    return timedelta(days=number)


def test_defaults_are_those_of_the_issue() -> None:
    assert policy().soak_policy == SoakPolicy(days(7), None, None)
    assert policy().model_dump() == {
        "soaks": {"default": days(7), "critical": None, "important": None},
        "scan_max_age": days(1),
        "approvals_required": 1,
        "approval_expiry": days(1),
        "approval_reminders": (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4)),
        "pin": "required",
        "window": "optional",
        "alarms": (),
        "waivable": (),
    }


SOAKS: dict[str, tuple[Mapping[str, Any], Mapping[str, Any], SoakPolicy]] = {
    "one for all": ({"soak": "3d"}, {}, SoakPolicy(days(3))),
    "by severity": (
        {"soak": {"default": "7d", "critical": "2d", "important": "4d"}},
        {},
        SoakPolicy(days(7), days(2), days(4)),
    ),
    "critical alone": ({"soak": {"critical": "2d"}}, {}, SoakPolicy(days(7), days(2))),
    "an application's one for all stands for every severity": (
        {"soak": {"critical": "2d"}},
        {"soak": "1d"},
        SoakPolicy(days(1)),
    ),
    "an application's own severity": (
        {"soak": {"default": "14d", "critical": "2d"}},
        {"soak": {"important": "3d"}},
        SoakPolicy(days(14), days(2), days(3)),
    ),
    "none at all": ({"soak": "0s"}, {}, SoakPolicy(days(0))),
}


@pytest.mark.parametrize(("general", "own", "expected"), SOAKS.values(), ids=SOAKS)
def test_soak(general: Mapping[str, Any], own: Mapping[str, Any], expected: SoakPolicy) -> None:
    assert policy(general, own).soak_policy == expected
    assert policy(general, own).soak == expected.default


def test_an_application_overrides_what_it_names_and_no_more() -> None:
    general = {"approvals_required": 2, "alarms": ["orders-5xx"], "waivable": ["preflight"], "scan_max_age": "12h"}
    own = {"approvals_required": 3, "alarms": [], "pin": False}
    found = policy(general, own)
    assert (found.approvals_required, found.alarms, found.pin) == (3, (), "off")
    assert (found.waivable, found.scan_max_age) == (("preflight",), timedelta(hours=12))


def test_yaml_reads_off_as_false() -> None:
    assert policy({"pin": False}).pin == policy({"pin": "off"}).pin == "off"
    assert policy({"pin": "off", "alarms": ["a"]}).for_gate == GatePolicy(pinned=False, alarms=("a",))
    assert policy().for_gate == GatePolicy(pinned=True, alarms=())


WRONG: dict[str, tuple[Mapping[str, Any], tuple[str, ...]]] = {
    "a soak that is none": ({"soak": "a week"}, ("policy.soak", "'a week'", "7d")),
    "a soak for a severity that has none": ({"soak": {"low": "1d"}}, ("policy.soak.low is not a known key",)),
    "nobody approves": ({"approvals_required": 0}, ("policy.approvals_required is 0", "1 to 5")),
    "six approve": ({"approvals_required": 6}, ("policy.approvals_required is 6", "1 to 5")),
    "yes is no number": ({"approvals_required": True}, ("policy.approvals_required is true",)),
    "reminders that shrink": ({"approval_reminders": ["1h", "15m"]}, ("policy.approval_reminders", "longer")),
    "the same reminder twice": ({"approval_reminders": ["1h", "60m"]}, ("policy.approval_reminders", "longer")),
    "reminders that are no list": ({"approval_reminders": "15m"}, ("policy.approval_reminders is '15m'",)),
    "pin: on": ({"pin": True}, ("policy.pin is true", "required or off")),
    "a window that may be": ({"window": "maybe"}, ("policy.window is 'maybe'", "optional or required")),
    "an alarm without a name": ({"alarms": [""]}, ("policy.alarms.0 is ''", "CloudWatch")),
    "no such check": ({"waivable": ["patches-tasted"]}, ("'patches-tasted' is no check", "patches-tested")),
    "unreadable evidence": ({"waivable": ["evidence-fresh"]}, ("'evidence-fresh' may never be waived", "allowed are")),
    "I13": ({"waivable": ["nodes-in-place"]}, ("'nodes-in-place' may never be waived",)),
    "a document's hash": ({"waivable": ["document-hash"]}, ("'document-hash' may never be waived",)),
    "four eyes": ({"waivable": ["four-eyes"]}, ("'four-eyes' may never be waived",)),
}


@pytest.mark.parametrize(("wrong", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named_with_what_is_allowed(wrong: Mapping[str, Any], words: tuple[str, ...]) -> None:
    for general, own, path in ((wrong, {}, ""), ({}, wrong, "applications.orders-db.")):
        with pytest.raises(ConfigurationError) as error:
            configuration(general, own)
        (problem,) = error.value.problems
        assert problem.startswith(path)
        assert all(word in problem for word in words), problem


def test_every_other_check_may_be_waived() -> None:
    assert set(WAIVABLE) == CHECKS.keys() - NEVER_WAIVABLE
    assert policy({"waivable": list(WAIVABLE)}).waivable == WAIVABLE


MEANING: dict[str, Mapping[str, Any]] = {
    "soak": {"soak": "8d"},
    "soak of critical patches": {"soak": {"critical": "1d"}},
    "scan_max_age": {"scan_max_age": "23h"},
    "approvals_required": {"approvals_required": 2},
    "pin": {"pin": "off"},
    "alarms": {"alarms": ["orders-5xx"]},
    "waivable": {"waivable": ["preflight"]},
}


@pytest.mark.parametrize(("key", "changed"), MEANING.items(), ids=MEANING)
def test_i3_what_the_policy_means_is_part_of_the_digest(key: str, changed: Mapping[str, Any]) -> None:
    assert policy(changed).meaning()[key] != policy().meaning()[key]


def test_i3_spelling_is_not_part_of_the_digest() -> None:
    one = policy({"soak": "7d", "alarms": ["a", "b"], "waivable": ["preflight", "no-problem"]})
    other = policy({"soak": {"default": "168h"}, "alarms": ["b", "a", "a"], "waivable": ["no-problem", "preflight"]})
    assert one.meaning() == other.meaning()
    assert policy({"approval_reminders": ["2h"]}).meaning() == policy().meaning()


@pytest.mark.parametrize("text", ["0d", "90s", "15m", "36h", "7d"])
def test_a_duration_is_written_as_it_is_read(text: str) -> None:
    assert written(parse_duration(text)) == text
