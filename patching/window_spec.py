"""What a maintenance window is to be: everything that CreateMaintenanceWindow, RegisterTargetWithMaintenanceWindow and
RegisterTaskWithMaintenanceWindow are told about a window with one target and one Run Command task.

The limits are those of botocore's ssm model (facts/aws-simulation.md, facts/patch-manager.md section 5). Whether a
schedule means something is for AWS to judge; here only its form is looked at.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from patching.config import Environment
from patching.execution import DocumentName
from patching.model import Operation
from patching.nodes import INSTANCE_IDS
from patching.notices import zone
from patching.strict import Strict

RUN_PATCH_BASELINE: Final = "AWS-RunPatchBaseline"
OPERATION, REBOOT_OPTION = "Operation", "RebootOption"
_OWN_PARAMETERS: Final = (OPERATION, REBOOT_OPTION)  # they have fields of their own
_MOST_KEYS, _MOST_VALUES = 5, 50


def _blank(value: object) -> object:
    """An input that was left empty says nothing."""
    return None if isinstance(value, str) and not value.strip() else value


def _text(value: object) -> object:
    """A number of nodes may come as a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _zone(value: str) -> str:
    return zone(value).key


def _moment(value: datetime | None) -> datetime | None:
    return value.replace(microsecond=0) if value else None


Name = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[a-zA-Z0-9_.-]{3,128}$")]
Description = Annotated[
    Annotated[str, StringConstraints(strip_whitespace=True, max_length=128)] | None, BeforeValidator(_blank)
]
Schedule = Annotated[
    str, StringConstraints(strip_whitespace=True, pattern=r"^(cron|rate|at)\([^()]+\)$", max_length=256)
]
Timezone = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_zone)]
Moment = Annotated[AwareDatetime | None, BeforeValidator(_blank), AfterValidator(_moment)]
DocumentVersion = Annotated[
    Annotated[str, StringConstraints(pattern=r"^(\$LATEST|\$DEFAULT|[1-9][0-9]*)$")] | None, BeforeValidator(_blank)
]
Concurrency = Annotated[
    str, BeforeValidator(_text), StringConstraints(pattern=r"^([1-9][0-9]{0,6}|([1-9][0-9]?|100)%)$")
]
Errors = Annotated[
    str, BeforeValidator(_text), StringConstraints(pattern=r"^(0|[1-9][0-9]{0,6}|([0-9]|[1-9][0-9]|100)%)$")
]
RoleArn = Annotated[
    Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$")] | None,
    BeforeValidator(_blank),
]
TopicArn = Annotated[
    Annotated[
        str,
        StringConstraints(
            strip_whitespace=True, pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?$"
        ),
    ]
    | None,
    BeforeValidator(_blank),
]
Bucket = Annotated[
    Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")] | None,
    BeforeValidator(_blank),
]
Parameter = Annotated[str, StringConstraints(min_length=1, max_length=255)]
SnsEvent = Literal["All", "InProgress", "Success", "TimedOut", "Cancelled", "Failed"]
Targets = dict[str, tuple[Annotated[str, StringConstraints(min_length=1, max_length=256)], ...]]


