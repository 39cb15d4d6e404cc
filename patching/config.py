"""What an operator writes in patchgate.yaml, validated: unknown keys, empty targets, leading production are errors.

Errors name the path, the value and what is allowed (`ConfigurationError`). Reading the file is `bot/settings.py`'s.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, ValidationError, ValidationInfo, field_validator, model_validator

from patching.execution import Execution
from patching.freezes import FORMS, CalendarFreeze, Freeze
from patching.nodes import EnvironmentKey
from patching.notices import Notices
from patching.policy import Policy, PolicyOverride
from patching.strict import Strict
from patching.suggest import did_you_mean

__all__ = ["Application", "Configuration", "ConfigurationError", "Environment", "Policy", "PolicyOverride", "validate"]


class ConfigurationError(Exception):
    """One clear sentence for each thing that is wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
ChannelId = Annotated[str, StringConstraints(pattern=r"^[CG][A-Z0-9]{2,}$")]
UserId = Annotated[str, StringConstraints(pattern=r"^[UW][A-Z0-9]{2,}$")]
SystemUser = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}$")]
Person = Annotated[str, StringConstraints(pattern=r"^([UW][A-Z0-9]{2,}|[^@\s<>]+@[^@\s<>]+)$")]
GroupId = Annotated[str, StringConstraints(pattern=r"^S[A-Z0-9]{2,}$")]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s<>]+@[^@\s<>]+$")]
AccountId = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")]
RoleArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$")]
InstanceId = Annotated[str, StringConstraints(pattern=r"^m?i-[0-9a-f]{8,17}$")]
Bucket = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
NonEmpty = Annotated[str, StringConstraints(min_length=1, max_length=256)]

_DOCUMENT = "the name of a Command document (3 to 128 letters, digits and . _ -), or the ARN of a shared one"
_ALLOWED = {
    "slack.channel": "a channel id such as C0PATCHING",
    "account": "twelve digits in quotes",
    "region": "a Region such as eu-west-1",
    "role_arn": "an IAM role's ARN",
    "soak": "a duration such as 90s, 15m, 24h or 7d",
    "backup.kind": "none, snapshots or image",
    "max_age": "a duration such as 90s, 15m, 24h or 7d",
    "wait": "a duration such as 90s, 15m, 24h or 7d",
    "delivery": "a duration from 30s to 48h",
    "step": "a duration from 1m to 10h",
    "timeouts.reboot": "a duration up to 24h",
    "reboot": "RebootIfNeeded or NoReboot",
    "canary": "a whole number from 0 to 50",
    "waves": 'a list of at most 20, each of 1 to 5 tags with their values, such as [{"tag:Role": [replica]}]',
    "ha_group": 'a tag such as "tag:Cluster"',
    "rate": "a mapping with max_concurrency and max_errors",
    "max_concurrency": "a number of nodes such as 10, or a share from 1% to 100%",
    "max_errors": "a number of nodes such as 0, or a share from 0% to 99%",
    "hooks": "a mapping of pre_install, post_install and on_exit to names of Command documents",
    "pre_install": _DOCUMENT,
    "post_install": _DOCUMENT,
    "on_exit": _DOCUMENT,
    "document": _DOCUMENT,
    "health": "a mapping with document, alarms and wait",
    "timeouts": "a mapping with delivery, step and reboot",
    "backup": "a mapping with kind, document, max_age, instance and database",
    "instance": "off, warn or required",
    "database": "off, warn or required",
    "scan_max_age": "a duration such as 90s, 15m, 24h or 7d",
    "approval_expiry": "a duration such as 90s, 15m, 24h or 7d",
    "approval_reminders": "durations that grow, such as [15m, 1h, 4h]",
    "approvals_required": "a whole number from 1 to 5",
    "pin": "required or off",
    "window": "optional or required",
    "leads": "at most 10 durations, the longest first, such as [7d, 24h, 1h]",
    "notify_before": "a duration such as 0s, 15m, 24h or 7d",
    "object_until": "a duration such as 0s, 15m, 24h or 7d",
    "digest": "off, or a weekday, a time and a zone, such as mon 09:00 UTC",
    "notices": "a mapping with leads, notify_before, object_until, digest and tags",
    "notices.tags": "a mapping of users, emails and channel to the names of tags",
    "mail.ses": "a Region such as eu-west-1",
    "freezes": "a list of mappings, each with name and applications, and from and to, rrule and duration, or calendar",
    "freezes.duration": "a duration such as 8h or 1d, at most 366d",
    "freezes.calendar": "the ARN of a Change Calendar, such as arn:aws:ssm:eu-west-1:111111111111:document/YearEnd",
    "alarms": "names of CloudWatch alarms",
    "users": "Slack user ids such as U0ANN or e-mail addresses",
    "groups": "Slack user group ids such as S0ONCALL",
    "emails": "e-mail addresses",
    "instance_ids": "instance ids such as i-0123456789abcdef0",
    "production": "true or false",
    "terminal": "names of operating-system users, each with a Slack user id such as U0ANN",
}


