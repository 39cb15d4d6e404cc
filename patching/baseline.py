"""What a patch baseline means, as one hash: ids, names and dates differ per account, meaning must not."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import JsonValue


def content_hash(baseline: Mapping[str, Any]) -> str:
    """SHA-256 (hex) over the meaning of a GetPatchBaseline response.

    Left out: BaselineId, Name, Description, CreatedDate, ModifiedDate, PatchGroups. An absent field is the same as
    its documented default (facts/patch-manager.md section 3), and lists count as sets: AWS gives their order no
    meaning.
    """
    meaning: JsonValue = {
        "OperatingSystem": baseline.get("OperatingSystem") or "WINDOWS",
        "GlobalFilters": _filters(baseline.get("GlobalFilters")),
        "ApprovalRules": _unordered(map(_rule, (baseline.get("ApprovalRules") or {}).get("PatchRules") or ())),
        "ApprovedPatches": _unordered(baseline.get("ApprovedPatches") or ()),
        "ApprovedPatchesComplianceLevel": baseline.get("ApprovedPatchesComplianceLevel") or "UNSPECIFIED",
        "ApprovedPatchesEnableNonSecurity": bool(baseline.get("ApprovedPatchesEnableNonSecurity")),
        "RejectedPatches": _unordered(baseline.get("RejectedPatches") or ()),
        "RejectedPatchesAction": baseline.get("RejectedPatchesAction") or "ALLOW_AS_DEPENDENCY",
        "Sources": _unordered(map(_source, baseline.get("Sources") or ())),
        "AvailableSecurityUpdatesComplianceStatus": baseline.get("AvailableSecurityUpdatesComplianceStatus"),
    }
    return hashlib.sha256(_canonical(meaning).encode()).hexdigest()


def _filters(group: Mapping[str, Any] | None) -> JsonValue:
    return _unordered(
        {"Key": each["Key"], "Values": _unordered(each["Values"])} for each in (group or {}).get("PatchFilters") or ()
    )


def _rule(rule: Mapping[str, Any]) -> JsonValue:
    # An approval delay of 0 days and no delay at all are different rules, so None stays None.
    return {
        "PatchFilterGroup": _filters(rule.get("PatchFilterGroup")),
        "ComplianceLevel": rule.get("ComplianceLevel") or "UNSPECIFIED",
        "ApproveAfterDays": rule.get("ApproveAfterDays"),
        "ApproveUntilDate": rule.get("ApproveUntilDate") or None,
        "EnableNonSecurity": bool(rule.get("EnableNonSecurity")),
    }


def _source(source: Mapping[str, Any]) -> JsonValue:
    return {
        "Name": source.get("Name"),
        "Products": _unordered(source.get("Products") or ()),
        "Configuration": source.get("Configuration"),
    }


def _unordered(values: Iterable[JsonValue]) -> JsonValue:
    return [json.loads(text) for text in sorted({_canonical(value) for value in values})]


def _canonical(value: JsonValue) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
