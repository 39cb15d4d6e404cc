"""`patchgate check`: a line for everything that must be right, ok or why not, and the exit status for a script."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from bot import __version__
from bot.__main__ import main
from patching.hooks import INSTALL_WITH_HOOKS
from sandbox.fleet import NONPRODUCTION, PRODUCTION, REGION
from tests.integration.bot_process import finish, process_fleet, process_town
from tests.town import Town
from tests.unit.simulated_aws.hooks import DEPLOY


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with process_town(tmp_path_factory.mktemp("check"), process_fleet(prod=1)) as opened:
        yield opened


def check(town: Town, **environment: str) -> tuple[int, list[str], list[str]]:
    """The exit status, the lines that are ok, and those that are not, without their marks; "" unsets a variable."""
    merged = {name: value or None for name, value in {**town.environment, **environment}.items()}
    ended = CliRunner().invoke(main, ["check"], env=merged, catch_exceptions=False)
    return ended.exit_code, marked(ended.stdout, "ok"), marked(ended.stdout, "FAIL")


def marked(output: str, wanted: str) -> list[str]:
    lines = [line.split(None, 1) for line in output.splitlines()]
    return [text for mark, text in lines if mark == wanted]


def test_as_a_process_it_says_the_same_and_ends_with_the_status(town: Town) -> None:
    for environment in ({}, {"SLACK_BOT_TOKEN": "xoxb-wrong"}):
        status, right, wrong = check(town, **environment)
        ended = finish(town, "check", **environment)
        assert (ended.returncode, ended.stderr) == (status, "")
        assert (marked(ended.stdout, "ok"), marked(ended.stdout, "FAIL")) == (right, wrong)


def test_everything_is_right_in_the_sandbox(town: Town) -> None:
    status, right, wrong = check(town)
    assert (status, wrong) == (0, [])
    whats = [line.partition(": ")[0] for line in right]
    assert whats[:8] == [
        *("configuration", "Slack bot token", "Slack scopes", "Slack app token"),
        *("role operator", "role approver", "role admin", "mail"),
    ]
    for account in (NONPRODUCTION, PRODUCTION):
        assert f"AWS account {account}, {REGION}: identity" in right
    assert right[-1] == "artifacts bucket: s3://acme-patchgate/lists/"


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({"PATCHGATE_SMTP": ""}, "mail: neither PATCHGATE_SMTP nor mail.ses is set, so no mail is sent"),
        ({"SLACK_APP_TOKEN": ""}, "Slack signing secret: set, for --http"),
    ],
)
def test_what_may_be_left_out_is_said_and_stays_ok(town: Town, environment: dict[str, str], line: str) -> None:
    status, right, wrong = check(town, **environment)
    assert (status, wrong) == (0, [])
    assert line in right


@pytest.mark.parametrize(
    ("environment", "lines"),
    [
        ({"SLACK_BOT_TOKEN": "xoxb-wrong"}, ["Slack bot token: invalid_auth", "role approver: ", "role operator: "]),
        ({"SLACK_APP_TOKEN": "xapp-wrong"}, ["Slack app token: invalid_auth"]),
        ({"SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": ""}, ["Slack app token: neither"]),
        ({"PATCHGATE_SMTP": "mail.example.com"}, ["mail: PATCHGATE_SMTP: the SMTP address must be smtp://"]),
        ({"PATCHGATE_CONFIG": "nowhere.yaml"}, ["configuration: The configuration nowhere.yaml can't be read"]),
        ({"PATCHGATE_LOG_LEVEL": "LOUD"}, ["environment: PATCHGATE_LOG_LEVEL is 'LOUD'"]),
    ],
)
def test_an_environment_that_is_wrong_makes_its_own_lines(
    town: Town, environment: dict[str, str], lines: list[str]
) -> None:
    status, _, wrong = check(town, **environment)
    assert status == 1
    assert_each_starts(wrong, lines)


def without_scope(scope: str) -> Callable[[Town], None]:
    def break_(town: Town) -> None:
        town.around.workspace.scopes -= {scope}

    return break_


def fault(service: str, operation: str) -> Callable[[Town], None]:
    def break_(town: Town) -> None:
        town.around.world.faults.add(service, operation, "access-denied", times=1000)

    return break_


def slack_is_away(town: Town) -> None:
    town.around.workspace.faults.add("*", "outage", times=None)


@pytest.mark.parametrize(
    ("break_", "lines"),
    [
        (without_scope("files:write"), ["Slack scopes: missing: files:write"]),
        (without_scope("usergroups:read"), ["Slack scopes: missing", "role operator: ", "role approver: "]),
        (slack_is_away, ["Slack bot token: ", "role operator: Slack did not say", "role approver: Slack did not say"]),
        (fault("sts", "AssumeRole"), [f"AWS account {NONPRODUCTION}", f"AWS account {PRODUCTION}"]),
        (fault("ssm", "DescribeInstanceInformation"), [f"AWS account {NONPRODUCTION}", f"AWS account {PRODUCTION}"]),
        (fault("ssm", "DescribeDocument"), [f"AWS account {NONPRODUCTION}", f"AWS account {PRODUCTION}"]),
        (fault("ec2", "DescribeInstances"), [f"AWS account {NONPRODUCTION}", f"AWS account {PRODUCTION}"]),
        (fault("s3", "*"), ["artifacts bucket: "]),
    ],
    ids=["scope", "groups", "slack away", "role", "nodes", "document", "instances", "bucket"],
)
def test_each_kind_of_trouble_makes_its_own_line(town: Town, break_: Callable[[Town], None], lines: list[str]) -> None:
    scopes = town.around.workspace.scopes
    break_(town)
    try:
        status, _, wrong = check(town)
    finally:
        town.around.workspace.scopes = scopes
        for each in town.around.workspace.faults.all():
            town.around.workspace.faults.remove(each.id)
        for fault_ in town.around.world.faults.active():
            town.around.world.faults.remove(fault_.id)
    assert status == 1
    assert_each_starts(wrong, lines)


def _account_of_another(document: dict[str, Any]) -> None:
    environment = document["applications"]["orders-db"]["environments"]["nonprod"]
    environment["account"] = "333333333333"
    del environment["role_arn"]


def _no_such_bucket(document: dict[str, Any]) -> None:
    document["artifacts"]["bucket"] = "nobodys-bucket"


def _no_bucket(document: dict[str, Any]) -> None:
    del document["artifacts"]


def _no_approver(document: dict[str, Any]) -> None:
    document["access"]["approver"] = {}


def _unknown_group(document: dict[str, Any]) -> None:
    document["access"]["approver"]["groups"] = ["S0NOBODY"]


def _no_sender(document: dict[str, Any]) -> None:
    del document["mail"]


def _ses_as_well(document: dict[str, Any]) -> None:
    document["mail"]["ses"] = "eu-west-1"


def _calendar_that_nobody_made(document: dict[str, Any]) -> None:
    arn = f"arn:aws:ssm:{REGION}:{PRODUCTION}:document/Acme"
    document["freezes"] = [{"name": "acme", "calendar": arn, "applications": "all"}]


def changed(town: Town, folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Another configuration than the town's."""
    document = yaml.safe_load(Path(town.environment["PATCHGATE_CONFIG"]).read_text(encoding="utf-8"))
    change(document)
    written = folder / "patchgate.yaml"
    written.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return written


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        (
            _account_of_another,
            [f"AWS account 333333333333, {REGION}: identity: The base credentials belong to account {PRODUCTION}"],
        ),
        (_no_such_bucket, ["artifacts bucket: "]),
        (_no_bucket, ["artifacts bucket: none is configured"]),
        (_no_approver, ["role approver: nobody holds it"]),
        (_unknown_group, ["role approver: Slack did not say who is in S0NOBODY (no_such_subteam)."]),
        (_no_sender, ["mail: PATCHGATE_SMTP is set, but mail.from is not configured"]),
        (_calendar_that_nobody_made, ["calendar of the freeze acme: AWS refused GetCalendarState on Acme"]),
        (_ses_as_well, ["mail: PATCHGATE_SMTP and mail.ses are both set, and mail goes one way only"]),
    ],
)
def test_a_configuration_that_the_world_does_not_fit_makes_its_own_line(
    town: Town, tmp_path: Path, change: Callable[[dict[str, Any]], None], lines: list[str]
) -> None:
    status, _, wrong = check(town, PATCHGATE_CONFIG=str(changed(town, tmp_path, change)))
    assert status == 1
    assert_each_starts(wrong, lines)