class Slack(Strict):
    channel: ChannelId


class People(Strict):
    """Slack user ids or e-mail addresses, and user group ids."""

    users: tuple[Person, ...] = ()
    groups: tuple[GroupId, ...] = ()


class Access(Strict):
    operator: People = People()
    approver: People = People()
    admin: People = People()
    terminal: dict[SystemUser, UserId] = Field(default_factory=dict)  # operating-system users, and as whom they ask


class Owners(Strict):
    """Users are told by direct message, addresses by mail; groups are mentioned in the channel."""

    users: tuple[Person, ...] = ()
    groups: tuple[GroupId, ...] = ()
    emails: tuple[Email, ...] = ()


class Mail(Strict):
    """Through the server of PATCHGATE_SMTP; where `ses` names a Region, through Amazon SES there."""

    sender: Annotated[Email, Field(alias="from")]
    ses: Region | None = None


class ArtifactsBucket(Strict):
    bucket: Bucket
    prefix: Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9._-]+/)*$", max_length=100)] = ""
    region: Region


class Environment(Strict):
    """A named set of managed nodes of one application in one account and Region."""

    account: AccountId
    region: Region
    role_arn: RoleArn | None = None
    production: Annotated[bool, Field(strict=True)] = False
    targets: dict[str, tuple[NonEmpty, ...]]

    @model_validator(mode="after")
    def _targets_name_something(self) -> Self:
        if not self.targets:
            raise ValueError('targets is empty; allowed is "tag:NAME": [values] or instance_ids: [i-…]')
        for key, values in self.targets.items():
            if key != "instance_ids" and not (key.startswith("tag:") and len(key) > 4):
                raise ValueError(f'targets has the key {key!r}; allowed is "tag:NAME" or instance_ids')
            if not values:
                raise ValueError(f"targets: {key!r} is empty; it must list at least one value")
        if "instance_ids" in self.targets and len(self.targets) > 1:
            raise ValueError("targets has instance_ids beside tags; use one or the other")
        if len(self.targets) > 5:
            raise ValueError("targets has more than 5 keys; Systems Manager allows 5")
        if self.role_arn and self.role_arn.split(":")[4] != self.account:
            raise ValueError(f"role_arn is of account {self.role_arn.split(':')[4]}; account is {self.account}")
        return self


class Application(Execution):
    channel: ChannelId | None = None
    owners: Owners = Owners()
    policy: PolicyOverride = PolicyOverride()
    environments: Annotated[dict[Name, Environment], Field(min_length=1)]

    @model_validator(mode="after")
    def _production_is_gated(self) -> Self:
        first = next(iter(self.environments))
        if self.environments[first].production:
            raise ValueError(
                f"environments lists the production environment {first!r} first; "
                "list the environment that gates it before it"
            )
        return self

    def source_of(self, environment: str) -> str:
        """The environment that gates this one: the one listed before it."""
        names = list(self.environments)
        return names[names.index(environment) - 1]


