"""What a message may say: the check that Web API calls, acks and response URLs share."""

from dataclasses import dataclass

from sandbox.slack.blocks import MESSAGE_TEXT_LIMIT, check_message, text_length
from sandbox.slack.model import Refused
from sandbox.slack.rules import Json

POST_LIMIT = 40_000
UPDATE_LIMIT = 4_000
"""Characters of `text`: Slack cuts a new message at 40,000 (here it is refused) and refuses an update over 4,000."""


@dataclass(frozen=True)
class Content:
    text: str
    blocks: list[Json] | None


def checked(text: object, blocks: object, limit: int = POST_LIMIT) -> Content:
    """The content of a message, or Slack's refusal of it; `blocks` is decoded JSON or None."""
    words = "" if text is None else str(text)
    if len(words) > limit:
        raise Refused("msg_too_long")
    if blocks is not None and not isinstance(blocks, list):
        raise Refused("invalid_blocks_format")
    if not blocks:
        if not words.strip():
            raise Refused("no_text")
        return Content(words, None)
    problems = [str(problem) for problem in check_message(blocks)]
    if problems:
        messages = [f"[ERROR] {problem}" for problem in problems]
        raise Refused("invalid_blocks", errors=problems, response_metadata={"messages": messages})
    if text_length(blocks) > MESSAGE_TEXT_LIMIT:
        raise Refused("msg_blocks_too_long")
    return Content(words, blocks)


def problems_of(refused: Refused) -> list[str]:
    errors = refused.more.get("errors")
    metadata = refused.more.get("response_metadata")
    if isinstance(errors, list):
        return [str(error) for error in errors]
    return [str(message) for message in metadata["messages"]] if isinstance(metadata, dict) else []
