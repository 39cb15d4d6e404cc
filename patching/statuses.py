"""What AWS's word for a node's part of a command means, and what to look at: for people, never for an outcome (I9).

Source: facts/patch-manager.md section 4, and botocore's documentation of CommandInvocation.StatusDetails.
"""

from typing import Final

from patching.outcomes import TERMINAL

_WORDS: Final = {
    "Delayed": "AWS could not reach the node yet and tries again; nothing has run there: "
    "look whether it is up and its SSM Agent online.",
    # Also where a node had begun and was not heard of again (botocore, Command.ExpiresAfter).
    "Delivery Timed Out": "AWS did not hear from the node in time, and what ran there is not known: "
    "look whether it is up and its SSM Agent online.",
    "Undeliverable": "the node does not exist or does not respond, so nothing ran there: "
    "look whether it is running and its SSM Agent online.",
    "Terminated": "AWS stopped the command because other nodes failed before this one's turn, so nothing ran here: "
    "look at those first.",
    "Cancelled": "the command was cancelled before the node had finished, and part of it may have run: "
    "look in CloudTrail who cancelled it, then scan the node.",
    "Execution Timed Out": "the node worked on it for longer than allowed and was stopped, "
    "so part of it may have run: look at its output in Run Command.",
    "Access Denied": "Patchgate's role may not send commands to this node, so nothing ran there: "
    "look at ssm:SendCommand in the role's policy.",
    "Invalid Platform": "the document is not made for the node's operating system, so nothing ran there: "
    "look at the platforms of the document.",
    "Failed": "the document ended with an error on the node: look at its output in Run Command.",
}


def _key(word: str) -> str:
    return word.replace(" ", "").casefold()


_BY_NAME: Final = {_key(term): term for term in _WORDS}

NEVER_ANSWERED: Final = (
    "never answered within its time, and what ran there is not known: look whether it is up and its SSM Agent online."
)
NEVER_STARTED: Final = (
    "AWS ended the command without ever starting it on this node: look whether it still exists and is managed."
)
GONE: Final = (
    "was terminated at EC2 while it was being patched, so nothing runs on it any more: "
    "look in CloudTrail who terminated it."
)


def explained(status: str, status_details: str) -> str:
    """One sentence for an invocation that waits or has failed, AWS's own word first; empty while it goes its way.

    Details are read as `Delivery Timed Out` and `DeliveryTimedOut` alike; where they say nothing, or success against
    the status, the status speaks.
    """
    details = "" if _key(status_details) == "success" else status_details
    term = _BY_NAME.get(_key(details or status))
    if term:
        return f"{term}: {_WORDS[term]}"
    if status not in TERMINAL or status == "Success":
        return ""
    return f"{details or status}: a status of AWS's that says no more; look at its output in Run Command."
