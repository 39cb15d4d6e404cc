"""Small readings of text: execution times, SMTP addresses, what a send may hold."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from aws.backup_answers import taken_image, taken_snapshots
from aws.commands import SendRequest
from aws.smtp import Smtp
from aws.windows import parse_execution_time
from patching.backups import State

MOMENT = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2020-02-19T16:00Z", datetime(2020, 2, 19, 16, tzinfo=UTC)),
        ("2020-02-12T23:19:20.596Z", datetime(2020, 2, 12, 23, 19, 20, 596000, tzinfo=UTC)),
        ("2020-02-19T16:00-08:00", datetime(2020, 2, 20, 0, tzinfo=UTC)),
        ("2020-02-19T16:00+01:00[Europe/Berlin]", datetime(2020, 2, 19, 15, tzinfo=UTC)),
    ],
)
def test_execution_times_are_read_as_utc(text: str, time: datetime) -> None:
    parsed = parse_execution_time(text)
    assert parsed == time
    assert parsed.tzinfo is UTC


@pytest.mark.parametrize("text", ["2020-02-19T16:00", "", "tomorrow", "[Europe/Berlin]", "2020-02-19T25:00Z"])
def test_a_time_that_is_not_certain_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"offset|Invalid|hour"):
        parse_execution_time(text)


@pytest.mark.parametrize(
    ("url", "mailer"),
    [
        ("smtp://mail.example.com", Smtp("mail.example.com", 25)),
        ("smtp://bot:s%40crt@mail.example.com:587", Smtp("mail.example.com", 587, False, "bot", "s@crt")),
        ("smtps://bot:pass@mail.example.com", Smtp("mail.example.com", 465, True, "bot", "pass")),
        ("smtp://[::1]:2525", Smtp("::1", 2525)),
    ],
)
def test_smtp_addresses(url: str, mailer: Smtp) -> None:
    assert Smtp.from_url(url) == mailer


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.com",
        "http://bot:hunter2@mail.example.com",
        "smtp://",
        "smtp://bot:hunter2@host:port",
        "smtp://bot@h",
    ],
)
def test_a_wrong_smtp_address_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="SMTP address") as refused:
        Smtp.from_url(url)
    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_mailer_does_not_show_its_password() -> None:
    assert "hunter2" not in repr(Smtp.from_url("smtp://bot:hunter2@mail.example.com"))


def test_i2_a_send_has_one_to_fifty_nodes_and_a_comment_that_fits() -> None:
    request = SendRequest(
        document_name="AWS-RunPatchBaseline",
        document_version="1",
        document_hash="",
        instance_ids=tuple(f"i-{number:017x}" for number in range(50)),
        parameters={"Operation": ["Scan"]},
        comment="x" * 100,
        timeout_seconds=600,
        max_concurrency="50",
        max_errors="0",
    )
    with pytest.raises(ValueError, match="51 instance ids"):
        replace(request, instance_ids=(*request.instance_ids, "i-51"))
    with pytest.raises(ValueError, match="0 instance ids"):
        replace(request, instance_ids=())
    with pytest.raises(ValueError, match="101 characters"):
        replace(request, comment="x" * 101)


def test_what_ec2_says_of_a_snapshot_that_failed_is_kept_and_ids_go_with_their_volumes() -> None:
    found: list[Any] = [
        {"SnapshotId": "snap-2", "VolumeId": "vol-b", "State": "completed", "StartTime": MOMENT, "Progress": "100%"},
        {"SnapshotId": "snap-1", "VolumeId": "vol-z", "State": "error", "StartTime": MOMENT, "Progress": "3%"},
    ]
    found[1]["StateMessage"] = "Given key ID is not accessible"
    taken = taken_snapshots("i-1", found)
    assert (taken.state, taken.percent, taken.why) == (State.FAILED, 3, "Given key ID is not accessible")
    assert (taken.ids, taken.volume_ids) == (("snap-1", "snap-2"), ("vol-z", "vol-b"))


def test_what_ec2_says_of_an_image_that_failed_is_kept() -> None:
    failed: Any = {"ImageId": "ami-1", "State": "failed", "CreationDate": "2026-11-20T12:00:00.000Z"}
    failed["StateReason"] = {"Code": "Client.InternalError", "Message": "Client error on launch"}
    taken = taken_image(failed, "i-1")
    assert (taken.state, taken.started_at, taken.why) == (State.FAILED, MOMENT, "Client error on launch")
