"""The form in which a maintenance window is made or edited: a modal, drawn anew whenever its schedule changes.

Each input's block_id and action_id are its name in `commands/window_fields.py`. Those in `PREVIEWED` report every
change, so that the preview of the next openings keeps up; it always names what it previews, because what is typed
reaches Patchgate only with Enter or the button.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bot.views.blocks import Block, actions, button, context, header, plain_text, section
from bot.views.text import code, place, plural, prose, when
from commands.window_fields import DAY, EXPRESSION, POSITION, RHYTHM, TARGETS, TIME, WEEKDAY, Fields
from patching.config import Environment
from patching.nodes import EnvironmentKey
from patching.schedules import DAYS, POSITIONS, WEEKDAYS, Rhythm

CALLBACK: Final = "save-window"
PREVIEW: Final = "preview-window"
"""The button's action_id."""
PREVIEWED: Final = (RHYTHM, WEEKDAY, POSITION, DAY, TIME, EXPRESSION, "timezone", "schedule_offset")

_RHYTHMS: Final[Mapping[str, str]] = {
    Rhythm.WEEKLY: "Every week, on a weekday",
    Rhythm.NTH_WEEKDAY: "Every month, on its first, second, … or last weekday",
    Rhythm.DAY_OF_MONTH: "Every month, on a day",
    Rhythm.DAILY: "Every day",
    Rhythm.TYPED: "As an expression of AWS: cron(…), rate(…) or at(…)",
}
_CUTOFF: Final = {
    "CONTINUE_TASK": "What runs at the cutoff goes on",
    "CANCEL_TASK": "What runs at the cutoff is cancelled",
}
_REBOOT: Final = {"RebootIfNeeded": "If the patches need it", "NoReboot": "Never"}
_OPERATIONS: Final = {"Scan": "Scan: report what is missing", "Install": "Install: install what is missing"}
_EVENTS: Final = {each: each for each in ("All", "InProgress", "Success", "TimedOut", "Cancelled", "Failed")}
_OFFSETS: Final = {"0": "The same day"} | {str(n): f"{n} day{'s' if n > 1 else ''} later" for n in range(1, 7)}
_EXPRESSION_LONGEST = 256  # characters, as AWS takes


@dataclass(frozen=True, slots=True)
class Previewed:
    """`openings`: the next ones, aware, in the window's zone; or `problem`: one sentence why there are none."""

    schedule: str
    timezone: str
    offset_days: int = 0
    openings: tuple[datetime, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class WindowForm:
    key: EnvironmentKey
    environment: Environment
    fields: Fields  # what stands in the inputs
    previewed: Previewed
    edited: str = ""  # the name of the window that is edited; empty where one is made


def window_modal(form: WindowForm, private: Mapping[str, Any]) -> Block:
    """`private` comes back with the submission and with every change: at most 3,000 characters of JSON."""
    blocks = [
        section(_about(form)),
        _typed("name", "Name", form, longest=128, hint="3 to 128 letters, digits and . _ -"),
        header("When"),
        *_schedule(form),
        *_preview(form.previewed),
        _number("duration_hours", "Duration in hours", form, 1, 24),
        _number("cutoff_hours", "Cutoff: hours before its end from which on nothing begins", form, 0, 23),
        header("What"),
        *_task(form),
        header("Output and notifications"),
        *_output(form),
    ]
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "title": plain_text("Edit a window" if form.edited else "Create a window", 24),
        "submit": plain_text("Save" if form.edited else "Create", 24),
        "close": plain_text("Cancel", 24),
        "private_metadata": json.dumps(private, separators=(",", ":")),
        "blocks": blocks,
    }


def _about(form: WindowForm) -> str:
    environment = form.environment
    production = "PRODUCTION · " if environment.production else ""
    where = f"*{production}{place(*form.key)}*, account {code(environment.account)}, {code(environment.region)}."
    if form.edited:
        return f"{where} Editing {code(form.edited, 130)}: what has no input here stays as it is."
    return f"{where} A window with one Run Command task. Nothing is made before you press Create."


def _schedule(form: WindowForm) -> list[Block]:
    """The inputs that the chosen rhythm needs, and no others."""
    rhythm = _value(form, RHYTHM) or Rhythm.WEEKLY
    blocks = [_select(RHYTHM, "How often it opens", form, _RHYTHMS)]
    if rhythm == Rhythm.NTH_WEEKDAY:
        positions = {each: f"The {name}" for each, name in POSITIONS.items()}
        blocks.append(_select(POSITION, "Which of the month", form, positions))
    if rhythm in (Rhythm.WEEKLY, Rhythm.NTH_WEEKDAY):
        blocks.append(_select(WEEKDAY, "Weekday", form, WEEKDAYS))
    if rhythm == Rhythm.DAY_OF_MONTH:
        blocks.append(_select(DAY, "Day of the month", form, {day: "The last" if day == "L" else day for day in DAYS}))
    if rhythm == Rhythm.TYPED:
        hint = "For example cron(0 2 ? * TUE#2 *), rate(7 days), at(2027-01-31T02:00:00). Press Enter for its preview."
        blocks.append(_typed(EXPRESSION, "Expression", form, longest=_EXPRESSION_LONGEST, hint=hint))
    else:
        blocks.append(_time(form))
    hint = "For example the Saturday after the second Tuesday: 4 days later. Not with rate(…) and at(…)."
    blocks.append(_select("schedule_offset", "Opens", form, _OFFSETS, hint=hint))
    hint = "An IANA name, for example Europe/Dublin. Press Enter for the preview."
    blocks.append(_typed("timezone", "Time zone", form, longest=64, hint=hint))
    return blocks


