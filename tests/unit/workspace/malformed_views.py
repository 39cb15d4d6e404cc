"""Modals and Home tabs that Slack refuses; each breaks `well_formed.MODAL` or `HOME` once."""

from tests.unit.workspace.case import DELETE, Case
from tests.unit.workspace.well_formed import BUTTON, cell, option, text

_LONG_GROUP = {"type": "static_select", "option_groups": [{"label": text("x" * 76), "options": [option()]}]}
_GROUPS = [{"label": text(), "options": [option(str(number))]} for number in range(101)]

MODAL_CASES = [
    Case("no title", ("title",), DELETE, "missing required field: title [json-pointer:/view]"),
    Case("title long", ("title", "text"), "x" * 25, "must be less than 25 characters [json-pointer:/view/title/text]"),
    Case("title mrkdwn", ("title", "type"), "mrkdwn", "must be one of plain_text"),
    Case("submit long", ("submit", "text"), "x" * 25, "must be less than 25 characters"),
    Case("close long", ("close", "text"), "x" * 25, "must be less than 25 characters"),
    Case("no submit", ("submit",), DELETE, "must be provided when an input block is used"),
    Case("no blocks", ("blocks",), DELETE, "missing required field: blocks"),
    Case("blocks none", ("blocks",), [], "no fewer than 1 items allowed"),
    Case("blocks 101", ("blocks",), [{"type": "divider"}] * 101, "no more than 100 items allowed"),
    Case("metadata long", ("private_metadata",), "x" * 3001, "must be less than 3001 characters"),
    Case("callback_id long", ("callback_id",), "x" * 256, "must be less than 256 characters"),
    Case("unknown field", ("colour",), "red", "invalid additional property: colour [json-pointer:/view]"),
    Case("flag a string", ("notify_on_close",), "yes", "must be a boolean"),
    Case("a home", ("type",), "home", "must be modal [json-pointer:/view/type]"),
    Case("table", ("blocks", 6), {"type": "table", "rows": [[cell()]]}, "unsupported type: table"),
    Case("data_table", ("blocks", 6), {"type": "data_table"}, "unsupported type: data_table"),
    Case("markdown", ("blocks", 6), {"type": "markdown", "text": "x"}, "unsupported type: markdown"),
    Case("alert level", ("blocks", 6, "level"), "fatal", "must be a valid enum value"),
    Case("input no label", ("blocks", 0, "label"), DELETE, "missing required field: label"),
    Case("label mrkdwn", ("blocks", 0, "label", "type"), "mrkdwn", "must be one of plain_text"),
    Case("label long", ("blocks", 0, "label", "text"), "x" * 2001, "must be less than 2001 characters"),
    Case("hint long", ("blocks", 0, "hint", "text"), "x" * 2001, "must be less than 2001 characters"),
    Case("input no element", ("blocks", 0, "element"), DELETE, "missing required field: element"),
    Case("input button", ("blocks", 0, "element"), BUTTON, "unsupported type: button"),
    Case("min over max", ("blocks", 0, "element", "min_length"), 101, "min_length must not be more than max_length"),
    Case("max_length 3001", ("blocks", 0, "element", "max_length"), 3001, "must be between 1 and 3000"),
    Case("initial_value long", ("blocks", 0, "element", "initial_value"), "x" * 101, "must be within min_length"),
    Case("placeholder long", ("blocks", 0, "element", "placeholder"), text("x" * 151), "less than 151 characters"),
    Case("address long", ("blocks", 4, "element", "initial_value"), "x" * 3001, "must be less than 3001 characters"),
    Case("group label long", ("blocks", 1, "element"), _LONG_GROUP, "must be less than 76 characters"),
    Case(
        "groups 101", ("blocks", 1, "element"), {"type": "static_select", "option_groups": _GROUPS}, "no more than 100"
    ),
    Case("alert long", ("blocks", 6, "text", "text"), "x" * 3001, "must be less than 3001 characters"),
    Case("no item to select", ("blocks", 2, "element", "max_selected_items"), 0, "must be between 1 and 100"),
    Case("decimal unsaid", ("blocks", 3, "element", "is_decimal_allowed"), DELETE, "missing required field"),
    Case("min_value no number", ("blocks", 3, "element", "min_value"), "one", "must match the pattern"),
    Case("two in focus", ("blocks", 0, "element", "focus_on_load"), True, "only one element may have focus_on_load"),
    Case("block_id twice", ("blocks", 1, "block_id"), "reason", "`block_id` reason already exists"),
]

HOME_CASES = [
    Case("a modal", ("type",), "modal", "must be home [json-pointer:/view/type]"),
    Case("title", ("title",), text(), "invalid additional property: title"),
    Case("submit", ("submit",), text(), "invalid additional property: submit"),
    Case("alert", ("blocks", 0), {"type": "alert", "text": text()}, "unsupported type: alert"),
    Case("table", ("blocks", 0), {"type": "table", "rows": [[cell()]]}, "unsupported type: table"),
    Case("markdown", ("blocks", 0), {"type": "markdown", "text": "x"}, "unsupported type: markdown"),
    Case("blocks 101", ("blocks",), [{"type": "divider"}] * 101, "no more than 100 items allowed"),
]
