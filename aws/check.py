"""What `patchgate check` asks of AWS: nothing here changes anything."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from aws.errors import AwsError, calling
from aws.patching import PatchManager
from aws.sessions import Sessions
from aws.target import Target
from patching.hooks import INSTALL_WITH_HOOKS

DOCUMENT = "AWS-RunPatchBaseline"
# AWS's smallest page; what is asked is only whether the call is allowed.
_SMALLEST_PAGE = 5


@dataclass(frozen=True, slots=True, order=True)
class Needed:
    """A document that plans for a target need; `role`: what for, of one that is an application's own."""

    name: str
    role: str = ""

    def __str__(self) -> str:
        return f"{self.role or 'document'} {self.name}"


def identity(sessions: Sessions, target: Target) -> str:
    """The ARN that the target's calls are made as. Raises WrongAccount and the other AwsErrors."""
    return sessions.identity(target)


def probe(
    sessions: Sessions, target: Target, documents: Iterable[Needed] = (Needed(DOCUMENT),)
) -> list[tuple[str, str | None]]:
    """(what was tried, None or one sentence saying why not) for each thing a target must allow.

    A failed identity ends the list: nothing else is asked with credentials that are not confirmed.
    """
    tried = [("identity", _trouble(lambda: identity(sessions, target)))]
    if tried[0][1] is not None:
        return tried
    tried.append(("nodes", _trouble(lambda: _list_nodes(sessions, target))))
    tried.append(("instances", _trouble(lambda: _list_instances(sessions, target))))
    manager = PatchManager(sessions)
    tried += [(str(needed), _trouble(partial(_describe, manager, target, needed))) for needed in documents]
    return tried


def _trouble(ask: Callable[[], object]) -> str | None:
    try:
        ask()
    except AwsError as error:
        return str(error)
    return None


def _describe(manager: PatchManager, target: Target, needed: Needed) -> None:
    if needed.role:
        manager.own_document(target, needed.name, needed.role)
    elif needed.name == INSTALL_WITH_HOOKS:
        manager.install_with_hooks(target)
    else:
        manager.document(target, needed.name)


def _list_nodes(sessions: Sessions, target: Target) -> None:
    with calling("DescribeInstanceInformation", target):
        sessions.client("ssm", target).describe_instance_information(MaxResults=_SMALLEST_PAGE)


def _list_instances(sessions: Sessions, target: Target) -> None:
    with calling("DescribeInstances", target):
        sessions.client("ec2", target).describe_instances(MaxResults=_SMALLEST_PAGE)
