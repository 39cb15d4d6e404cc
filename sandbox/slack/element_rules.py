"""What Slack allows in a block's elements: a table, an entry for each type (facts/slack.md "Block Kit").

Numbers come from there and, where it is silent, from the constants and docstrings of slack_sdk 3.47 `models.blocks`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from sandbox.slack.rules import Choice, Flag, Json, Kinds, Many, Number, Object, Problem, Rule, String, Text

ID = String(255)
URL = String(3000)
PLAIN = ("plain_text",)
EITHER = ("plain_text", "mrkdwn")

CONFIRM = Object(
    {"title": Text(100), "text": Text(300, EITHER), "confirm": Text(30), "deny": Text(30)},
    {"style": Choice(("primary", "danger"))},
)
SLACK_FILE = Object(
    {},
    {"id": String(255), "url": URL},
    lambda it, at: [] if ("id" in it) != ("url" in it) else [Problem(at, "must define either `id` or `url`")],
)


def option(kinds: tuple[str, ...] = PLAIN, **more: Rule) -> Object:
    return Object({"text": Text(75, kinds), "value": String(150)}, {"description": Text(75, kinds), **more})


OPTION = option()
RICH_OPTION = option(EITHER)
GROUP = Object({"label": Text(75), "options": Many(OPTION, 100)})


def one_picture(it: Json, at: str) -> Iterator[Problem]:
    if ("image_url" in it) == ("slack_file" in it):
        yield Problem(at, "must define either `image_url` or `slack_file`")


def _one_source(it: Json, at: str) -> Iterator[Problem]:
    if ("options" in it) == ("option_groups" in it):
        yield Problem(at, "must define either `options` or `option_groups`")


def _initial_is_offered(it: Json, at: str) -> Iterator[Problem]:
    groups = it.get("option_groups") or [{"options": it.get("options", [])}]
    offered = [choice for group in groups for choice in group["options"]]
    if it.get("initial_option") and it["initial_option"] not in offered:
        yield Problem(f"{at}/initial_option", "must be one of the options provided")
    for i, choice in enumerate(it.get("initial_options") or []):
        if choice not in offered:
            yield Problem(f"{at}/initial_options/{i}", "must be one of the options provided")


def _options_differ(it: Json, at: str) -> Iterator[Problem]:
    groups = it.get("option_groups") or [{"options": it.get("options", [])}]
    values = [choice["value"] for group in groups for choice in group["options"]]
    if len(set(values)) < len(values):
        yield Problem(at, "options must have distinct values")


def _lengths_in_order(it: Json, at: str) -> Iterator[Problem]:
    low, high = it.get("min_length") or 0, it.get("max_length") or 3000
    if low > high:
        yield Problem(at, "min_length must not be more than max_length")
    if it.get("initial_value") and not low <= len(it["initial_value"]) <= high:
        yield Problem(f"{at}/initial_value", "must be within min_length and max_length")


def _bounds_in_order(it: Json, at: str) -> Iterator[Problem]:
    low, high = it.get("min_value"), it.get("max_value")
    if low is not None and high is not None and float(low) > float(high):
        yield Problem(at, "min_value must not be more than max_value")


def _all(*checks: Callable[[Json, str], Iterable[Problem]]) -> Callable[[Json, str], Iterator[Problem]]:
    def also(it: Json, at: str) -> Iterator[Problem]:
        for check in checks:
            yield from check(it, at)

    return also


_CLICK: Mapping[str, Rule] = {"action_id": ID, "confirm": CONFIRM}
_FIELD: Mapping[str, Rule] = {"action_id": ID, "focus_on_load": Flag()}
_MENU: Mapping[str, Rule] = {**_FIELD, "confirm": CONFIRM, "placeholder": Text(150)}
_MULTI: Mapping[str, Rule] = {**_MENU, "max_selected_items": Number(1, 100)}
_TYPED: Mapping[str, Rule] = {
    **_FIELD,
    "placeholder": Text(150),
    "dispatch_action_config": Object(
        {"trigger_actions_on": Many(Choice(("on_enter_pressed", "on_character_entered")), 2)}
    ),
}
_GROUPED: Mapping[str, Rule] = {"options": Many(OPTION, 100), "option_groups": Many(GROUP, 100)}
_IDS = Many(ID, 100)
_DECIMAL = String(100, pattern=r"-?\d+(\.\d+)?")
_static = _all(_one_source, _initial_is_offered, _options_differ)
_listed = _all(_initial_is_offered, _options_differ)

IMAGE = Object({"alt_text": String(2000)}, {"image_url": URL, "slack_file": SLACK_FILE}, one_picture)

ELEMENTS: Mapping[str, Object] = {
    "button": Object(
        {"text": Text(75)},
        {
            **_CLICK,
            "url": URL,
            "value": String(2000),
            "style": Choice(("primary", "danger")),
            "accessibility_label": String(75),
        },
    ),
    "overflow": Object({"options": Many(option(url=URL), 5)}, _CLICK, _options_differ),
    "static_select": Object({}, {**_MENU, **_GROUPED, "initial_option": OPTION}, _static),
    "multi_static_select": Object({}, {**_MULTI, **_GROUPED, "initial_options": Many(OPTION, 100)}, _static),
    "users_select": Object({}, {**_MENU, "initial_user": ID}),
    "multi_users_select": Object({}, {**_MULTI, "initial_users": _IDS}),
    "channels_select": Object({}, {**_MENU, "initial_channel": ID, "response_url_enabled": Flag()}),
    "multi_channels_select": Object({}, {**_MULTI, "initial_channels": _IDS}),
    "conversations_select": Object(
        {},
        {
            **_MENU,
            "initial_conversation": ID,
            "default_to_current_conversation": Flag(),
            "response_url_enabled": Flag(),
        },
    ),
    "multi_conversations_select": Object(
        {}, {**_MULTI, "initial_conversations": _IDS, "default_to_current_conversation": Flag()}
    ),
    "checkboxes": Object(
        {"options": Many(RICH_OPTION, 10)},
        {**_FIELD, "confirm": CONFIRM, "initial_options": Many(RICH_OPTION, 10)},
        _listed,
    ),
    "radio_buttons": Object(
        {"options": Many(RICH_OPTION, 10)},
        {**_FIELD, "confirm": CONFIRM, "initial_option": RICH_OPTION},
        _listed,
    ),
    "datepicker": Object({}, {**_MENU, "initial_date": String(10, pattern=r"\d{4}-\d{2}-\d{2}")}),
    "timepicker": Object({}, {**_MENU, "initial_time": String(5, pattern=r"[0-2]\d:[0-5]\d"), "timezone": ID}),
    "datetimepicker": Object(
        {}, {**_FIELD, "confirm": CONFIRM, "initial_date_time": Number(1_000_000_000, 9_999_999_999)}
    ),
    "plain_text_input": Object(
        {},
        {
            **_TYPED,
            "initial_value": String(3000, min=0),
            "multiline": Flag(),
            "min_length": Number(0, 3000),
            "max_length": Number(1, 3000),
        },
        _lengths_in_order,
    ),
    "email_text_input": Object({}, {**_TYPED, "initial_value": String(3000, min=0)}),
    "url_text_input": Object({}, {**_TYPED, "initial_value": String(3000, min=0)}),
    "number_input": Object(
        {"is_decimal_allowed": Flag()},
        {**_TYPED, "initial_value": _DECIMAL, "min_value": _DECIMAL, "max_value": _DECIMAL},
        _bounds_in_order,
    ),
}

_TYPED_KINDS = ("plain_text_input", "email_text_input", "url_text_input", "number_input")
_MULTI_KINDS = tuple(kind for kind in ELEMENTS if kind.startswith("multi_"))
_SELECTS = ("static_select", "users_select", "channels_select", "conversations_select")


def _kinds(*names: str, **more: Rule) -> Kinds:
    return Kinds({**{name: ELEMENTS[name] for name in names}, **more})


IN_ACTIONS = _kinds(
    "button", "overflow", "checkboxes", "radio_buttons", "datepicker", "timepicker", "datetimepicker", *_SELECTS
)
IN_SECTION = _kinds(
    "button",
    "overflow",
    "checkboxes",
    "radio_buttons",
    "datepicker",
    "timepicker",
    *_SELECTS,
    *_MULTI_KINDS,
    image=IMAGE,
)
IN_INPUT = _kinds(
    "checkboxes",
    "radio_buttons",
    "datepicker",
    "timepicker",
    "datetimepicker",
    *_SELECTS,
    *_MULTI_KINDS,
    *_TYPED_KINDS,
)
IN_CONTEXT = Kinds({"image": IMAGE, "plain_text": Text(3000), "mrkdwn": Text(3000, ("mrkdwn",))})