def test_where_mail_goes_through_ses_its_identity_is_looked_at(town: Town, tmp_path: Path) -> None:
    configuration = str(changed(town, tmp_path, _ses_as_well))
    status, right, wrong = check(town, PATCHGATE_CONFIG=configuration, PATCHGATE_SMTP="")
    assert status == 1
    assert "mail: Amazon SES in eu-west-1, from patchgate@example.com" in right
    assert_each_starts(wrong, ["SES sender and account: Amazon SES in eu-west-1 may not send as patchgate@example.com"])


def with_documents(town: Town, folder: Path) -> dict[str, str]:
    """An environment for `check` with every kind of an application's own document in the configuration."""

    def change(document: dict[str, Any]) -> None:
        hooks = {"pre_install": "DrainOrders", "post_install": "UpdateOrders", "on_exit": "StartOrders"}
        more = {"hooks": hooks, "health": {"document": "CheckOrders"}, "backup": {"document": "DumpOrders"}}
        document["applications"]["orders-db"] |= more

    return {"PATCHGATE_CONFIG": str(changed(town, folder, change))}


def test_hooks_and_other_documents_are_looked_at_where_they_are_needed(town: Town, tmp_path: Path) -> None:
    environment = with_documents(town, tmp_path)
    before, after = f"AWS account {NONPRODUCTION}, {REGION}: ", f"AWS account {PRODUCTION}, {REGION}: "
    own = [
        *("health document CheckOrders", "on-exit hook StartOrders"),
        *("post-install hook UpdateOrders", "pre-install hook DrainOrders"),
    ]
    status, right, wrong = check(town, **environment)
    assert status == 1
    assert_each_starts(
        wrong,
        [
            *(f"{before}{what}: The {what} does not exist in account {NONPRODUCTION}" for what in own),
            *(f"{after}{what}: The {what} does not exist in account {PRODUCTION}" for what in own),
            f"{after}backup document DumpOrders: The backup document DumpOrders does not exist",
            f"{after}document Patchgate-InstallWithHooks: Patchgate-InstallWithHooks does not exist",
        ],
    )
    assert f"{before}document AWS-RunPatchBaselineWithHooks" in right

    regions = [town.around.world.region(account, REGION) for account in (NONPRODUCTION, PRODUCTION)]
    for path in (DEPLOY / f"{INSTALL_WITH_HOOKS}.yaml", *(DEPLOY / "examples").glob("*.yaml")):
        for region in regions:
            content, now = path.read_text(encoding="utf-8"), town.around.clock.now()
            region.library.create(path.stem, content, "YAML", now, region.account)
    status, right, wrong = check(town, **environment)
    assert (status, wrong) == (0, [])
    assert f"{after}document Patchgate-InstallWithHooks" in right


def test_its_version_and_help(town: Town) -> None:
    version, help_ = finish(town, "--version"), finish(town, "--help")
    assert (version.returncode, version.stdout) == (0, f"patchgate, version {__version__}\n")
    assert help_.returncode == 0
    assert all(f"  {command} " in help_.stdout for command in ("check", "run", "sandbox"))


def assert_each_starts(wrong: list[str], lines: list[str]) -> None:
    """One failed line for each of these, and no other."""
    assert len(wrong) == len(lines), wrong
    missing = [line for line in lines if not any(text.startswith(line) for text in wrong)]
    assert missing == [], wrong
