"""Patch Manager's operations: states, rows, baselines, patch groups."""

from typing import Any

from sandbox.aws.baseline import PatchBaseline
from sandbox.aws.fleet import Rule
from sandbox.aws.model import SsmError
from sandbox.aws.report import Row
from sandbox.aws.ssm.call import Call, Operation, filter_values
from sandbox.aws.ssm.paging import page

_COMPARE = {
    "Equal": lambda count, value: count == value,
    "NotEqual": lambda count, value: count != value,
    "LessThan": lambda count, value: count < value,
    "GreaterThan": lambda count, value: count > value,
}


def describe_instance_patch_states(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """Nodes without a report, and ids that nobody knows, are simply absent."""
    nodes = [call.region.nodes[i] for i in dict.fromkeys(params["InstanceIds"]) if i in call.region.nodes]
    states = [node.report.state(node.id) for node in nodes if node.report and node.power != "terminated"]
    shown, token = page(params, states, default=50)
    return {"InstancePatchStates": shown, **token}


def describe_instance_patch_states_for_patch_group(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    states = [
        node.report.state(node.id)
        for node in call.region.nodes.values()
        if node.report and node.power != "terminated" and node.report.patch_group == params["PatchGroup"]
    ]
    for item in params.get("Filters", []):
        key, wanted = item["Key"], item["Values"][0]
        if not wanted.isdigit() or not key.endswith("Count") or (states and key not in states[0]):
            raise SsmError("InvalidFilter", f"The filter {key} {wanted} is not valid.")
        states = [state for state in states if _COMPARE[item["Type"]](state[key], int(wanted))]
    shown, token = page(params, states, default=50)
    return {"InstancePatchStates": shown, **token}


def describe_instance_patches(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    if params.get("MaxResults", 50) > 50:
        # The model allows 100, the live service doesn't (facts/patch-manager.md section 9 item 12).
        raise SsmError(
            "ValidationException",
            f"1 validation error detected: Value '{params['MaxResults']}' at 'maxResults' failed to satisfy "
            "constraint: Member must have value less than or equal to 50",
        )
    known = ("Classification", "KBId", "Severity", "State")
    filters = filter_values(params, known, "InvalidFilter")
    report = call.node(params["InstanceId"]).report
    rows = [row for row in (report.rows if report else ()) if _row_passes(row, filters)]
    shown, token = page(params, rows, default=50)
    return {"Patches": [row.wire() for row in shown], **token}


def get_patch_baseline(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    wanted = params["BaselineId"].rsplit("/", 1)[-1]
    baseline = call.region.baselines.get(wanted)
    if baseline is None:
        raise SsmError("DoesNotExistException", f"Patch Baseline {wanted} does not exist.")
    spec = baseline.spec
    groups = [group for (group, _), baseline_id in call.region.patch_groups.items() if baseline_id == baseline.id]
    return {
        "BaselineId": baseline.id,
        "Name": spec.name,
        "OperatingSystem": spec.operating_system,
        "GlobalFilters": {"PatchFilters": []},
        "ApprovalRules": {"PatchRules": [_rule(rule) for rule in spec.rules]},
        "ApprovedPatches": list(spec.approved),
        "ApprovedPatchesComplianceLevel": "UNSPECIFIED",
        "ApprovedPatchesEnableNonSecurity": False,
        "RejectedPatches": list(spec.rejected),
        "RejectedPatchesAction": spec.rejected_action,
        "PatchGroups": groups,
        "CreatedDate": baseline.created,
        "ModifiedDate": baseline.created,
        "Description": spec.description,
        "Sources": [],
        "AvailableSecurityUpdatesComplianceStatus": "COMPLIANT" if spec.shows_available_security_updates else None,
    }


def describe_patch_baselines(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    filters = filter_values(params, ("NAME_PREFIX", "OWNER", "OPERATING_SYSTEM"), "ValidationException")
    baselines = [b for b in call.region.baselines.values() if _baseline_passes(b, filters)]
    shown, token = page(params, baselines, default=50)
    return {"BaselineIdentities": [_identity(baseline) for baseline in shown], **token}


def describe_patch_groups(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    filters = filter_values(params, ("NAME_PREFIX", "OPERATING_SYSTEM"), "ValidationException")
    mappings = []
    for (group, operating_system), baseline_id in call.region.patch_groups.items():
        prefixes = tuple(filters.get("NAME_PREFIX", ("",)))
        if group.startswith(prefixes) and operating_system in filters.get("OPERATING_SYSTEM", [operating_system]):
            identity = _identity(call.region.baselines[baseline_id])
            mappings.append({"PatchGroup": group, "BaselineIdentity": identity})
    shown, token = page(params, mappings, default=50)
    return {"Mappings": shown, **token}


def get_patch_baseline_for_patch_group(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    operating_system = params.get("OperatingSystem", "WINDOWS")
    baseline = call.region.baseline_for(params["PatchGroup"], operating_system)
    return {"BaselineId": baseline.id, "PatchGroup": params["PatchGroup"], "OperatingSystem": operating_system}


def get_default_patch_baseline(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    operating_system = params.get("OperatingSystem", "WINDOWS")
    return {
        "BaselineId": call.region.default_baseline(operating_system).id,
        "OperatingSystem": operating_system,
    }


def _row_passes(row: Row, filters: dict[str, list[str]]) -> bool:
    shown = {
        "Classification": row.classification,
        "KBId": row.kb_id,
        "Severity": row.severity,
        "State": row.state,
    }
    return all(shown[key] in values for key, values in filters.items())


def _rule(rule: Rule) -> dict[str, Any]:
    filters = [{"Key": key, "Values": list(values)} for key, values in rule.filters.items()]
    return {
        "PatchFilterGroup": {"PatchFilters": filters},
        "ComplianceLevel": rule.compliance_level,
        "ApproveAfterDays": rule.approve_after_days,
        "EnableNonSecurity": rule.enable_non_security,
    }


def _baseline_passes(baseline: PatchBaseline, filters: dict[str, list[str]]) -> bool:
    owner = "AWS" if baseline.spec.name.startswith("AWS-") else "Self"
    return (
        baseline.spec.name.startswith(tuple(filters.get("NAME_PREFIX", ("",))))
        and owner in filters.get("OWNER", [owner])
        and baseline.spec.operating_system in filters.get("OPERATING_SYSTEM", [baseline.spec.operating_system])
    )


def _identity(baseline: PatchBaseline) -> dict[str, Any]:
    return {
        "BaselineId": baseline.id,
        "BaselineName": baseline.spec.name,
        "OperatingSystem": baseline.spec.operating_system,
        "BaselineDescription": baseline.spec.description,
        "DefaultBaseline": baseline.default,
    }


OPERATIONS: dict[str, Operation] = {
    "DescribeInstancePatchStates": describe_instance_patch_states,
    "DescribeInstancePatchStatesForPatchGroup": describe_instance_patch_states_for_patch_group,
    "DescribeInstancePatches": describe_instance_patches,
    "GetPatchBaseline": get_patch_baseline,
    "DescribePatchBaselines": describe_patch_baselines,
    "DescribePatchGroups": describe_patch_groups,
    "GetPatchBaselineForPatchGroup": get_patch_baseline_for_patch_group,
    "GetDefaultPatchBaseline": get_default_patch_baseline,
}
