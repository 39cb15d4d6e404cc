"""What the nodes' own roles allow: reading the pinned list, and being known to Systems Manager at all."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aws.caller import Caller, batches
from aws.errors import AccessRefused, DefiniteRefusal, calling
from aws.target import Target
from patching.phrases import listed

DEFAULT_HOST_MANAGEMENT = "/ssm/managed-instance/default-ec2-instance-management-role"
_MOST_FILTER_VALUES = 200
# What the setting says where default host management is off.
_NO_ROLE = frozenset({"", "$None"})


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """Whether an object can be read: None where it can't be told. The sentence says why, and what to do."""

    readable: bool | None
    sentence: str


class Permissions(Caller):
    def can_read(self, target: Target, node_ids: Sequence[str], bucket: str, key: str) -> ReadAnswer:
        """Whether the nodes' instance roles may read s3://bucket/key, as far as IAM can tell.

        IAM's simulation weighs what is attached to the role: its policies, its boundary, the organization's. It
        does not weigh the bucket's policy, which must let another account's role in, nor the key of an encrypted
        bucket. Calls: DescribeInstances for each 200 nodes, and for each distinct instance profile
        GetInstanceProfile and SimulatePrincipalPolicy. What the bot may not ask is None; raises the other AwsErrors.
        """
        url = f"s3://{bucket}/{key}"
        if not node_ids:
            return ReadAnswer(None, f"No node is there to read {url}.")
        try:
            answers = self._answers(target, node_ids, bucket, key)
        except AccessRefused as refused:
            return ReadAnswer(None, f"Whether the nodes may read {url} could not be asked: {refused}")
        for worst in (False, None):
            sentences = [answer.sentence for answer in answers if answer.readable is worst]
            if sentences:
                return ReadAnswer(worst, " ".join(sentences))
        return ReadAnswer(True, " ".join(answer.sentence for answer in answers))

    def absent_role(self, target: Target, node_ids: Sequence[str]) -> Mapping[str, str]:
        """For each node whose agent is absent, one sentence on the role that it would need.

        A node is managed through its instance profile's role or else through default host management
        (facts/patch-manager.md section 6). Calls: DescribeInstances for each 200 nodes, and GetServiceSetting where
        a node has no profile. Raises AwsError, but not where only the setting may not be read.
        """
        profiles = self._profiles(target, node_ids)
        without = [node_id for node_id, profile in profiles.items() if profile is None]
        fallback = self._fallback_sentence(target) if without else ""
        sentences: dict[str, str] = {}
        for node_id in node_ids:
            if node_id not in profiles:
                sentences[node_id] = f"EC2 does not know {node_id} in {target}."
                continue
            profile = profiles[node_id]
            sentences[node_id] = (
                f"{node_id} has no instance profile{fallback}"
                if profile is None
                else f"{node_id} has the instance profile {_name(profile)}: look whether its role has "
                "AmazonSSMManagedInstanceCore, whether the agent runs, and whether it reaches Systems Manager."
            )
        return sentences

    def _answers(self, target: Target, node_ids: Sequence[str], bucket: str, key: str) -> list[ReadAnswer]:
        """One answer for each group of nodes that have the same role, or have none for the same reason."""
        profiles = self._profiles(target, node_ids)
        unknown = [node_id for node_id in node_ids if node_id not in profiles]
        answers = (
            [ReadAnswer(None, f"EC2 does not know {listed(unknown)} in {target}, so no role is known.")]
            if unknown
            else []
        )
        by_profile: defaultdict[str | None, list[str]] = defaultdict(list)
        for node_id, profile in profiles.items():
            by_profile[profile].append(node_id)
        return answers + [self._answer(target, profile, ids, bucket, key) for profile, ids in by_profile.items()]

    def _answer(self, target: Target, profile: str | None, ids: Sequence[str], bucket: str, key: str) -> ReadAnswer:
        if profile is not None:
            role = self._role(target, profile)
            if role is not None:
                return self._simulated(target, role, ids, bucket, key)
            return ReadAnswer(
                False, f"The instance profile {_name(profile)} of {listed(ids)} has no role: give the profile one."
            )
        if self._default_role(target) is None:
            return ReadAnswer(
                False,
                f"{listed(ids)} can't read s3://{bucket}/{key} without a role: "
                "attach an instance profile whose role allows s3:GetObject on it.",
            )
        # Whether the patch document reads with default host management's credentials is written nowhere.
        return ReadAnswer(
            None,
            f"Whether {listed(ids)} can read s3://{bucket}/{key} by default host management alone is not known: "
            "attach an instance profile whose role allows s3:GetObject on it.",
        )

    def _simulated(self, target: Target, role: str, ids: Iterable[str], bucket: str, key: str) -> ReadAnswer:
        """SimulatePrincipalPolicy for s3:GetObject. A denial that hangs on a condition IAM was not told of is None."""
        resource = f"arn:{role.split(':')[1]}:s3:::{bucket}/{key}"
        client = self._sessions.client("iam", target)
        with calling("SimulatePrincipalPolicy", target, role):
            (result,) = client.simulate_principal_policy(
                PolicySourceArn=role, ActionNames=["s3:GetObject"], ResourceArns=[resource]
            )["EvaluationResults"]
            allowed, missing = result["EvalDecision"] == "allowed", result.get("MissingContextValues", [])
        who = f"the role {_name(role)} of {listed(ids)}"
        if allowed:
            return ReadAnswer(True, f"IAM lets {who} read s3://{bucket}/{key}; the bucket's own policy was not asked.")
        if missing:
            return ReadAnswer(
                None,
                f"Whether {who} may read s3://{bucket}/{key} depends on {listed(missing)}, "
                "which is known only when it is read.",
            )
        denial = "denies" if result["EvalDecision"] == "explicitDeny" else "does not allow"
        return ReadAnswer(False, f"IAM {denial} {who} to read s3://{bucket}/{key}: allow s3:GetObject on {resource}.")

    def _fallback_sentence(self, target: Target) -> str:
        try:
            role = self._default_role(target)
        except AccessRefused as refused:
            return f", and whether default host management gives it a role could not be asked: {refused}"
        if role is None:
            return (
                " and default host management is off, so Systems Manager can't know it: "
                "attach a profile whose role has AmazonSSMManagedInstanceCore."
            )
        return (
            f", but default host management gives it the role {_name(role)}, "
            "which takes SSM Agent 3.2.582.0 or later and IMDSv2: look whether it has both."
        )

    def _default_role(self, target: Target) -> str | None:
        client = self._sessions.client("ssm", target)
        with calling("GetServiceSetting", target, DEFAULT_HOST_MANAGEMENT):
            value = client.get_service_setting(SettingId=DEFAULT_HOST_MANAGEMENT)["ServiceSetting"].get(
                "SettingValue", ""
            )
            return None if value in _NO_ROLE else value

    def _profiles(self, target: Target, node_ids: Sequence[str]) -> dict[str, str | None]:
        """{node id: the ARN of its instance profile, or None} for each instance that EC2 knows."""
        client = self._sessions.client("ec2", target)
        found: dict[str, str | None] = {}
        for ids in batches(node_ids, _MOST_FILTER_VALUES):
            # A filter, because the InstanceIds parameter fails altogether when one of them is gone.
            with calling("DescribeInstances", target):
                pages = client.get_paginator("describe_instances").paginate(
                    Filters=[{"Name": "instance-id", "Values": ids}]
                )
                found |= {
                    instance["InstanceId"]: instance.get("IamInstanceProfile", {}).get("Arn")
                    for page in pages
                    for reservation in page["Reservations"]
                    for instance in reservation.get("Instances", [])
                }
        return found

    def _role(self, target: Target, profile: str) -> str | None:
        """The ARN of the profile's one role; None where it has none, or is gone itself."""
        client = self._sessions.client("iam", target)
        try:
            with calling("GetInstanceProfile", target, profile):
                roles = client.get_instance_profile(InstanceProfileName=_name(profile))["InstanceProfile"]["Roles"]
                return str(roles[0]["Arn"]) if roles else None
        except DefiniteRefusal as refused:
            if refused.code != "NoSuchEntity":
                raise
            return None


def _name(arn: str) -> str:
    """The last part of an ARN or a path: `arn:aws:iam::111111111111:instance-profile/app/node` is `node`."""
    return arn.rpartition("/")[2]