def _preview(previewed: Previewed) -> list[Block]:
    """In the window's own zone, and in the reader's."""
    later = f", {plural(previewed.offset_days, 'day')} later," if previewed.offset_days else ""
    of = f"{code(previewed.schedule, 260)}{later} in {code(previewed.timezone or 'UTC')}"
    lines = [f"*Opens next* by {of}"]
    lines += [f"• {at:%a %Y-%m-%d %H:%M %Z}, {when(at)} for you" for at in previewed.openings]
    if previewed.problem:
        lines = [f"*No preview* of {of}: {prose(previewed.problem)}"]
    shown = section("\n".join(lines))
    shown["block_id"] = "preview"
    again = actions(button("Show its next openings", PREVIEW, {}))
    return [shown, again, context("A preview: the times that AWS plans stand in the window's message once it exists.")]


def _task(form: WindowForm) -> list[Block]:
    production = form.environment.production
    offered = {"Scan": _OPERATIONS["Scan"]} if production else _OPERATIONS
    gate = "On production a window may only scan: installs go through the gate, with /patch install APP ENV window."
    hint = "A tag on each line, as in PatchGroup=nonprod; or instance_ids=i-…, i-…. All tags must match."
    return [
        _typed(TARGETS, "Targets", form, multiline=True, hint=hint),
        _typed("document", "Command document", form, longest=200),
        _select("operation", "Operation", form, offered, hint=gate if production else ""),
        _select("reboot_option", "Reboot after an Install", form, _REBOOT, optional=True),
        _number("priority", "Priority", form, 0, 2_147_483_647, hint="Tasks of a lower number run first."),
        _typed("max_concurrency", "Nodes at the same time", form, longest=7, hint="A number, or a share such as 50%"),
        _typed("max_errors", "Errors after which it stops", form, longest=7, hint="A number, or a share such as 10%"),
        _number("delivery_seconds", "Seconds in which a node must have begun", form, 30, 2_592_000),
        _select("cutoff_behavior", "At the cutoff", form, _CUTOFF),
        _typed("comment", "Comment", form, longest=100, optional=True),
    ]


def _output(form: WindowForm) -> list[Block]:
    role = "An IAM role's ARN. Without one, Systems Manager's own service-linked role."
    return [
        _typed("service_role_arn", "Service role of the task", form, optional=True, hint=role),
        _typed("s3_bucket", "S3 bucket for the output", form, longest=63, optional=True),
        _typed("s3_prefix", "Prefix in the bucket", form, longest=500, optional=True),
        _typed("sns_topic_arn", "SNS topic to notify", form, longest=400, optional=True, hint="A topic's ARN"),
        _several("sns_events", "Notify it of", form, _EVENTS),
        _typed(
            "sns_role_arn", "Role to publish with", form, optional=True, hint="A topic needs one: an IAM role's ARN."
        ),
    ]


def _input(name: str, label: str, element: Block, *, optional: bool = False, hint: str = "") -> Block:
    block: Block = {
        "type": "input",
        "block_id": name,
        "label": plain_text(label, 100),
        "element": {**element, "action_id": name},
    }
    if optional:
        block["optional"] = True
    if name in PREVIEWED:
        block["dispatch_action"] = True
    if hint:
        block["hint"] = plain_text(hint, 200)
    return block


def _typed(
    name: str,
    label: str,
    form: WindowForm,
    *,
    longest: int = 3000,
    multiline: bool = False,
    optional: bool = False,
    hint: str = "",
) -> Block:
    element: Block = {"type": "plain_text_input", "max_length": longest}
    if multiline:
        element["multiline"] = True
    if initial := _value(form, name)[:longest]:
        element["initial_value"] = initial
    return _input(name, label, element, optional=optional, hint=hint)


def _number(name: str, label: str, form: WindowForm, least: int, most: int, hint: str = "") -> Block:
    element: Block = {
        "type": "number_input",
        "is_decimal_allowed": False,
        "min_value": str(least),
        "max_value": str(most),
    }
    initial = _value(form, name)
    if initial.isdecimal() and initial.isascii():
        element["initial_value"] = initial
    return _input(name, label, element, hint=hint)


def _time(form: WindowForm) -> Block:
    return _input(
        TIME, "Time in the window's zone", {"type": "timepicker", "initial_time": _value(form, TIME) or "02:00"}
    )


def _select(
    name: str, label: str, form: WindowForm, offered: Mapping[str, str], *, optional: bool = False, hint: str = ""
) -> Block:
    element: Block = {"type": "static_select", "options": _options(offered)}
    if (initial := _value(form, name)) in offered:
        element["initial_option"] = _options({initial: offered[initial]})[0]
    return _input(name, label, element, optional=optional, hint=hint)


def _several(name: str, label: str, form: WindowForm, offered: Mapping[str, str]) -> Block:
    element: Block = {"type": "multi_static_select", "options": _options(offered)}
    value = form.fields.get(name, ())
    chosen = {each: offered[each] for each in ([] if isinstance(value, str) else value) if each in offered}
    if chosen:
        element["initial_options"] = _options(chosen)
    return _input(name, label, element, optional=True)


def _options(offered: Mapping[str, str]) -> list[Block]:
    return [{"text": plain_text(text, 75), "value": str(value)} for value, text in offered.items()]


def _value(form: WindowForm, name: str) -> str:
    value: str | Sequence[str] = form.fields.get(name, "")
    return value if isinstance(value, str) else ""
