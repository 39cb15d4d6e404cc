"""The ids that Slack adds to blocks and elements which the bot left nameless."""

import copy
import itertools
from collections.abc import Sequence

from sandbox.slack.blocks import elements_of
from sandbox.slack.rules import Json

_ids = itertools.count(1)


def with_ids(blocks: Sequence[Json]) -> list[Json]:
    """A copy of these blocks in which every block has a block_id and every interactive element an action_id."""
    named = copy.deepcopy(list(blocks))
    for block in named:
        if not block.get("block_id"):
            block["block_id"] = f"b{next(_ids)}"
        for element in elements_of(block):
            if not element.get("action_id"):
                element["action_id"] = f"a{next(_ids)}"
    return named
