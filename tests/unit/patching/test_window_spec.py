"""What a window may be: every limit of the service model, said to people by field; and nothing past the gate."""

from typing import Any

import pytest

from patching.config import Environment
from patching.window_spec import SpecProblems, WindowSpec, read_spec, refusals

ROLE = "arn:aws:iam::111111111111:role/windows"
TOPIC = "arn:aws:sns:eu-west-1:111111111111:patching"
LEAST: dict[str, Any] = {
    "name": "orders",
    "schedule": "cron(0 2 ? * SUN *)",
    "duration_hours": 3,
    "cutoff_hours": 1,
    "operation": "Scan",
    "targets": {"tag:PatchGroup": ["orders-db-prod"]},
}


def environment(*, production: bool, **targets: tuple[str, ...]) -> Environment:
    return Environment(
        account="111111111111",
        region="eu-west-1",
        production=production,
        targets=targets or {"tag:PatchGroup": ("orders-db-prod",)},
    )


def test_what_was_left_empty_is_not_set_and_numbers_may_be_text() -> None:
    typed = {name: str(value) if isinstance(value, int) else value for name, value in LEAST.items()}
    empty = dict.fromkeys(
        ("description", "start_date", "document_version", "reboot_option", "service_role_arn", "s3_bucket"), " "
    )
    assert read_spec({**typed, **empty}) == read_spec(LEAST)
    spec = read_spec({**LEAST, "max_errors": 0, "max_concurrency": 7})
    assert (spec.max_errors, spec.max_concurrency) == ("0", "7")
    assert WindowSpec.from_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("name", value) for value in ("abc", "a" * 128, "A_b.c-9")],
        *[("schedule", value) for value in ("rate(7 days)", "at(2027-01-01T00:00:00)", "cron(0 2 ? * 3#2 *)")],
        *[("schedule_offset", value) for value in (0, 6)],
        *[("timezone", value) for value in ("UTC", "Asia/Kathmandu")],
        *[("duration_hours", value) for value in (2, 24)],
        *[("cutoff_hours", value) for value in (0, 2)],
        *[("delivery_seconds", value) for value in (30, 2_592_000)],
        *[("max_concurrency", value) for value in ("1", "9999999", "1%", "100%")],
        *[("max_errors", value) for value in ("0", "9999999", "0%", "100%")],
        *[("document_version", value) for value in ("1", "$LATEST", "$DEFAULT")],
        ("comment", "c" * 100),
        ("priority", 0),
        ("targets", {f"tag:{number}": ["v"] * 50 for number in range(5)}),
        ("targets", {"instance_ids": ["i-0123456789abcdef0"]}),
    ],
)
def test_what_aws_takes_is_taken(field: str, value: object) -> None:
    read_spec({**LEAST, field: value})


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "ab", "3 to 128 letters"),
        ("name", "a b", "'a b'"),
        ("description", "d" * 129, "128 characters"),
        ("schedule", "0 2 * * *", "cron(…), rate(…) or at(…)"),
        ("schedule", "cron(" + "9" * 256 + ")", "cron(…)"),
        ("schedule_offset", 7, "0 to 6 days"),
        ("timezone", "Mars/Phobos", "IANA"),
        ("start_date", "tomorrow", "a moment with its offset"),
        ("start_date", "2027-01-01T00:00:00", "a moment with its offset"),
        ("duration_hours", 25, "1 to 24"),
        ("duration_hours", "two", "1 to 24"),
        ("cutoff_hours", 3, "less than the duration, which is 3 h"),
        ("cutoff_hours", -1, "0 to 23"),
        ("targets", {}, "would reach no node"),
        ("targets", {"tag:A": []}, "tag:A has no value"),
        ("targets", {"Name": ["x"]}, 'write "tag:NAME"'),
        ("targets", {"tag:A": ["v"] * 51}, "allows 50"),
        ("targets", {f"tag:{number}": ["v"] for number in range(6)}, "allows 5"),
        ("targets", {"tag:A": ["v"], "instance_ids": ["i-0123456789abcdef0"]}, "don't go together"),
        ("document", "a b", "Command document"),
        ("document_version", "newest", "$LATEST"),
        ("operation", "Patch", "Scan or Install"),
        ("operation", None, "is missing"),
        ("reboot_option", "Always", "RebootIfNeeded or NoReboot"),
        ("parameters", {"Operation": ["Install"]}, "has an input of its own"),
        ("comment", "c" * 101, "100 characters"),
        ("delivery_seconds", 29, "30 to 2,592,000"),
        ("delivery_seconds", 2_592_001, "30 to 2,592,000"),
        ("max_concurrency", "0", "1% to 100%"),
        ("max_concurrency", "101%", "1% to 100%"),
        ("max_errors", "-1", "0% to 100%"),
        ("priority", -1, "from 0"),
        ("cutoff_behavior", "STOP", "CONTINUE_TASK or CANCEL_TASK"),
        ("service_role_arn", "windows", "ARN"),
        ("s3_bucket", "Not_A_Bucket", "bucket's name"),
        ("s3_prefix", "logs/", "a prefix without a bucket"),
        ("sns_topic_arn", "patching", "ARN"),
        ("sns_events", ["Sometimes"], "TimedOut"),
        ("unheard_of", 1, "unheard_of"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence_about_its_field_alone(field: str, value: object, said: str) -> None:
    with pytest.raises(SpecProblems) as wrong:
        read_spec({**LEAST, field: value})
    assert set(wrong.value.problems) == {field}
    sentence = wrong.value.problems[field]
    assert said in sentence
    assert sentence.endswith(".")


def test_fields_that_go_together() -> None:
    with pytest.raises(SpecProblems) as wrong:
        read_spec({**LEAST, "name": "", "schedule": "rate(7 days)", "schedule_offset": 2, "sns_topic_arn": TOPIC})
    assert set(wrong.value.problems) == {"name", "schedule_offset", "sns_role_arn"}, "all at once"
    with pytest.raises(SpecProblems) as ends:
        read_spec({**LEAST, "start_date": "2027-02-01T00:00:00Z", "end_date": "2027-01-01T00:00:00+01:00"})
    assert set(ends.value.problems) == {"end_date"}
    with pytest.raises(SpecProblems) as silent:
        read_spec({**LEAST, "sns_topic_arn": TOPIC, "sns_role_arn": ROLE, "sns_events": []})
    assert set(silent.value.problems) == {"sns_events"}


def test_on_production_a_window_only_scans_with_awss_own_document() -> None:
    production = environment(production=True)
    assert refusals(read_spec(LEAST), production) == {}
    found = refusals(read_spec({**LEAST, "operation": "Install", "document": "OrdersUpdate"}), production)
    assert set(found) == {"operation", "document"}
    assert "through the gate" in found["operation"]
    assert refusals(read_spec({**LEAST, "operation": "Install"}), environment(production=False)) == {}


@pytest.mark.parametrize(
    ("targets", "within"),
    [
        ({"tag:PatchGroup": ["a"]}, True),
        ({"tag:PatchGroup": ["a"], "tag:Name": ["db-1"]}, True),
        ({"tag:PatchGroup": ["a", "c"]}, False),
        ({"tag:Name": ["db-1"]}, False),
        ({"instance_ids": ["i-0123456789abcdef0"]}, False),
    ],
)
def test_no_window_reaches_beyond_its_environment(targets: dict[str, list[str]], within: bool) -> None:
    own = environment(production=False, **{"tag:PatchGroup": ("a", "b")})
    found = refusals(read_spec({**LEAST, "targets": targets}), own)
    assert ("targets" not in found) == within
    if not within:
        assert "tag:PatchGroup=a, b" in found["targets"]
