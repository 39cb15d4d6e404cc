"""What `patchgate check` asks of AWS: nothing here changes anything."""

from collections.abc import Callable

from aws.errors import AwsError, calling
from aws.patching import PatchManager
from aws.sessions import Sessions
from aws.target import Target

DOCUMENT = "AWS-RunPatchBaseline"
# AWS's smallest page; what is asked is only whether the call is allowed.
_SMALLEST_PAGE = 5


def identity(sessions: Sessions, target: Target) -> str:
    """The ARN that the target's calls are made as. Raises WrongAccount and the other AwsErrors."""
    return sessions.identity(target)


def probe(sessions: Sessions, target: Target) -> list[tuple[str, str | None]]:
    """(what was tried, None or one sentence saying why not) for each thing a target must allow.

    A failed identity ends the list: nothing else is asked with credentials that are not confirmed.
    """
    tried = [("identity", _trouble(lambda: identity(sessions, target)))]
    if tried[0][1] is not None:
        return tried
    tried.append(("nodes", _trouble(lambda: _list_nodes(sessions, target))))
    tried.append(("instances", _trouble(lambda: _list_instances(sessions, target))))
    tried.append((f"document {DOCUMENT}", _trouble(lambda: PatchManager(sessions).document(target, DOCUMENT))))
    return tried


def _trouble(ask: Callable[[], object]) -> str | None:
    try:
        ask()
    except AwsError as error:
        return str(error)
    return None


def _list_nodes(sessions: Sessions, target: Target) -> None:
    with calling("DescribeInstanceInformation", target):
        sessions.client("ssm", target).describe_instance_information(MaxResults=_SMALLEST_PAGE)


def _list_instances(sessions: Sessions, target: Target) -> None:
    with calling("DescribeInstances", target):
        sessions.client("ec2", target).describe_instances(MaxResults=_SMALLEST_PAGE)
