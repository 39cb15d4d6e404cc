"""Can a node be patched at all? (facts/patch-manager.md sections 4, 6 and 9)

An online agent proves its role and that it reaches Systems Manager; the role is read only to explain an absent one.
Python, PowerShell, repositories and free space have no API: a Scan of ours that succeeded proves them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from patching.evidence import is_readable
from patching.model import Evidence, Node, Platform
from patching.phrases import listed

LEAST_AGENT: Final = (2, 0, 834, 0)

# How agents name the operating systems of the model's families (section 6), without case: WINDOWS, AMAZON_LINUX and
# its releases, UBUNTU, REDHAT_ENTERPRISE_LINUX, SUSE, CENTOS, ORACLE_LINUX, DEBIAN, MACOS, RASPBIAN, ROCKY_LINUX,
# ALMA_LINUX.
_FAMILIES: Final = (
    *("microsoft windows server", "amazon linux", "ubuntu", "red hat enterprise linux", "sles", "suse linux", "centos"),
    *("oracle linux", "debian", "macos", "mac os x", "raspbian", "rocky linux", "almalinux"),
)
# AMAZON_LINUX is 2017.09 and 2018.03; a release that is not listed is one that the service doesn't know yet.
_AMAZON_LINUX: Final = frozenset({"2", "2017", "2018", "2022", "2023"})


class Need(StrEnum):
    """What a node can lack."""

    PRESENCE = "presence"
    AGENT = "agent"
    SYSTEM = "system"
    IDLE = "idle"
    TRIAL = "trial"
    PROOF = "proof"


@dataclass(frozen=True, slots=True)
class NodeInquiry:
    """What was looked up about one node for this purpose."""

    other_commands: tuple[str, ...] = ()  # commands that are still under way on it, ours left out
    trial_failure: str = ""  # why its newest Scan failed, in the invocation's words
    role: bool | None = None  # a role that Systems Manager accepts; None: not looked up


@dataclass(frozen=True, slots=True)
class Shortcoming:
    need: Need
    what: str
    remedy: str


def shortcomings(node: Node, evidence: Evidence | None, inquiry: NodeInquiry | None) -> tuple[Shortcoming, ...]:
    """What keeps the node from being patched; empty where nothing does. Of an absent node no more can be known.

    `evidence`: its newest Scan of ours. `inquiry` None: nothing was looked up, so nothing is said of what needs it.
    """
    absent = _absence(node, inquiry)
    return (absent,) if absent else tuple(_lacking(node, evidence, inquiry))


def is_supported(platform: Platform) -> bool:
    """Whether Patch Manager knows the operating system. New releases lag (section 9, 14)."""
    name = platform.os.casefold()
    if name.startswith("amazon linux"):
        return platform.major in _AMAZON_LINUX
    return name.startswith(_FAMILIES)


def _absence(node: Node, inquiry: NodeInquiry | None) -> Shortcoming | None:
    if node.power != "running":
        return Shortcoming(Need.PRESENCE, f"is {node.power}", "start it")
    if node.ping is None and inquiry is not None and inquiry.role is False:
        return Shortcoming(
            Need.PRESENCE,
            "is unknown to Systems Manager and has no role for it",
            "give it an instance profile with AmazonSSMManagedInstanceCore, or turn on default host management",
        )
    if node.ping is None:
        return Shortcoming(
            Need.PRESENCE, "is unknown to Systems Manager", "start its SSM Agent, and look at its role and its network"
        )
    if node.ping != "Online":
        return Shortcoming(Need.PRESENCE, f"has an agent that is {node.ping}", "start its SSM Agent")
    return None


def _lacking(node: Node, evidence: Evidence | None, inquiry: NodeInquiry | None) -> Iterator[Shortcoming]:
    least = ".".join(map(str, LEAST_AGENT))
    version = _numbers(node.agent_version)
    if version is None:
        yield Shortcoming(Need.AGENT, f"has an agent of unknown version ({node.agent_version})", "update its SSM Agent")
    elif version < LEAST_AGENT:
        yield Shortcoming(
            Need.AGENT, f"has agent {node.agent_version}, at least {least} is needed", "update its SSM Agent"
        )
    if node.platform is None:
        yield Shortcoming(Need.SYSTEM, "has not said what operating system it runs", "restart its SSM Agent")
    elif not is_supported(node.platform):
        yield Shortcoming(
            Need.SYSTEM, f"runs {node.platform}, which Patch Manager doesn't know", "take it out of the environment"
        )
    if inquiry is not None and inquiry.other_commands:
        yield Shortcoming(
            Need.IDLE, f"is busy with {listed(inquiry.other_commands)}", "wait until that has ended, and ask again"
        )
    if inquiry is not None and inquiry.trial_failure:
        yield Shortcoming(
            Need.TRIAL,
            f"failed its newest scan: {inquiry.trial_failure.rstrip('.')}",
            "see to that (Python on Linux, PowerShell 3.0 on Windows, repositories, space in /var), then scan it",
        )
    elif evidence is None or not is_readable(evidence):
        yield Shortcoming(Need.PROOF, "has no scan of ours that proves the rest", "scan it")


def _numbers(version: str | None) -> tuple[int, ...] | None:
    parts = (version or "").split(".")
    return tuple(map(int, parts)) if all(part.isascii() and part.isdigit() for part in parts) else None
