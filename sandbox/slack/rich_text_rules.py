"""What Slack allows inside a rich_text block (slack_sdk 3.47 `RichTextElementParts`)."""

from collections.abc import Mapping

from sandbox.slack.rules import Choice, Flag, Kinds, Many, Number, Object, Rule, String

_STYLE = Object({}, {name: Flag() for name in ("bold", "italic", "strike", "code", "underline")})
_ID = String(255)


def _leaf(required: Mapping[str, Rule], optional: Mapping[str, Rule] | None = None) -> Object:
    return Object(required, {"style": _STYLE, **(optional or {})})


_LEAVES: Mapping[str, Rule] = {
    "text": _leaf({"text": String(12_000)}),
    "link": _leaf({"url": String(3000)}, {"text": String(3000), "unsafe": Flag()}),
    "user": _leaf({"user_id": _ID}),
    "channel": _leaf({"channel_id": _ID}),
    "usergroup": _leaf({"usergroup_id": _ID}),
    "broadcast": _leaf({"range": Choice(("here", "channel", "everyone"))}),
    "emoji": _leaf({"name": _ID}, {"unicode": _ID, "skin_tone": Number(1, 6)}),
    "date": _leaf({"timestamp": Number(0, 9_999_999_999), "format": _ID}, {"url": String(3000), "fallback": _ID}),
    "color": _leaf({"value": _ID}),
    "team": _leaf({"team_id": _ID}),
}
_RUN = Many(Kinds(_LEAVES), 1000, min=0)
_PLAIN_RUN = Many(Kinds({name: _LEAVES[name] for name in ("text", "link")}), 1000, min=0)
_SECTION = Object({"elements": _RUN})

RICH_TEXT_ELEMENTS = Many(
    Kinds(
        {
            "rich_text_section": _SECTION,
            "rich_text_quote": Object({"elements": _RUN}, {"border": Number(0, 1)}),
            "rich_text_preformatted": Object({"elements": _PLAIN_RUN}, {"border": Number(0, 1), "language": _ID}),
            "rich_text_list": Object(
                {
                    "elements": Many(Kinds({"rich_text_section": _SECTION}), 1000),
                    "style": Choice(("bullet", "ordered")),
                },
                {"indent": Number(0, 8), "offset": Number(0, 10_000), "border": Number(0, 1)},
            ),
        }
    ),
    1000,
)
