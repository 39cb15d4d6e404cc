"""What a person did with an element, in the form in which Slack tells the bot: actions, and a surface's state."""

import re
from collections.abc import Mapping, Sequence

from sandbox.slack.blocks import elements_of
from sandbox.slack.rules import Json

_KEY = {
    "button": "value",
    "overflow": "selected_option",
    "static_select": "selected_option",
    "radio_buttons": "selected_option",
    "multi_static_select": "selected_options",
    "checkboxes": "selected_options",
    "users_select": "selected_user",
    "multi_users_select": "selected_users",
    "channels_select": "selected_channel",
    "multi_channels_select": "selected_channels",
    "conversations_select": "selected_conversation",
    "multi_conversations_select": "selected_conversations",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "plain_text_input": "value",
    "email_text_input": "value",
    "url_text_input": "value",
    "number_input": "value",
}
"""Under which key each element's value stands, in an action and in a state."""

_STATELESS = ("button", "overflow")
_EMAIL = r"[^@\s]+@[^@\s]+\.[^@\s]+"


class NotOffered(Exception):
    """The person chose what the element doesn't offer, or named an element that isn't there."""


def find(blocks: Sequence[Json], block_id: object, action_id: object) -> Json:
    for block in blocks:
        for element in elements_of(block):
            if (block.get("block_id"), element.get("action_id")) == (block_id, action_id):
                return element
    raise NotOffered(f"no element {action_id!r} in block {block_id!r}")


def action(element: Json, block_id: str, given: Mapping[str, object], ts: str) -> Json:
    """One entry of `actions`. A button's value and text are the message's own, whatever the person sent."""
    done: Json = {"type": element["type"], "action_id": element["action_id"], "block_id": block_id, "action_ts": ts}
    if element["type"] == "button":
        own = {name: element[name] for name in ("value", "text", "style", "url") if name in element}
        return done | own
    return done | _value(element, given)


def state(blocks: Sequence[Json], given: Mapping[str, Mapping[str, Mapping[str, object]]]) -> Json:
    """`state.values`: what every input holds, its initial value where the person gave none."""
    values: Json = {}
    for block in blocks:
        for element in elements_of(block):
            if element["type"] not in _STATELESS:
                block_id, action_id = block["block_id"], element["action_id"]
                entered = given.get(block_id, {}).get(action_id)
                value = _initial(element) if entered is None else _value(element, entered)
                values.setdefault(block_id, {})[action_id] = {"type": element["type"], **value}
    return values


def unfit(blocks: Sequence[Json], values: Json) -> dict[str, str]:
    """What Slack's own form says before it submits, by block_id: empty, too short, too long, no number, no address."""
    errors = {}
    for block in blocks:
        if block["type"] == "input":
            element = block["element"]
            entered = values[block["block_id"]][element["action_id"]]
            complaint = _complaint(element, entered[_KEY[element["type"]]], bool(block.get("optional")))
            if complaint:
                errors[block["block_id"]] = complaint
    return errors


def _complaint(element: Json, value: object, optional: bool) -> str | None:
    if value in (None, "", []):
        return None if optional else "Please complete this required field."
    if element["type"] == "plain_text_input":
        length = len(str(value))
        low, high = element.get("min_length", 0), element.get("max_length", 3000)
        if not low <= length <= high:
            return f"This field takes {low} to {high} characters; you entered {length}."
    if element["type"] == "number_input":
        return _number_complaint(element, str(value))
    if element["type"] == "email_text_input" and not re.fullmatch(_EMAIL, str(value)):
        return "Please enter a valid email address."
    if element["type"] == "url_text_input" and not re.fullmatch(r"https?://\S+", str(value)):
        return "Please enter a valid URL."
    return None


def _number_complaint(element: Json, value: str) -> str | None:
    pattern = r"-?\d+(\.\d+)?" if element["is_decimal_allowed"] else r"-?\d+"
    if not re.fullmatch(pattern, value):
        return "Please enter a valid number."
    low, high = element.get("min_value", "-inf"), element.get("max_value", "inf")
    if not float(low) <= float(value) <= float(high):
        return f"Please enter a number from {low} to {high}."
    return None


def _initial(element: Json) -> Json:
    key = _KEY[element["type"]]
    empty: list[str] | None = [] if key.endswith("s") else None
    return {key: element.get("initial_" + key.removeprefix("selected_"), empty)}


def _value(element: Json, given: Mapping[str, object]) -> Json:
    key = _KEY[element["type"]]
    value = given.get(key)
    if key == "selected_option":
        return {key: None if value is None else _offered(element, value)}
    if key == "selected_options":
        return {key: [_offered(element, item) for item in value] if isinstance(value, list) else []}
    if key == "value":
        return {key: None if value is None or value == "" else str(value)}
    return {key: value}


def _offered(element: Json, chosen: object) -> Json:
    """The element's own option with the value that was chosen, given as an option or as its value."""
    value = chosen.get("value") if isinstance(chosen, dict) else chosen
    groups = element.get("option_groups") or [{"options": element.get("options", [])}]
    for group in groups:
        for option in group["options"]:
            if option["value"] == value:
                return dict(option)
    raise NotOffered(f"{element['type']} {element['action_id']!r} has no option {value!r}")
