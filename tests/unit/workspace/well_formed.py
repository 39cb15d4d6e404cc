"""A well-formed payload for every surface: the twins of the malformed ones."""

from typing import Any

Json = dict[str, Any]


def text(words: str = "words", kind: str = "plain_text") -> Json:
    return {"type": kind, "text": words}


def option(value: str = "a", words: str = "An option") -> Json:
    return {"text": text(words), "value": value}


def select(**more: object) -> Json:
    return {"type": "static_select", "options": [option("a"), option("b")], **more}


def cell(words: str = "cell") -> Json:
    return {"type": "raw_text", "text": words}


CONFIRM = {"title": text(), "text": text(kind="mrkdwn"), "confirm": text("Yes"), "deny": text("No"), "style": "danger"}
BUTTON = {
    "type": "button",
    "action_id": "go",
    "text": text("Go"),
    "value": "1",
    "style": "primary",
    "confirm": CONFIRM,
}

MESSAGE: list[Json] = [
    {
        "type": "section",
        "block_id": "first",
        "text": text("*words*", "mrkdwn"),
        "fields": [text(kind="mrkdwn"), text()],
        "accessory": BUTTON,
    },
    {"type": "header", "text": text("A title")},
    {
        "type": "context",
        "elements": [text(kind="mrkdwn"), {"type": "image", "image_url": "https://x", "alt_text": "x"}],
    },
    {
        "type": "actions",
        "block_id": "deeds",
        "elements": [
            BUTTON,
            select(action_id="pick", placeholder=text("Pick"), initial_option=option("a")),
            {"type": "overflow", "action_id": "more", "options": [{**option(), "url": "https://x"}]},
            {"type": "datepicker", "action_id": "day", "initial_date": "2026-11-20"},
            {"type": "timepicker", "action_id": "time", "initial_time": "09:30"},
            {"type": "datetimepicker", "action_id": "when", "initial_date_time": 1_795_000_000},
            {"type": "radio_buttons", "action_id": "one", "options": [option("a"), option("b")]},
            {"type": "checkboxes", "action_id": "some", "options": [option("a"), option("b")]},
            {"type": "users_select", "action_id": "who", "placeholder": text("Who")},
        ],
    },
    {"type": "divider"},
    {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "A chart", "title": text()},
    {"type": "markdown", "text": "**words**"},
    {
        "type": "table",
        "rows": [[cell("a"), cell("b")], [cell(), {"type": "raw_number", "value": 3, "text": "3"}]],
        "column_settings": [{"align": "right", "is_wrapped": True}, None],
    },
    {"type": "data_table", "caption": "Nodes", "page_size": 10, "rows": [[cell(), cell()], [cell(), cell()]]},
    {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [
                    {"type": "text", "text": "bold", "style": {"bold": True}},
                    {"type": "user", "user_id": "U1"},
                ],
            },
            {
                "type": "rich_text_list",
                "style": "bullet",
                "elements": [{"type": "rich_text_section", "elements": [{"type": "link", "url": "https://x"}]}],
            },
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "code"}]},
        ],
    },
    {"type": "section", "block_id": "last", "text": text(kind="mrkdwn")},
]


def field(block_id: str, element: Json, **more: object) -> Json:
    return {"type": "input", "block_id": block_id, "label": text("Label"), "element": element, **more}


MODAL: Json = {
    "type": "modal",
    "callback_id": "ask",
    "title": text("A title"),
    "submit": text("Send"),
    "close": text("Cancel"),
    "private_metadata": "x",
    "notify_on_close": True,
    "blocks": [
        field(
            "reason",
            {"type": "plain_text_input", "action_id": "text", "multiline": True, "min_length": 3, "max_length": 100},
            hint=text("Why"),
        ),
        field("choice", select(action_id="pick", initial_option=option("b"))),
        field("many", {**select(action_id="many"), "type": "multi_static_select", "max_selected_items": 2}),
        field("count", {"type": "number_input", "action_id": "n", "is_decimal_allowed": False, "min_value": "1"}),
        field("mail", {"type": "email_text_input", "action_id": "mail"}, optional=True),
        field("day", {"type": "datepicker", "action_id": "day", "focus_on_load": True}, optional=True),
        {"type": "alert", "text": text("Careful"), "level": "warning"},
        {"type": "section", "text": text("Words", "mrkdwn"), "accessory": BUTTON},
    ],
}
HOME: Json = {
    "type": "home",
    "callback_id": "home",
    "blocks": [{"type": "header", "text": text()}, {"type": "actions", "elements": [BUTTON]}],
}
