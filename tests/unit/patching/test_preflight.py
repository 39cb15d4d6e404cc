"""What a node can lack, one prerequisite at a time (facts/patch-manager.md section 6)."""

from dataclasses import replace

import pytest

from patching.model import Evidence, Node, Platform
from patching.preflight import Need, NodeInquiry, is_supported, shortcomings
from tests.unit.patching.build import DEBIAN, evidence

GOOD = Node("i-p1", "p1", "running", "Online", DEBIAN, agent_version="2.0.834.0")
ONLINE_ONLY = Node("i-p1", "p1", "running", "Online", None)
SCANNED = evidence("p1")
UNREADABLE = evidence("p1", counts={"MissingCount": -1})

CASES: dict[str, tuple[Node, Evidence | None, NodeInquiry | None, list[Need]]] = {
    "nothing": (GOOD, SCANNED, NodeInquiry(), []),
    "nothing, not looked up": (GOOD, SCANNED, None, []),
    "the role of an online node isn't asked about": (GOOD, SCANNED, NodeInquiry(role=False), []),
    "a newer agent": (replace(GOOD, agent_version="3.3.987.0"), SCANNED, None, []),
    "a version of more parts than another": (replace(GOOD, agent_version="2.0.834"), SCANNED, None, [Need.AGENT]),
    "an agent one build too old": (replace(GOOD, agent_version="2.0.833.9"), SCANNED, None, [Need.AGENT]),
    "an agent whose numbers sort as text": (replace(GOOD, agent_version="10.0.0.0"), SCANNED, None, []),
    "stopped": (replace(GOOD, power="stopped"), None, None, [Need.PRESENCE]),
    "unmanaged": (replace(GOOD, ping=None, platform=None), None, NodeInquiry(), [Need.PRESENCE]),
    "connection lost": (replace(GOOD, ping="ConnectionLost"), SCANNED, NodeInquiry(), [Need.PRESENCE]),
    "no version and no system": (ONLINE_ONLY, SCANNED, None, [Need.AGENT, Need.SYSTEM]),
    "busy": (GOOD, SCANNED, NodeInquiry(other_commands=("AWS-RunShellScript",)), [Need.IDLE]),
    "its scan failed": (GOOD, SCANNED, NodeInquiry(trial_failure="exit status 156"), [Need.TRIAL]),
    "never scanned": (GOOD, None, NodeInquiry(), [Need.PROOF]),
    "its scan can't be read": (GOOD, UNREADABLE, NodeInquiry(), [Need.PROOF]),
    "never scanned because the scan failed": (GOOD, None, NodeInquiry(trial_failure="no Python"), [Need.TRIAL]),
}


@pytest.mark.parametrize(("node", "scanned", "inquiry", "needs"), CASES.values(), ids=CASES)
def test_needs(node: Node, scanned: Evidence | None, inquiry: NodeInquiry | None, needs: list[Need]) -> None:
    found = shortcomings(node, scanned, inquiry)
    assert [each.need for each in found] == needs
    assert all(each.what and each.remedy for each in found)


def test_the_role_explains_an_absent_agent() -> None:
    unmanaged = replace(GOOD, ping=None, platform=None)
    (without,) = shortcomings(unmanaged, None, NodeInquiry(role=False))
    (with_role,) = shortcomings(unmanaged, None, NodeInquiry(role=True))
    assert "no role" in without.what
    assert "role" not in with_role.what


# The first four are real (aws-examples/describe-instance-information.*); the others are as the agents name them.
SUPPORTED = [
    ("Microsoft Windows Server 2008 R2 Datacenter", "6.1.7601"),
    ("Amazon Linux", "2"),
    ("Ubuntu", "18"),
    ("SLES", "15"),
    ("Amazon Linux", "2023"),
    ("Amazon Linux AMI", "2018"),
    ("Red Hat Enterprise Linux", "9"),
    ("Red Hat Enterprise Linux Server", "7"),
    ("CentOS Linux", "7"),
    ("Oracle Linux Server", "8"),
    ("Debian GNU/Linux", "12"),
    ("macOS", "14"),
    ("Raspbian GNU/Linux", "10"),
    ("Rocky Linux", "9"),
    ("AlmaLinux", "9"),
]
UNSUPPORTED = [("Fedora Linux", "41"), ("openSUSE Leap", "15"), ("Amazon Linux", "2029"), ("Arch Linux", ""), ("", "")]


@pytest.mark.parametrize(("os", "major"), SUPPORTED)
def test_supported(os: str, major: str) -> None:
    assert is_supported(Platform(os, major, "x86_64"))


@pytest.mark.parametrize(("os", "major"), UNSUPPORTED)
def test_unsupported(os: str, major: str) -> None:
    assert not is_supported(Platform(os, major, "x86_64"))