class WindowSpec(Strict):
    """A window with one target and one Run Command task. Stored as its JSON; read with `read_spec`."""

    name: Name
    description: Description = None
    schedule: Schedule
    schedule_offset: Annotated[int, Field(ge=0, le=6)] = 0  # days after the cron expression's; AWS is told from 1 on
    timezone: Timezone = "UTC"
    start_date: Moment = None
    end_date: Moment = None
    duration_hours: Annotated[int, Field(ge=1, le=24)]
    cutoff_hours: Annotated[int, Field(ge=0, le=23)]
    allow_unassociated_targets: bool = False
    targets: Targets  # as an environment's: {"tag:NAME": [values], …} or {"instance_ids": [ids]}
    document: DocumentName = RUN_PATCH_BASELINE
    document_version: DocumentVersion = None
    operation: Operation
    reboot_option: Annotated[Literal["RebootIfNeeded", "NoReboot"] | None, BeforeValidator(_blank)] = None
    parameters: dict[Parameter, tuple[str, ...]] = Field(default_factory=dict)  # those without a field of their own
    comment: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] = ""
    delivery_seconds: Annotated[int, Field(ge=30, le=2_592_000)] = 600  # until a node has begun
    max_concurrency: Concurrency = "50%"
    max_errors: Errors = "0"
    priority: Annotated[int, Field(ge=0, le=2_147_483_647)] = 1
    cutoff_behavior: Literal["CONTINUE_TASK", "CANCEL_TASK"] = "CONTINUE_TASK"
    service_role_arn: RoleArn = None
    s3_bucket: Bucket = None
    s3_prefix: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""
    sns_topic_arn: TopicArn = None
    sns_events: tuple[SnsEvent, ...] = ("All",)
    sns_type: Literal["Command", "Invocation"] = "Command"
    sns_role_arn: Annotated[RoleArn, Field(validate_default=True)] = None  # Systems Manager publishes with it
    cloudwatch_output: bool = False

    @field_validator("schedule_offset")
    @classmethod
    def _offset_needs_cron(cls, value: int, info: ValidationInfo) -> int:
        if value and not str(info.data.get("schedule", "cron")).startswith("cron"):
            raise ValueError("only a cron schedule can open some days later")
        return value

    @field_validator("end_date")
    @classmethod
    def _ends_after_its_start(cls, value: datetime | None, info: ValidationInfo) -> datetime | None:
        start = info.data.get("start_date")
        if value and start and value <= start:
            raise ValueError("it is not after the start date")
        return value

    @field_validator("cutoff_hours")
    @classmethod
    def _cutoff_is_within(cls, value: int, info: ValidationInfo) -> int:
        duration = info.data.get("duration_hours")
        if duration is not None and value >= duration:
            raise ValueError(f"it must be less than the duration, which is {duration} h, or nothing could begin")
        return value

    @field_validator("targets")
    @classmethod
    def _targets_name_something(cls, value: Targets) -> Targets:
        if not value:
            raise ValueError("there are none, so the window would reach no node")
        if INSTANCE_IDS in value and len(value) > 1:
            raise ValueError("instance ids and tags don't go together; use one or the other")
        if len(value) > _MOST_KEYS:
            raise ValueError(f"there are {len(value)} tags, and Systems Manager allows {_MOST_KEYS}")
        for key, values in value.items():
            if key != INSTANCE_IDS and not (key.startswith("tag:") and 4 < len(key) <= 132):
                raise ValueError(f'{key!r} is no tag; write "tag:NAME"')
            if not values:
                raise ValueError(f"{key} has no value")
            if len(values) > _MOST_VALUES:
                raise ValueError(f"{key} has {len(values)} values, and Systems Manager allows {_MOST_VALUES}")
        return value

    @field_validator("parameters")
    @classmethod
    def _parameters_leave_ours(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        taken = [name for name in _OWN_PARAMETERS if name in value]
        if taken:
            raise ValueError(f"{taken[0]} has an input of its own")
        return value

    @field_validator("s3_prefix")
    @classmethod
    def _prefix_needs_bucket(cls, value: str, info: ValidationInfo) -> str:
        if value and "s3_bucket" in info.data and not info.data["s3_bucket"]:
            raise ValueError("there is a prefix without a bucket")
        return value

    @field_validator("sns_events")
    @classmethod
    def _events_once(cls, value: tuple[SnsEvent, ...], info: ValidationInfo) -> tuple[SnsEvent, ...]:
        if info.data.get("sns_topic_arn") and not value:
            raise ValueError("choose at least one for the topic")
        return tuple(dict.fromkeys(value))

    @field_validator("sns_role_arn")
    @classmethod
    def _publishing_needs_a_role(cls, value: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("sns_topic_arn") and not value:
            raise ValueError("Systems Manager publishes to a topic with a role only")
        return value

    @property
    def task_parameters(self) -> dict[str, list[str]]:
        """The document's parameters as Run Command takes them."""
        own = {OPERATION: [self.operation.value]}
        if self.reboot_option:
            own[REBOOT_OPTION] = [self.reboot_option]
        return {**{name: list(values) for name, values in self.parameters.items()}, **own}

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What was stored."""
        return cls.model_validate_json(text)


# {field: (what people call it, what is allowed)}
_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "name": ("The name", "3 to 128 letters, digits and . _ -"),
    "description": ("The description", "at most 128 characters"),
    "schedule": ("The schedule", "cron(…), rate(…) or at(…), such as cron(0 2 ? * SUN *)"),
    "schedule_offset": ("The schedule offset", "0 to 6 days"),
    "timezone": ("The time zone", "an IANA name such as Europe/Berlin"),
    "start_date": ("The start date", "a moment with its offset, such as 2026-12-01T00:00:00+01:00"),
    "end_date": ("The end date", "a moment with its offset, such as 2026-12-31T00:00:00+01:00"),
    "duration_hours": ("The duration", "1 to 24 whole hours"),
    "cutoff_hours": ("The cutoff", "0 to 23 whole hours, less than the duration"),
    "allow_unassociated_targets": ("Whether it takes other targets", "true or false"),
    "targets": ("The targets", "1 to 5 tags with their values, or instance ids"),
    "document": ("The document", "the name of a Command document (3 to 128 letters, digits and . _ -), or its ARN"),
    "document_version": ("The document's version", "a number, $LATEST or $DEFAULT"),
    "operation": ("The operation", "Scan or Install"),
    "reboot_option": ("The reboot option", "RebootIfNeeded or NoReboot"),
    "parameters": ("The parameters", "names of the document's parameters with lists of values"),
    "comment": ("The comment", "at most 100 characters"),
    "delivery_seconds": ("The delivery timeout", "30 to 2,592,000 seconds"),
    "max_concurrency": ("The concurrency", "a number of nodes such as 10, or a share from 1% to 100%"),
    "max_errors": ("The error threshold", "a number of nodes such as 0, or a share from 0% to 100%"),
    "priority": ("The priority", "a whole number from 0, the first"),
    "cutoff_behavior": ("What happens at the cutoff", "CONTINUE_TASK or CANCEL_TASK"),
    "service_role_arn": ("The service role", "an IAM role's ARN"),
    "s3_bucket": ("The S3 bucket", "a bucket's name"),
    "s3_prefix": ("The S3 prefix", "at most 500 characters"),
    "sns_topic_arn": ("The SNS topic", "a topic's ARN"),
    "sns_events": ("The SNS events", "All, InProgress, Success, TimedOut, Cancelled and Failed"),
    "sns_type": ("The SNS notification type", "Command or Invocation"),
    "sns_role_arn": ("The SNS role", "an IAM role's ARN"),
    "cloudwatch_output": ("Whether CloudWatch gets the output", "true or false"),
}


class SpecProblems(Exception):
    """What is wrong with a window's settings: {field: one sentence}, for a form to show under its inputs."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


def read_spec(values: Mapping[str, Any]) -> WindowSpec:
    """Check what was typed: numbers may be text, what was left empty is not set. Raises SpecProblems."""
    try:
        return WindowSpec.model_validate(dict(values))
    except ValidationError as error:
        problems: dict[str, str] = {}
        for each in error.errors():
            field = str(each["loc"][0])
            problems.setdefault(field, _sentence(field, each))
        raise SpecProblems(problems) from None


def refusals(spec: WindowSpec, environment: Environment) -> Mapping[str, str]:
    """{field: sentence} where a window may not be such in this environment.

    On production a window only scans: installs go through the gate. A document of others may install whatever its
    parameter says, so there only AWS's own is taken. Nowhere does a window reach beyond its environment, or one of
    non-production could install on production.
    """
    found: dict[str, str] = {}
    if not _within(spec.targets, environment.targets):
        own = "; ".join(f"{key}={', '.join(values)}" for key, values in environment.targets.items())
        found["targets"] = f"The targets reach beyond the environment: keep {own}, and narrow it as you like."
    if not environment.production:
        return found
    if spec.operation is not Operation.SCAN:
        found["operation"] = (
            "On production a window may only Scan: installs go through the gate, with `/patch install APP ENV window`."
        )
    if spec.document != RUN_PATCH_BASELINE:
        found["document"] = f"On production a window may only run {RUN_PATCH_BASELINE}: another one might install."
    return found


def _within(targets: Mapping[str, Sequence[str]], of: Mapping[str, Sequence[str]]) -> bool:
    """Whether every node that `targets` select is one that `of` selects: all of its keys, with no other values."""
    return all(key in targets and set(targets[key]) <= set(values) for key, values in of.items())


def _sentence(field: str, problem: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    label, allowed = _WORDS.get(field, (field, "a known setting"))
    if problem["type"] == "missing" or problem.get("input") in (None, ""):
        return f"{label} is missing; allowed is {allowed}."
    if problem["type"] == "value_error" and field != "timezone":
        return f"{label}: {problem['msg'].removeprefix('Value error, ')}."
    value = str(problem.get("input"))
    shown = value if len(value) <= 60 else value[:59] + "…"
    return f"{label} is {shown!r}; allowed is {allowed}."
