"""Plans: the answer to `/patch plan`, and what a change shows of its own."""

from collections.abc import Mapping
from typing import Any, Final

from bot.views.blocks import SECTION_LIMIT, Block, Rendered, header, message, section, sections
from bot.views.facts import NOT_PINNED
from bot.views.tables import Attachment
from bot.views.text import clip, command, escape, place, plain, prose
from patching.plan import PlanStep
from patching.plan_json import plan_of
from patching.plan_summary import summary
from patching.plan_text import plan_text
from storage.changes import Change

_FENCE: Final = "```"
_SHOWN: Final = 9_000  # characters of text, with what escaping adds; a message holds 12,000
_LINE: Final = 300  # before escaping; no line of a plan is as long as that
_NOTES_SHOWN: Final = 12


def plan_answer(payload: Mapping[str, Any], *, direct: bool = False) -> tuple[Rendered, Attachment | None]:
    """To the one who asked; `direct`: as a direct message, with the text as a file.

    `payload`: application, environment; error (optional): a sentence, where there is no plan. Otherwise as
    `scheduler.foreseen.report` gives it.
    """
    application, environment = str(payload["application"]), str(payload["environment"])
    where = place(application, environment)
    title = header(f"Plan · {application} {environment}")
    if payload.get("error"):
        said = f":x: *There is no plan for {where}*: {prose(str(payload['error']), 1000)}"
        return (f"Plan: none for {where}", [title, section(said)]), None
    text = answer_text(payload)
    lines = [f"*Asked for now, this would be done:* {prose(answer_summary(payload), 1500)}"]
    lines += [f":warning: {prose(note, 400)}" for note in answer_notes(payload)[:_NOTES_SHOWN]]
    install = command(f"install {application} {environment}")
    bound = "; its approval is bound to the plan that is made then" if payload["production"] else ""
    after = section(f"Nothing was asked for and nothing was sent. To ask: {install}{bound}.")
    fallback = f"Plan for {where}"
    if direct:
        file = Attachment(f"{plain(application, 60)}-{plain(environment, 60)}-plan.txt", f"Plan for {where}", text)
        return message(fallback, [title, *sections([*lines, "Every step is in the file."])]), file
    whole = [section("Every step is in the file that comes as a direct message.")] if payload["long"] else _fenced(text)
    return message(fallback, [title, *sections(lines), *whole, after]), None


def plan_lines(change: Change, where: str = "the thread") -> list[str]:
    """A change's plan in one sentence, with what was probably misspelt; nothing while there is none.

    `where` all of it stands: in the thread of the change's list, so nowhere while there is no list.
    """
    plan = _plan(change.parts or {})
    if not plan:
        return []
    whole = f" Every step is in {where}." if change.pins else ""
    doubts = [str(each) for each in (change.facts or {}).get("doubts", ())]
    return [
        f"*Plan*: {prose(summary(plan, _names_of(change)), 900)}{whole}",
        *(f":warning: {prose(doubt, 400)}" for doubt in doubts[:_NOTES_SHOWN]),
    ]


def plan_file(change: Change) -> Attachment | None:
    """Every step of a change's plan."""
    plan = _plan(change.parts or {})
    if not plan:
        return None
    heading = f"{change.ref}: Install on {change.application} {change.environment}"
    text = plan_text(plan, _names_of(change), heading, production=True)
    return Attachment(f"{change.ref}-plan.txt", f"The plan of {change.ref}", text)


def answer_text(payload: Mapping[str, Any]) -> str:
    """The whole plan of an answer that has one."""
    heading = f"Install on {payload['application']} {payload['environment']}"
    return plan_text(_plan(payload), _names(payload), heading, production=bool(payload["production"]))


def answer_summary(payload: Mapping[str, Any]) -> str:
    return summary(_plan(payload), _names(payload))


def answer_notes(payload: Mapping[str, Any]) -> list[str]:
    """What somebody should know beside the plan, most of all what was probably misspelt."""
    unpinned = payload["production"] and not any(step.pinned for step in _plan(payload))
    offered = f"{NOT_PINNED}: nodes install what their repositories offer at that moment, not a proven list."
    return [*([offered] if unpinned else []), *map(str, payload["notes"])]


def _plan(stored: Mapping[str, Any]) -> tuple[PlanStep, ...]:
    return plan_of(stored.get("plan"))


def _names_of(change: Change) -> dict[str, str]:
    return {str(node_id): str(name) for node_id, name in (change.facts or {}).get("names", {}).items()}


def _names(payload: Mapping[str, Any]) -> dict[str, str]:
    return {str(node["id"]): str(node["name"]) for node in payload["nodes"]}


def _fenced(text: str) -> list[Block]:
    """As monospace, in as many sections as it takes; what a message has no room for is left out line by line."""
    packed: list[str] = []
    used = 0
    for line in text.splitlines():
        shown = escape(clip(line.replace("`", "'"), _LINE))
        used += len(shown) + 1
        if used > _SHOWN:
            packed[-1] += "\n…"
            break
        if packed and len(packed[-1]) + len(shown) + 3 * len(_FENCE) <= SECTION_LIMIT:
            packed[-1] += f"\n{shown}"
        else:
            packed.append(shown)
    return [section(f"{_FENCE}\n{part}\n{_FENCE}") for part in packed]
