"""The card of an order for a maintenance window: what was asked, what became of it, when the window opens next."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from bot.views.blocks import Rendered, context, header, message, sections
from bot.views.text import code, command, place, plural, prose, user, when
from patching.durations import words
from patching.model import Operation
from patching.states import OrderState
from patching.window_spec import WindowSpec
from storage.window_orders import Action, WindowOrder

_ASKED: Final[Mapping[Action, str]] = {
    Action.CREATE: "To be created",
    Action.EDIT: "To be edited",
    Action.ENABLE: "To be enabled",
    Action.DISABLE: "To be disabled",
    Action.DELETE: "To be deleted",
}
_DONE: Final[Mapping[Action, str]] = {
    Action.CREATE: "Created",
    Action.EDIT: "Edited",
    Action.ENABLE: "Enabled",
    Action.DISABLE: "Disabled",
    Action.DELETE: "Deleted",
}
_OPENS: Final = (Action.CREATE, Action.EDIT, Action.ENABLE)


def window_order_card(order: WindowOrder) -> Rendered:
    """One message, shown again when the order has ended or had to be put off."""
    name = order.spec.name if order.spec else order.window_name
    where = place(*order.key)
    lines = [_outcome(order, name)]
    if order.state is not OrderState.REQUESTED and order.note:
        lines.append(prose(order.note, 1200))
    if order.spec and order.state is not OrderState.FAILED:
        lines += settings_lines(order.spec)
    if order.state is OrderState.DONE:
        lines += _afterwards(order)
    title = header(f"Maintenance window · {order.key.application} {order.key.environment}")
    asked = context(f"Asked for by {user(order.requested_by)}, {when(order.requested_at)} · {order.ref}")
    return message(f"Maintenance window of {where}: {_short(order)}", [title, *sections(lines), asked])


def settings_lines(spec: WindowSpec) -> list[str]:
    """What a window is to be, for people: when, where, and what it does."""
    offset = f", {plural(spec.schedule_offset, 'day')} later" if spec.schedule_offset else ""
    last = (
        f"nothing begins in its last {spec.cutoff_hours} h"
        if spec.cutoff_hours
        else "something may begin until its end"
    )
    stays = "is let go on" if spec.cutoff_behavior == "CONTINUE_TASK" else "is cancelled"
    lines = [
        f"*When:* {code(spec.schedule, 260)}{offset} in {code(spec.timezone)}, for {spec.duration_hours} h; {last}, "
        f"and what runs then {stays}."
    ]
    if spec.start_date or spec.end_date:
        begins = f" from {when(spec.start_date)}" if spec.start_date else ""
        ends = f" until {when(spec.end_date)}" if spec.end_date else ""
        lines.append(f"*Only*{begins}{ends}.")
    chosen = "; ".join(f"{code(key, 140)} {_several(values)}" for key, values in spec.targets.items())
    lines.append(f"*Where:* {chosen}; {_rate(spec)}.")
    reboot = f" with {code(spec.reboot_option)}" if spec.reboot_option else ""
    version = f" version {code(spec.document_version)}" if spec.document_version else ""
    lines.append(f"*What:* *{spec.operation}* by {code(spec.document, 200)}{version}{reboot}{_more(spec)}.")
    if spec.operation is Operation.INSTALL:
        lines.append(":warning: It installs without asking anybody: whatever the baseline approves by then.")
    return lines


def _outcome(order: WindowOrder, name: str) -> str:
    window = f"{code(name, 128)} ({code(order.window_id)})" if order.window_id else code(name, 128)
    if order.state is OrderState.DONE:
        return f":white_check_mark: *{_DONE[order.action]}:* {window}{_ended(order)}."
    if order.state is OrderState.FAILED:
        return f":x: *Not {_DONE[order.action].lower()}:* {window}."
    if order.note:
        waits = f", tried again {when(order.not_before)}" if order.not_before else ""
        return f":warning: *{_ASKED[order.action]}*{waits}: {window}. {prose(order.note, 600)}"
    return f"*{_ASKED[order.action]}:* {window}. AWS has not answered yet."


def _short(order: WindowOrder) -> str:
    match order.state:
        case OrderState.DONE:
            return _DONE[order.action].lower()
        case OrderState.FAILED:
            return f"not {_DONE[order.action].lower()}"
        case _:
            return _ASKED[order.action].lower()


def _ended(order: WindowOrder) -> str:
    took = order.ended_at - order.requested_at if order.ended_at else None
    return f", {words(took)} after it was asked for" if took and took.total_seconds() >= 60 else ""


def _afterwards(order: WindowOrder) -> list[str]:
    """As AWS told it when the order was done."""
    if order.action is Action.DISABLE:
        return [
            "It no longer opens: nothing of it runs, and changes that wait for it don't start in it. "
            f"→ Let it open again: {_enable(order)}"
        ]
    if order.action is Action.DELETE:
        return ["It is gone, with its targets and its task; what it ran before stays in the records of AWS."]
    known = order.progress
    if order.action is Action.EDIT and known.get("enabled") is False:
        return [f"It is disabled, and stays so. → Let it open: {_enable(order)}"]
    if known.get("error"):
        return [f":warning: When it opens could not be read: {prose(str(known['error']), 400)}"]
    times = [when(datetime.fromisoformat(str(each))) for each in known.get("next", ())]
    if not times:
        return [":warning: *AWS plans no execution of it.* → Check its schedule and its dates."]
    return [f"*It opens next, as AWS plans it:* {'; '.join(times)}."]


def _enable(order: WindowOrder) -> str:
    return command(f"window enable {order.key}")


def _several(values: tuple[str, ...]) -> str:
    shown = ", ".join(code(value, 60) for value in values[:5])
    return f"{shown} and {len(values) - 5:,} more" if len(values) > 5 else shown


def _rate(spec: WindowSpec) -> str:
    at_once = spec.max_concurrency if "%" in spec.max_concurrency else plural(int(spec.max_concurrency), "node")
    errors = spec.max_errors if "%" in spec.max_errors else f"{int(spec.max_errors):,}"
    return f"at most {at_once} at once, and no further one after more than {errors} errors"


def _more(spec: WindowSpec) -> str:
    """What few windows have, in few words."""
    parts = [
        f"comment {code(spec.comment, 100)}" if spec.comment else "",
        f"priority {spec.priority}" if spec.priority != 1 else "",
        f"role {code(spec.service_role_arn, 200)}" if spec.service_role_arn else "",
        f"output to {code(f's3://{spec.s3_bucket}/{spec.s3_prefix}', 300)}" if spec.s3_bucket else "",
        "output to CloudWatch" if spec.cloudwatch_output else "",
        f"news to {code(spec.sns_topic_arn, 200)}" if spec.sns_topic_arn else "",
        *(f"{code(name, 60)} {_several(values)}" for name, values in list(spec.parameters.items())[:5]),
    ]
    given = [part for part in parts if part]
    return f"; {'; '.join(given)}" if given else ""
