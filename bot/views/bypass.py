"""What would install on production past the gate: the warning to those affected, and the way to bring it under it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.views.blocks import Rendered, header, message, sections
from bot.views.mail import Email, email
from bot.views.text import code, command, listed, place, plural, prose, when
from bot.views.window_notices import mentioned
from patching.nodes import EnvironmentKey


def bypass_warning(
    payload: Mapping[str, Any], *, stands: bool, read_at: datetime, groups: Sequence[str] = ()
) -> Rendered:
    """To the channel, and to each who is affected. `payload` as `scheduler.bypasses` owes it.

    `stands`: it is still so, by the newest reading; `read_at`: when it was seen first; `groups`: user groups to
    mention.
    """
    headline = _headline(payload, stands)
    title = f"PRODUCTION · {headline} · {payload['application']} {payload['environment']}"
    where = place(str(payload["application"]), str(payload["environment"]))
    lines = [*_lines(payload, stands, read_at), *mentioned(groups)]
    return message(f"PRODUCTION · {headline}: {where}", [header(title), *sections(lines)])


def email_bypass(payload: Mapping[str, Any], *, stands: bool, read_at: datetime) -> Email:
    subject = f"{_headline(payload, stands)}: PRODUCTION {payload['application']} {payload['environment']}"
    return email(subject, _lines(payload, stands, read_at))


def way_under_the_gate(kind: str, key: EnvironmentKey, id: str = "") -> str:
    """What to do about a maintenance window, an association or a patch policy that installs on production.

    `id`: the window's, as the environment may have several.
    """
    ask = f"installs then go through {command(f'install {key} window')}"
    if kind == "maintenance window":
        return (
            f"To bring it under the gate, set its task's Operation to Scan: {command(f'window edit {key} {id}')}, or "
            f"in Systems Manager, Maintenance Windows; {ask}."
        )
    place_to_go = "Quick Setup" if kind == "patch policy" else "State Manager"
    return (
        f"To bring it under the gate, set its Operation to Scan or take it off these nodes, in Systems Manager, "
        f"{place_to_go}; {ask}."
    )


def doing_words(doing: Sequence[Sequence[str]]) -> str:
    """`[(document, Install or unknown)]`: `AWS-RunPatchBaseline (Install)`."""
    return listed([f"{code(document)} ({operation_words(operation)})" for document, operation in doing])


def installs(operations: Sequence[str]) -> str:
    """The verb for what does not only scan."""
    return "installs" if "Install" in operations else "may install"


def operation_words(operation: str) -> str:
    return "Scan or Install, nobody can tell" if operation == "unknown" else operation


def _headline(payload: Mapping[str, Any], stands: bool) -> str:
    kind = str(payload["kind"])
    if not stands:
        return f"{kind.capitalize()} past the gate: no longer as it was"
    return f"{kind.capitalize()} {installs([operation for _, operation in payload['doing']])} past the gate"


def _lines(payload: Mapping[str, Any], stands: bool, read_at: datetime) -> list[str]:
    kind, key = str(payload["kind"]), EnvironmentKey(str(payload["application"]), str(payload["environment"]))
    what = f"The {kind} {code(str(payload['name']))} ({code(str(payload['id']))})"
    count = payload["nodes"]
    nodes = "nodes that a resource group chooses, perhaps some" if count is None else plural(int(count), "node")
    work = f"{doing_words(payload['doing'])} on {nodes} of *{place(*key)}*"
    if not stands:
        now = f"{command(f'windows {key.application}')} shows what is planned now."
        return [f"{what} was to run {work}, as AWS said {when(read_at)}. It was changed or taken away since; {now}"]
    next_at = f" It opens next {when(datetime.fromisoformat(payload['next_at']))}." if payload["next_at"] else ""
    zone = f" Its schedule is in {prose(str(payload['timezone']), 60)}." if next_at else ""
    return [
        f":warning: {what} runs {work}, as AWS said {when(read_at)}.{next_at}{zone}",
        "It asks nobody: no patch is compared with what non-production runs, nobody approves, no freeze stops it.",
        way_under_the_gate(kind, key, str(payload["id"])),
    ]
