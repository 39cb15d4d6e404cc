"""The form of a maintenance window: from its inputs to settings, and from settings to what stands in the inputs.

An input's name is its block's id in the form. Settings without an input (description, start and end, the document's
version and its other parameters, …) stay as they were.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from patching.config import Environment
from patching.model import Operation
from patching.nodes import INSTANCE_IDS, EnvironmentKey
from patching.schedules import Rhythm, Usual, expression, usual
from patching.window_spec import SpecProblems, WindowSpec, read_spec

Fields = Mapping[str, str | Sequence[str]]
"""{input's name: what stands in it}, several where one may choose several."""

RHYTHM, WEEKDAY, POSITION, DAY, TIME, EXPRESSION = "rhythm", "weekday", "position", "day", "time", "expression"
"""The inputs that make up the one setting `schedule`."""
NAME, TARGETS = "name", "targets"
PLAIN: Final = (
    NAME,
    "schedule_offset",
    "timezone",
    "duration_hours",
    "cutoff_hours",
    "document",
    "operation",
    "reboot_option",
    "comment",
    "delivery_seconds",
    "max_concurrency",
    "max_errors",
    "priority",
    "cutoff_behavior",
    "service_role_arn",
    "s3_bucket",
    "s3_prefix",
    "sns_topic_arn",
    "sns_events",
    "sns_role_arn",
)
"""Inputs that are a setting each."""

_TAG: Final = "tag:"


def spec_from(fields: Fields, base: WindowSpec | None = None) -> WindowSpec:
    """What was filled in, over `base` where a window is edited. Raises SpecProblems, {input's name: sentence}."""
    values: dict[str, Any] = base.model_dump() if base else {}
    values |= {name: fields[name] for name in PLAIN if name in fields}
    problems: dict[str, str] = {}
    try:
        values["schedule"] = expression(schedule_of(fields))
    except ValueError as error:
        problems["schedule"] = str(error)
        values["schedule"] = "cron(0 0 ? * * *)"  # so that everything else is judged as well
    try:
        values[TARGETS] = _targets(_text(fields, TARGETS))
    except ValueError as error:
        problems[TARGETS] = str(error)
        values[TARGETS] = {INSTANCE_IDS: ["-"]}
    try:
        spec = read_spec(values)
    except SpecProblems as found:
        raise SpecProblems(placed({**found.problems, **problems}, fields)) from None
    if problems:
        raise SpecProblems(placed(problems, fields))
    return spec


def placed(problems: Mapping[str, str], fields: Fields) -> dict[str, str]:
    """By input: what is wrong with the schedule stands where it was chosen or typed."""
    typed = _text(fields, RHYTHM) == Rhythm.TYPED
    return {
        (EXPRESSION if typed else RHYTHM) if name == "schedule" else name: sentence
        for name, sentence in problems.items()
    }


def schedule_of(fields: Fields) -> Usual:
    """What the schedule's inputs say. Raises ValueError with a sentence."""
    try:
        rhythm = Rhythm(_text(fields, RHYTHM))
    except ValueError:
        raise ValueError("Choose how often the window opens.") from None
    return Usual(
        rhythm,
        _text(fields, WEEKDAY),
        _text(fields, POSITION),
        _text(fields, DAY),
        _text(fields, TIME),
        _text(fields, EXPRESSION),
    )


def fields_of(spec: WindowSpec) -> dict[str, str | Sequence[str]]:
    """What stands in the inputs for these settings; `spec_from` makes the same settings of it again."""
    values = spec.model_dump(mode="json")
    return {
        **{name: _shown(values[name]) for name in PLAIN},
        **schedule_fields(spec.schedule),
        TARGETS: "\n".join(f"{key.removeprefix(_TAG)}={', '.join(names)}" for key, names in spec.targets.items()),
    }


def schedule_fields(written: str) -> dict[str, str]:
    """What stands in the schedule's inputs for an expression; what its rhythm doesn't need has its usual value."""
    schedule = usual(written)
    return {
        RHYTHM: schedule.rhythm.value,
        WEEKDAY: schedule.weekday,
        POSITION: schedule.position,
        DAY: schedule.day,
        TIME: schedule.time,
        EXPRESSION: written,
    }


def proposed(key: EnvironmentKey, environment: Environment, timezone: str) -> WindowSpec:
    """What a new window is proposed to be: a Scan of the whole environment, Saturdays at 02:00."""
    return WindowSpec(
        name=f"{'-'.join(key)[:120]}-scan",
        schedule=expression(Usual()),
        timezone=timezone,
        duration_hours=3,
        cutoff_hours=1,
        targets=dict(environment.targets),
        operation=Operation.SCAN,
    )


def _targets(text: str) -> dict[str, list[str]]:
    """Lines of `TAG=value, value`, or one of `instance_ids=i-…, i-…`. Raises ValueError with a sentence."""
    found: dict[str, list[str]] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, equals, rest = line.removeprefix(_TAG).partition("=")
        values = [value.strip() for value in rest.split(",") if value.strip()]
        if not (equals and name.strip() and values):
            raise ValueError("Write each target on a line of its own, as in PatchGroup=nonprod, or with , between two.")
        key = INSTANCE_IDS if name.strip() == INSTANCE_IDS else f"{_TAG}{name.strip()}"
        found.setdefault(key, []).extend(values)
    return found


def _text(fields: Fields, name: str) -> str:
    value = fields.get(name, "")
    return value if isinstance(value, str) else ""


def _shown(value: object) -> str | Sequence[str]:
    if isinstance(value, (list, tuple)):
        return tuple(map(str, value))
    return "" if value is None else str(value)
