"""Roles and policies of the simulated accounts, kept in moto's IAM and S3, and who may do what by them.

moto stores policies and judges none of these; it lacks SimulatePrincipalPolicy altogether.
"""

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from html import escape
from typing import Any
from uuid import uuid4

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.exceptions import NotFoundException
from moto.iam.models import AWSManagedPolicy, IAMBackend, iam_backends
from moto.s3.models import s3_backends

from sandbox.aws.fleet import Fleet
from sandbox.aws.model import SsmError

NODE_ROLE = "patchgate-node"
BOT_ROLE = "patchgate"
READS_LISTS = "read-pinned-lists"
_CORE = "AmazonSSMManagedInstanceCore"
_UNTOLD = ("ResourcePolicy", "PolicyInputList", "PermissionsBoundaryPolicyInputList", "CallerArn", "ContextEntries")


def create_roles(fleet: Fleet) -> None:
    """In each account the role that the bot assumes, and the instances' own with its profile."""
    for account in fleet.accounts:
        backend = iam_backends[account]["aws"]
        _create_role(backend, BOT_ROLE, "What Patchgate assumes in this account")
        _create_role(backend, NODE_ROLE, "What this account's nodes run as")
        core = AWSManagedPolicy.from_data(_CORE, account, "aws-global", _managed(_CORE))
        backend.managed_policies[core.arn] = core
        backend.attach_role_policy(core.arn, NODE_ROLE)
        backend.put_role_policy(NODE_ROLE, READS_LISTS, json.dumps(_reads(fleet.bucket)))
        backend.create_instance_profile(name=NODE_ROLE, path="/", role_names=[NODE_ROLE], tags=[])


def let_nodes_in(fleet: Fleet) -> None:
    """The bucket's own policy, without which the nodes of other accounts stay out."""
    principals = {"AWS": [role_arn(account, NODE_ROLE) for account in fleet.accounts]}
    document = _reads(fleet.bucket, Principal=principals)
    s3_backends[fleet.bucket_account]["aws"].put_bucket_policy(fleet.bucket, json.dumps(document).encode())


def may_read(account: str, role: str, bucket: str, key: str) -> bool:
    """Whether this role's policies let it read the object and, where the bucket is another account's, its policy
    does too. What doesn't exist may be read: asking for it is refused in other words."""
    found = s3_backends.bucket_accounts.get(bucket)
    if found is None:
        return True
    partition, owner = found
    resource = f"arn:aws:s3:::{bucket}/{key}"
    verdict = _decide(_role_policies(account, role), "s3:GetObject", resource)
    if verdict != "allowed" or owner == account:
        return verdict == "allowed"
    policy = s3_backends[owner][partition].get_bucket(bucket).policy
    documents = [json.loads(policy)] if policy else []
    return _decide(documents, "s3:GetObject", resource, role_arn(account, role)) == "allowed"


def simulate_principal_policy(account: str, form: Mapping[str, list[str]]) -> str:
    """SimulatePrincipalPolicy's answer as XML, for a role and without conditions. Raises SsmError."""
    source = form.get("PolicySourceArn", [""])[0]
    if any(name.split(".")[0] in _UNTOLD for name in form):
        raise SsmError("InvalidInput", "The sandbox simulates a role's own policies, without further input.")
    owner, _, role = source.removeprefix("arn:aws:iam::").partition(":role/")
    if owner != account or not role:
        raise SsmError("NoSuchEntity", f"The policy source {source} cannot be found.", 404)
    documents = _role_policies(account, role.rsplit("/", 1)[-1])
    results = "".join(
        f"<member><EvalActionName>{escape(action)}</EvalActionName>"
        f"<EvalResourceName>{escape(resource)}</EvalResourceName>"
        f"<EvalDecision>{_decide(documents, action, resource)}</EvalDecision>"
        "<MatchedStatements/><MissingContextValues/></member>"
        for action in _members(form, "ActionNames")
        for resource in _members(form, "ResourceArns") or ["*"]
    )
    return (
        '<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
        f"<SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults>{results}"
        "</EvaluationResults></SimulatePrincipalPolicyResult><ResponseMetadata>"
        f"<RequestId>{uuid4()}</RequestId></ResponseMetadata></SimulatePrincipalPolicyResponse>"
    )


def role_arn(account: str, role: str) -> str:
    return f"arn:aws:iam::{account}:role/{role}"


def _create_role(backend: IAMBackend, name: str, description: str) -> None:
    backend.create_role(
        role_name=name,
        assume_role_policy_document="{}",
        path="/",
        permissions_boundary=None,
        description=description,
        tags=[],
        max_session_duration="3600",
    )


def _reads(bucket: str, **more: Any) -> dict[str, Any]:
    resource = f"arn:aws:s3:::{bucket}/*"
    statement = {"Sid": "ReadPinnedLists", "Effect": "Allow", **more, "Action": "s3:GetObject", "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}


@cache
def _managed(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(aws_managed_policies_data)[name]
    return found


def _role_policies(account: str, name: str) -> list[dict[str, Any]]:
    """The documents of the role's inline and attached policies. Raises SsmError where there is no such role."""
    try:
        role = iam_backends[account]["aws"].get_role(name)
    except NotFoundException as unknown:
        raise SsmError("NoSuchEntity", f"The role with name {name} cannot be found.", 404) from unknown
    versions = [version for policy in role.managed_policies.values() for version in policy.versions]
    attached = [version.document for version in versions if version.is_default]
    return [json.loads(document) for document in (*role.policies.values(), *attached)]


def _decide(documents: list[dict[str, Any]], action: str, resource: str, principal: str | None = None) -> str:
    """An explicit deny wins; a statement with a condition grants nothing, for nobody states the context."""
    effects = {
        statement["Effect"]
        for document in documents
        for statement in _list(document["Statement"])
        if _concerns(statement, action, resource, principal)
        and (statement["Effect"] == "Deny" or "Condition" not in statement)
    }
    return "explicitDeny" if "Deny" in effects else "allowed" if "Allow" in effects else "implicitDeny"


def _concerns(statement: dict[str, Any], action: str, resource: str, principal: str | None) -> bool:
    return (
        any(fnmatchcase(action.lower(), pattern.lower()) for pattern in _list(statement.get("Action", [])))
        and any(fnmatchcase(resource, pattern) for pattern in _list(statement.get("Resource", [])))
        and (principal is None or any(name in _names(principal) for name in _principals(statement)))
    )


def _principals(statement: dict[str, Any]) -> list[str]:
    named = statement.get("Principal", {})
    return ["*"] if named == "*" else _list(named.get("AWS", []))


def _names(principal: str) -> tuple[str, ...]:
    """How a policy may name this role: by itself, or with its whole account."""
    account = principal.split(":")[4]
    return principal, account, f"arn:aws:iam::{account}:root", "*"


def _members(form: Mapping[str, list[str]], name: str) -> list[str]:
    def numbered() -> Iterator[str]:
        number = 1
        while f"{name}.member.{number}" in form:
            yield form[f"{name}.member.{number}"][0]
            number += 1

    return list(numbered())


def _list(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
    return value if isinstance(value, list) else [value]
