"""What a terminal shows: the same views as plain text, with whole tables and times in the reader's own zone."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from bot.views.blocks import Block, Rendered
from bot.views.change import change_card
from bot.views.compare import compare_evidence, compare_rows, compare_summary
from bot.views.plan import answer_notes, answer_summary, answer_text, plan_answer, plan_file
from bot.views.replies import render
from bot.views.run import DETAIL_TITLES, detail_rows, run_card, shown_version
from bot.views.tables import aligned
from bot.views.text import plain, unmarked, user
from commands.replies import ChangeStatus, Compared, Reply, RunStatus
from commands.reports import ChangeReport, RunReport

_DATE = re.compile(r"<!date\^([0-9]+)\^[^|>]*\|[^>]*>")
_GROUP = re.compile(r"<!subteam\^(S[A-Z0-9]+)>")
_GAP = re.compile(r"\n{3,}")
_TYPED = re.compile(r"/patch (?=([a-z]+)\b)")


@dataclass(frozen=True, slots=True)
class Screen:
    """`zone`: None for the machine's own. `offered`: the subcommands that can be typed here as `patchgate …`."""

    zone: tzinfo | None
    offered: Collection[str]

    def reply(self, reply: Reply) -> str:
        match reply:
            case Compared():
                headers, rows = compare_rows(reply)
                above, below = compare_summary(reply), [compare_evidence(reply)]
                return self._page(self._texts(above), _table(headers, rows), self._texts(below))
            case RunStatus():
                return self.run(reply.report)
            case ChangeStatus():
                return self.change(reply.report)
            case _:
                return self.message(render(reply))

    def run(self, report: RunReport) -> str:
        """Its card, every node, and every patch that is missing, was installed or deviates."""
        what, headers, rows = detail_rows(report)
        nodes = [(node.name, node.id, node.state, node.detail) for node in report.nodes]
        return self._page(
            self._texts(run_card(report)[1]),
            _table(("Node", "Id", "State", "Detail"), nodes),
            [f"{DETAIL_TITLES[what].format(ref=report.run.ref)}:"] if rows else [],
            _table(headers, rows),
        )

    def change(self, report: ChangeReport) -> str:
        """Its card, the whole list, and every step of its plan."""
        rows = [(pin.id, shown_version(pin)) for pin in report.change.pins or ()]
        return self._page(
            self._texts(change_card(report)[1]),
            [f"The list of {report.change.ref}:"] if rows else [],
            _table(("Patch", "Version"), rows),
            [_inert(file.content)] if (file := plan_file(report.change)) else [],
        )

    def plan(self, payload: Mapping[str, Any]) -> str:
        """The answer to `plan`, with every step."""
        if payload.get("error"):
            return self.message(plan_answer(payload)[0])
        above = [answer_summary(payload), *answer_notes(payload)]
        return self._page([*map(_inert, above)], [_inert(answer_text(payload))])

    def message(self, rendered: Rendered) -> str:
        return self._page(self._texts(rendered[1]))

    def sentence(self, sentence: str, person: str | None = None) -> str:
        """A refusal's; `{person}` in it stands for the Slack user `person`."""
        return self.line(sentence.replace("{person}", user(person)) if person else sentence)

    def line(self, markup: str) -> str:
        """Our own markup as one or more lines of plain text."""
        dated = _DATE.sub(lambda found: self._when(int(found[1])), markup)
        text = unmarked(_GROUP.sub(r"\1", dated))
        typed = _TYPED.sub(lambda found: "patchgate " if found[1] in self.offered else found[0], text)
        return _inert(typed)

    def _when(self, seconds: int) -> str:
        return datetime.fromtimestamp(seconds, UTC).astimezone(self.zone).isoformat(sep=" ", timespec="minutes")

    def _texts(self, blocks: Iterable[Block]) -> list[str]:
        """What is to be read in blocks; buttons are for Slack."""
        lines = []
        for block in blocks:
            match block["type"]:
                case "header":
                    lines += [_inert(block["text"]["text"]), ""]
                case "section":
                    lines.append(self.line(block["text"]["text"]))
                case "context":
                    lines += [self.line(element["text"]) for element in block["elements"]]
                case "table":
                    lines += aligned([[plain(cell["text"], 200) for cell in row] for row in block["rows"]])
                case "divider":
                    lines.append("")
        return lines

    def _page(self, *parts: Sequence[str]) -> str:
        return _GAP.sub("\n\n", "\n\n".join("\n".join(part).strip("\n") for part in parts if part))


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Every row in full, or nothing."""
    cells = [[plain(cell, max(1, len(cell))) or "–" for cell in row] for row in (headers, *rows)]
    return list(aligned(cells)) if rows else []


def _inert(text: str) -> str:
    """What a terminal would take for a command of its own is shown as a space."""
    return "".join(letter if letter == "\n" or letter.isprintable() else " " for letter in text)
