"""The simulated Systems Manager: every operation that it serves, checked on the way in and on the way out."""

from typing import Any

from sandbox.aws.model import SsmError, check_input, to_wire
from sandbox.aws.ssm import associations, calendars, commands, documents, nodes, patching, window_changes, windows
from sandbox.aws.ssm.call import Call, Operation
from sandbox.aws.world import World

OPERATIONS: dict[str, Operation] = {
    **commands.OPERATIONS,
    **patching.OPERATIONS,
    **documents.OPERATIONS,
    **nodes.OPERATIONS,
    **associations.OPERATIONS,
    **calendars.OPERATIONS,
    **windows.OPERATIONS,
    **window_changes.OPERATIONS,
}


def answer(world: World, account: str, region: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
    """The operation's answer as SSM puts it on the wire. Raises SsmError; what nobody implements isn't retryable."""
    if operation not in OPERATIONS:
        raise SsmError("UnknownOperationException", f"The sandbox does not implement ssm:{operation}.")
    check_input(operation, params)
    with world.lock:
        call = Call(world, world.region(account, region), world.advance())
        return to_wire(operation, OPERATIONS[operation](call, params))
