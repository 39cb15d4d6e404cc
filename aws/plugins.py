"""What each step of a document came to on each node: for people alone, no outcome is read from it (I9)."""

from collections.abc import Mapping

from aws.caller import MOST_IDS, Caller, known_time
from aws.errors import calling
from aws.target import Target
from patching.hooks import StepEnd

_LONGEST = 300


class Plugins(Caller):
    def step_ends(self, target: Target, command_id: str) -> Mapping[str, tuple[StepEnd, ...]]:
        """Node id → the steps of the document there, in its order, each with the last thing that it said.

        Costs a page of ListCommandInvocations for each 50 nodes. AWS keeps commands for 30 days.
        """
        client = self._sessions.client("ssm", target)
        with calling("ListCommandInvocations", target, command_id):
            pages = client.get_paginator("list_command_invocations").paginate(
                CommandId=command_id, Details=True, PaginationConfig={"PageSize": MOST_IDS}
            )
            return {
                found["InstanceId"]: tuple(
                    StepEnd(
                        name=plugin["Name"],
                        status=plugin["Status"],
                        began=known_time(plugin.get("ResponseStartDateTime")) is not None,
                        said=_last_words(plugin.get("Output", "")),
                    )
                    for plugin in found["CommandPlugins"]
                )
                for page in pages
                for found in page["CommandInvocations"]
            }

    def complaints(self, target: Target, command_id: str) -> Mapping[str, str]:
        """Node id → the last thing that its failed part of a command said."""
        found = {
            node_id: step.said
            for node_id, steps in self.step_ends(target, command_id).items()
            for step in steps
            if step.status in {"Failed", "TimedOut"}
        }
        return {node_id: words for node_id, words in found.items() if words}


def _last_words(output: str) -> str:
    """Before what the agent adds about exit codes."""
    lines = [line.strip() for line in output.splitlines()]
    said = [line for line in lines if line and not line.startswith("failed to run commands")]
    return said[-1][:_LONGEST] if said else ""
