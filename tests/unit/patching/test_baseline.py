"""A baseline's content: what changes what would be installed or judged changes the hash, nothing else does."""

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from patching.baseline import content_hash

# Constructed, in the shape of GetPatchBaseline (facts/patch-manager.md section 3).
BASELINE: dict[str, Any] = {
    "BaselineId": "pb-0123456789abcdef0",
    "Name": "orders",
    "OperatingSystem": "DEBIAN",
    "GlobalFilters": {"PatchFilters": [{"Key": "PRODUCT", "Values": ["Debian12", "Debian11"]}]},
    "ApprovalRules": {
        "PatchRules": [
            {
                "PatchFilterGroup": {
                    "PatchFilters": [
                        {"Key": "PRIORITY", "Values": ["Required", "Important"]},
                        {"Key": "SECTION", "Values": ["*"]},
                    ]
                },
                "ComplianceLevel": "CRITICAL",
                "EnableNonSecurity": True,
            },
            {"PatchFilterGroup": {"PatchFilters": []}, "ComplianceLevel": "LOW", "EnableNonSecurity": False},
        ]
    },
    "ApprovedPatches": ["curl", "openssl"],
    "ApprovedPatchesComplianceLevel": "UNSPECIFIED",
    "ApprovedPatchesEnableNonSecurity": False,
    "RejectedPatches": ["linux-*"],
    "RejectedPatchesAction": "ALLOW_AS_DEPENDENCY",
    "PatchGroups": ["orders-db-nonprod"],
    "CreatedDate": datetime(2026, 1, 1, tzinfo=UTC),
    "ModifiedDate": datetime(2026, 2, 1, tzinfo=UTC),
    "Description": "for the orders database",
    "Sources": [
        {"Name": "acme", "Products": ["Debian12"], "Configuration": "deb http://mirror.example.com/ stable main"}
    ],
}


def changed(path: list[Any], value: Any) -> dict[str, Any]:
    baseline = deepcopy(BASELINE)
    inside: Any = baseline
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = value
    return baseline


RULE = ["ApprovalRules", "PatchRules", 0]
MEANING = {
    "operating system": changed(["OperatingSystem"], "UBUNTU"),
    "global filter": changed(["GlobalFilters", "PatchFilters"], []),
    "rule's filter value": changed([*RULE, "PatchFilterGroup", "PatchFilters", 0, "Values"], ["Required"]),
    "rule's filter key": changed([*RULE, "PatchFilterGroup", "PatchFilters", 1, "Key"], "PRODUCT"),
    "rule's compliance level": changed([*RULE, "ComplianceLevel"], "HIGH"),
    "rule's non-security": changed([*RULE, "EnableNonSecurity"], False),
    "delay": changed([*RULE, "ApproveAfterDays"], 7),
    "delay of none": changed([*RULE, "ApproveAfterDays"], 0),
    "date": changed([*RULE, "ApproveUntilDate"], "2026-11-01"),
    "a rule less": changed(["ApprovalRules", "PatchRules"], BASELINE["ApprovalRules"]["PatchRules"][:1]),
    "approved": changed(["ApprovedPatches"], ["curl"]),
    "approved compliance level": changed(["ApprovedPatchesComplianceLevel"], "HIGH"),
    "approved non-security": changed(["ApprovedPatchesEnableNonSecurity"], True),
    "rejected": changed(["RejectedPatches"], []),
    "rejected action": changed(["RejectedPatchesAction"], "BLOCK"),
    "source": changed(["Sources", 0, "Configuration"], "deb http://other.example.com/ stable main"),
    "source's products": changed(["Sources", 0, "Products"], ["Debian11"]),
    "available security updates": changed(["AvailableSecurityUpdatesComplianceStatus"], "COMPLIANT"),
}
NO_MEANING = {
    "id": changed(["BaselineId"], "arn:aws:ssm:eu-west-1:075727635805:patchbaseline/pb-0123456789abcdef1"),
    "name": changed(["Name"], "other"),
    "description": changed(["Description"], ""),
    "dates": changed(["ModifiedDate"], datetime(2026, 3, 1, tzinfo=UTC)),
    "patch groups": changed(["PatchGroups"], ["orders-db-prod"]),
    "order of patches": changed(["ApprovedPatches"], ["openssl", "curl", "curl"]),
    "order of rules": changed(["ApprovalRules", "PatchRules"], BASELINE["ApprovalRules"]["PatchRules"][::-1]),
    "order of filter values": changed(["GlobalFilters", "PatchFilters", 0, "Values"], ["Debian11", "Debian12"]),
}


@pytest.mark.parametrize("baseline", MEANING.values(), ids=MEANING)
def test_i3_meaning_changes_the_hash(baseline: dict[str, Any]) -> None:
    assert content_hash(baseline) != content_hash(BASELINE)


@pytest.mark.parametrize("baseline", NO_MEANING.values(), ids=NO_MEANING)
def test_i3_nothing_else_does(baseline: dict[str, Any]) -> None:
    assert content_hash(baseline) == content_hash(BASELINE)


def test_an_absent_field_is_its_default() -> None:
    assert content_hash({"OperatingSystem": "DEBIAN"}) == content_hash(
        {
            "OperatingSystem": "DEBIAN",
            "GlobalFilters": {"PatchFilters": []},
            "ApprovalRules": {"PatchRules": []},
            "ApprovedPatches": [],
            "ApprovedPatchesComplianceLevel": "UNSPECIFIED",
            "ApprovedPatchesEnableNonSecurity": False,
            "RejectedPatches": [],
            "RejectedPatchesAction": "ALLOW_AS_DEPENDENCY",
            "Sources": [],
        }
    )
