"""Messages that Slack refuses, drawn from facts/slack.md "Block Kit"; each breaks `well_formed.MESSAGE` once."""

from tests.unit.workspace.case import DELETE, Case
from tests.unit.workspace.well_formed import BUTTON, cell, option, text

RICH_CELL = {
    "type": "rich_text",
    "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}],
}
_LONG_TABLE = {"type": "table", "rows": [[cell("x" * 600) for _ in range(17)]]}

MESSAGE_CASES = [
    Case("no type", (0, "type"), DELETE, "missing required field: type [json-pointer:/blocks/0]"),
    Case("unknown type", (0, "type"), "paragraph", "unsupported type: paragraph [json-pointer:/blocks/0/type]"),
    Case("type no string", (0, "type"), 7, "unsupported type: 7 [json-pointer:/blocks/0/type]"),
    Case("block no object", (4,), "divider", "must be an object [json-pointer:/blocks/4]"),
    Case("unknown field", (4, "color"), "red", "invalid additional property: color [json-pointer:/blocks/4]"),
    Case(
        "block_id long",
        (0, "block_id"),
        "x" * 256,
        "must be less than 256 characters [json-pointer:/blocks/0/block_id]",
    ),
    Case("block_id twice", (10, "block_id"), "first", "`block_id` first already exists"),
    Case("alert in a message", (4,), {"type": "alert", "text": text()}, "unsupported type: alert"),
    Case("section empty", (10, "text"), DELETE, "must define either `text` or `fields` [json-pointer:/blocks/10]"),
    Case("section text long", (0, "text", "text"), "x" * 3001, "must be less than 3001 characters"),
    Case("section text empty", (0, "text", "text"), "", "must be more than 0 characters"),
    Case("section text a string", (0, "text"), "words", "must be a valid text object [json-pointer:/blocks/0/text]"),
    Case("section text markdown", (0, "text", "type"), "markdown", "must be one of plain_text, mrkdwn"),
    Case(
        "section text no text",
        (0, "text", "text"),
        DELETE,
        "missing required field: text [json-pointer:/blocks/0/text]",
    ),
    Case("text not a string", (0, "text", "text"), 5, "must provide a string [json-pointer:/blocks/0/text/text]"),
    Case("emoji in mrkdwn", (0, "text", "emoji"), True, "invalid additional property: emoji"),
    Case("verbatim in plain_text", (1, "text", "verbatim"), True, "invalid additional property: verbatim"),
    Case(
        "eleven fields", (0, "fields"), [text()] * 11, "no more than 10 items allowed [json-pointer:/blocks/0/fields]"
    ),
    Case("no fields", (0, "fields"), [], "no fewer than 1 items allowed [json-pointer:/blocks/0/fields]"),
    Case("field long", (0, "fields", 1, "text"), "x" * 2001, "must be less than 2001 characters"),
    Case("fields no array", (0, "fields"), text(), "must be an array [json-pointer:/blocks/0/fields]"),
    Case("accessory text input", (0, "accessory"), {"type": "plain_text_input"}, "unsupported type: plain_text_input"),
    Case(
        "header mrkdwn", (1, "text", "type"), "mrkdwn", "must be one of plain_text [json-pointer:/blocks/1/text/type]"
    ),
    Case("header long", (1, "text", "text"), "x" * 151, "must be less than 151 characters"),
    Case("header no text", (1, "text"), DELETE, "missing required field: text [json-pointer:/blocks/1]"),
    Case("context empty", (2, "elements"), [], "no fewer than 1 items allowed"),
    Case("context eleven", (2, "elements"), [text()] * 11, "no more than 10 items allowed"),
    Case(
        "context button",
        (2, "elements", 0),
        BUTTON,
        "unsupported type: button [json-pointer:/blocks/2/elements/0/type]",
    ),
    Case("context image no alt", (2, "elements", 1, "alt_text"), DELETE, "missing required field: alt_text"),
    Case("actions empty", (3, "elements"), [], "no fewer than 1 items allowed"),
    Case("actions 26", (3, "elements"), [{"type": "button", "text": text()}] * 26, "no more than 25 items allowed"),
    Case("actions text", (3, "elements", 0), text(), "unsupported type: plain_text"),
    Case("actions text input", (3, "elements", 0), {"type": "plain_text_input"}, "unsupported type: plain_text_input"),
    Case(
        "actions multi select",
        (3, "elements", 0),
        {"type": "multi_users_select"},
        "unsupported type: multi_users_select",
    ),
    Case("action_id twice", (3, "elements", 1, "action_id"), "go", "`action_id` go already exists for block"),
    Case("action_id long", (3, "elements", 0, "action_id"), "x" * 256, "must be less than 256 characters"),
    Case("button text long", (3, "elements", 0, "text", "text"), "x" * 76, "must be less than 76 characters"),
    Case("button mrkdwn", (3, "elements", 0, "text", "type"), "mrkdwn", "must be one of plain_text"),
    Case("button no text", (3, "elements", 0, "text"), DELETE, "missing required field: text"),
    Case("button value long", (3, "elements", 0, "value"), "x" * 2001, "must be less than 2001 characters"),
    Case("button value number", (3, "elements", 0, "value"), 1, "must provide a string"),
    Case("button url long", (3, "elements", 0, "url"), "https://" + "x" * 3000, "must be less than 3001 characters"),
    Case("button style", (3, "elements", 0, "style"), "warning", "must be a valid enum value"),
    Case("button unknown field", (3, "elements", 0, "disabled"), True, "invalid additional property: disabled"),
    Case("confirm no deny", (0, "accessory", "confirm", "deny"), DELETE, "missing required field: deny"),
    Case(
        "confirm title long",
        (0, "accessory", "confirm", "title", "text"),
        "x" * 101,
        "must be less than 101 characters",
    ),
    Case(
        "confirm text long", (0, "accessory", "confirm", "text", "text"), "x" * 301, "must be less than 301 characters"
    ),
    Case(
        "confirm yes long", (0, "accessory", "confirm", "confirm", "text"), "x" * 31, "must be less than 31 characters"
    ),
    Case("confirm no long", (0, "accessory", "confirm", "deny", "text"), "x" * 31, "must be less than 31 characters"),
    Case("confirm style", (0, "accessory", "confirm", "style"), "red", "must be a valid enum value"),
    Case("options 101", (3, "elements", 1, "options"), [option(str(n)) for n in range(101)], "no more than 100 items"),
    Case("options none", (3, "elements", 1, "options"), [], "no fewer than 1 items allowed"),
    Case("no options", (3, "elements", 1, "options"), DELETE, "must define either `options` or `option_groups`"),
    Case("options twice", (3, "elements", 1, "options", 1, "value"), "a", "options must have distinct values"),
    Case(
        "option text long",
        (3, "elements", 1, "options", 0, "text", "text"),
        "x" * 76,
        "must be less than 76 characters",
    ),
    Case("option text mrkdwn", (3, "elements", 1, "options", 0, "text", "type"), "mrkdwn", "must be one of plain_text"),
    Case("option value long", (3, "elements", 1, "options", 0, "value"), "x" * 151, "must be less than 151 characters"),
    Case("option no value", (3, "elements", 1, "options", 0, "value"), DELETE, "missing required field: value"),
    Case(
        "initial not offered", (3, "elements", 1, "initial_option"), option("z"), "must be one of the options provided"
    ),
    Case(
        "description long", (3, "elements", 1, "options", 1, "description"), text("x" * 76), "less than 76 characters"
    ),
    Case("placeholder long", (3, "elements", 1, "placeholder", "text"), "x" * 151, "must be less than 151 characters"),
    Case(
        "overflow six",
        (3, "elements", 2, "options"),
        [option(str(n)) for n in range(6)],
        "no more than 5 items allowed",
    ),
    Case("date form", (3, "elements", 3, "initial_date"), "20.11.2026", "must match the pattern"),
    Case("time form", (3, "elements", 4, "initial_time"), "9:30am", "must be less than 6 characters"),
    Case("datetime form", (3, "elements", 5, "initial_date_time"), "2026-11-20", "must provide an integer"),
    Case(
        "radio eleven",
        (3, "elements", 6, "options"),
        [option(str(n)) for n in range(11)],
        "no more than 10 items allowed",
    ),
    Case(
        "boxes eleven",
        (3, "elements", 7, "options"),
        [option(str(n)) for n in range(11)],
        "no more than 10 items allowed",
    ),
    Case("image no source", (5, "image_url"), DELETE, "must define either `image_url` or `slack_file`"),
    Case("image no alt", (5, "alt_text"), DELETE, "missing required field: alt_text [json-pointer:/blocks/5]"),
    Case("image url long", (5, "image_url"), "https://" + "x" * 3000, "must be less than 3001 characters"),
    Case("image alt long", (5, "alt_text"), "x" * 2001, "must be less than 2001 characters"),
    Case("image title long", (5, "title", "text"), "x" * 2001, "must be less than 2001 characters"),
    Case("image title mrkdwn", (5, "title", "type"), "mrkdwn", "must be one of plain_text"),
    Case("markdown long", (6, "text"), "x" * 12_001, "must be less than 12001 characters"),
    Case("markdown long in all", (4,), {"type": "markdown", "text": "x" * 12_000}, "markdown must be less than 12001"),
    Case("markdown text object", (6, "text"), text(), "must provide a string [json-pointer:/blocks/6/text]"),
    Case("table no rows", (7, "rows"), [], "no fewer than 1 items allowed [json-pointer:/blocks/7/rows]"),
    Case("table 101 rows", (7, "rows"), [[cell()]] * 101, "no more than 100 items allowed"),
    Case(
        "table 21 columns",
        (7, "rows"),
        [[cell()] * 21],
        "no more than 20 items allowed [json-pointer:/blocks/7/rows/0]",
    ),
    Case("table cell text", (7, "rows", 0, 0), text(), "unsupported type: plain_text"),
    Case("table cell empty", (7, "rows", 0, 0, "text"), "", "must be more than 0 characters"),
    Case("table align", (7, "column_settings", 0, "align"), "middle", "must be a valid enum value"),
    Case("table 21 settings", (7, "column_settings"), [None] * 21, "no more than 20 items allowed"),
    Case("two tables", (4,), {"type": "table", "rows": [[cell()]]}, "only one table allowed in a message"),
    Case("table long", (7,), _LONG_TABLE, "tables must be less than 10001 characters in all"),
    Case("data_table no caption", (8, "caption"), DELETE, "missing required field: caption"),
    Case("data_table caption long", (8, "caption"), "x" * 256, "must be less than 256 characters"),
    Case("data_table one row", (8, "rows"), [[cell()]], "no fewer than 2 items allowed"),
    Case("data_table 102 rows", (8, "rows"), [[cell()]] * 102, "no more than 101 items allowed"),
    Case("data_table 21 columns", (8, "rows"), [[cell()] * 21] * 2, "no more than 20 items allowed"),
    Case("data_table rich header", (8, "rows", 0, 0), RICH_CELL, "a header cell must not be rich_text"),
    Case("data_table row header", (8, "row_header_column_index"), 20, "must be between 0 and 19"),
    Case("data_table ragged", (8, "rows", 1), [cell()], "all rows must have the same number of cells"),
    Case("data_table page_size", (8, "page_size"), 101, "must be between 1 and 100"),
    Case("data_table page_size true", (8, "page_size"), True, "must provide an integer"),
    Case("rich_text no elements", (9, "elements"), DELETE, "missing required field: elements"),
    Case("rich_text text", (9, "elements", 0), {"type": "text", "text": "x"}, "unsupported type: text"),
    Case("rich_text style", (9, "elements", 0, "elements", 0, "style"), {"blink": True}, "invalid additional property"),
    Case("rich_text list style", (9, "elements", 1, "style"), "dash", "must be a valid enum value"),
    Case(
        "rich_text list of text", (9, "elements", 1, "elements", 0), {"type": "text", "text": "x"}, "unsupported type"
    ),
    Case(
        "rich_text user in code",
        (9, "elements", 2, "elements", 0),
        {"type": "user", "user_id": "U1"},
        "unsupported type",
    ),
]