class Configuration(Strict):
    slack: Slack
    access: Access = Access()
    mail: Mail | None = None
    artifacts: ArtifactsBucket | None = None
    production_tags: dict[NonEmpty, tuple[NonEmpty, ...]] = Field({"Environment": ("prod", "production")})
    notices: Notices = Notices()
    policy: Policy = Policy()
    applications: Annotated[dict[Name, Application], Field(min_length=1)]
    freezes: tuple[Freeze, ...] = ()

    @field_validator("freezes")
    @classmethod
    def _freezes_fit(cls, freezes: tuple[Freeze, ...], info: ValidationInfo) -> tuple[Freeze, ...]:
        """Each has a name of its own, applications that are there, and an environment to read its calendar with."""
        applications: Mapping[str, Application] = info.data.get("applications") or {}
        problems = [*_same_names(freezes), *(each for freeze in freezes for each in _unfit(freeze, applications))]
        if problems and applications:
            raise ValueError("; ".join(problems))
        return freezes

    @property
    def version(self) -> str:
        """sha256 of the meaning of the whole configuration: re-read in the transaction of a send (I3)."""
        return hashlib.sha256(self.model_dump_json(by_alias=True).encode()).hexdigest()

    def policy_of(self, application: str) -> Policy:
        return self.policy.overridden_by(self.applications[application].policy)

    def channel_of(self, application: str) -> str:
        """Where an application's messages go; the general channel when it names none, or is no longer configured."""
        known = self.applications.get(application)
        return (known.channel if known else None) or self.slack.channel

    def environment(self, key: EnvironmentKey) -> Environment | None:
        application = self.applications.get(key.application)
        return application.environments.get(key.environment) if application else None

    def environments(self) -> Mapping[EnvironmentKey, Environment]:
        return {
            EnvironmentKey(name, environment): settings
            for name, application in self.applications.items()
            for environment, settings in application.environments.items()
        }


def _same_names(freezes: Sequence[Freeze]) -> list[str]:
    names = [freeze.name.casefold() for freeze in freezes]
    return [f"{each.name!r} is there twice" for at, each in enumerate(freezes) if each.name.casefold() in names[:at]]


def _unfit(freeze: Freeze, applications: Mapping[str, Application]) -> Iterator[str]:
    for name in freeze.applications or ():
        if name not in applications:
            guess = did_you_mean(name, applications)
            perhaps = f", perhaps {guess} is meant" if guess else ""
            yield f"{freeze.name!r} names the application {name!r}, which is not configured{perhaps}"
    if isinstance(freeze, CalendarFreeze):
        environments = [each for application in applications.values() for each in application.environments.values()]
        if not any((each.account, each.region) == (freeze.account, freeze.region) for each in environments):
            yield (
                f"the calendar of {freeze.name!r} is in account {freeze.account}, {freeze.region}, "
                "where no environment is configured whose role could read it"
            )


def validate(document: object) -> Configuration:
    """Check a parsed patchgate.yaml. Raises ConfigurationError with a sentence for each problem."""
    if not isinstance(document, dict):
        raise ConfigurationError(["The configuration is empty or not a mapping; it needs slack and applications."])
    try:
        return Configuration.model_validate(document)
    except ValidationError as error:
        problems = error.errors()
        raise ConfigurationError([_sentence(each) for each in problems if not _follows(each, problems)]) from None


def _follows(problem: Any, problems: Sequence[Any]) -> bool:  # noqa: ANN401 - pydantic's ErrorDetails
    """Whether a list is "too short" only because of entries that are wrong themselves."""
    where = problem["loc"]
    return problem["type"] == "too_short" and any(
        len(each["loc"]) > len(where) and each["loc"][: len(where)] == where for each in problems
    )


def _sentence(problem: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    loc = [part for part in problem["loc"] if part not in FORMS]
    path = ".".join(str(part) for part in loc if part != "[key]")
    kind, value = problem["type"], problem.get("input")
    if kind == "missing":
        return f"{path} is missing."
    if kind == "extra_forbidden":
        return f"{path} is not a known key; check its spelling and indentation."
    if kind == "too_short":
        return f"{path} is {_short(value)}; it needs at least one entry."
    if kind == "value_error" and "duration" not in problem["msg"].casefold():
        return f"{path}: {problem['msg'].removeprefix('Value error, ')}."
    names = [part for part in loc if isinstance(part, str)]
    tails = (".".join(names[start:]) for start in range(len(names)))
    allowed = next((_ALLOWED[name] for name in (*tails, *reversed(names)) if name in _ALLOWED), None)
    return f"{path} is {_short(value)}; allowed is {allowed or problem['msg']}."


def _short(value: object) -> str:
    """As YAML writes it."""
    text = "empty" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 80 else text[:77] + "…"
