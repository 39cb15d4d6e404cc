"""The Command documents that are no part of AWS: the one that the product brings, and the applications' own hooks.

They are read from DescribeDocument and never assumed (facts/patch-manager.md section 1).
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from aws.caller import Caller
from aws.errors import DefiniteRefusal, calling
from aws.target import Target
from patching.hooks import INSTALL_WITH_HOOKS

if TYPE_CHECKING:
    from mypy_boto3_ssm.type_defs import DocumentDescriptionTypeDef

# It stands beside the packages in a checkout and in the wheel.
SHIPPED = Path(__file__).parents[1] / "deploy" / "ssm" / f"{INSTALL_WITH_HOOKS}.yaml"


class Documents(Caller):
    def install_with_hooks_trouble(self, target: Target) -> str | None:
        """One sentence with what to do where the document that runs there is not the shipped one, by its hash.

        Raises AwsError where AWS does not say.
        """
        found = self._described(target, INSTALL_WITH_HOOKS)
        if found is None:
            return (
                f"{INSTALL_WITH_HOOKS} does not exist in {target}, so no hook can run there; {_how_to_create(target)}."
            )
        if _is_shipped(found):
            return None
        latest = self._described(target, INSTALL_WITH_HOOKS, "$LATEST")
        there = f"version {found['DocumentVersion']} of {INSTALL_WITH_HOOKS} in {target}"
        if latest is not None and _is_shipped(latest):
            how = _how_to_choose(target, latest["DocumentVersion"])
            return f"The default, {there}, is not what this Patchgate was made for, a later one is; {how}."
        return f"The default, {there}, is not what this Patchgate was made for; {_how_to_update(target)}."

    def hook_trouble(self, target: Target, name: str) -> str | None:
        """One sentence where this document can't be a hook there. Raises AwsError where AWS does not say."""
        found = self._described(target, name)
        if found is None:
            return f"The hook {name} does not exist in {target}; create it there, or take it out of the configuration."
        problems = [*_problems_of_a_hook(found)]
        return f"The hook {name} in {target} can't run: {'; '.join(problems)}." if problems else None

    def _described(self, target: Target, name: str, version: str = "$DEFAULT") -> "DocumentDescriptionTypeDef | None":
        client = self._sessions.client("ssm", target)
        try:
            with calling("DescribeDocument", target, name):
                return client.describe_document(Name=name, DocumentVersion=version)["Document"]
        except DefiniteRefusal as refused:
            if refused.code == "InvalidDocument":
                return None
            raise


def _is_shipped(found: "DocumentDescriptionTypeDef") -> bool:
    return (found.get("HashType"), found.get("Hash")) == ("Sha256", hashlib.sha256(SHIPPED.read_bytes()).hexdigest())


def _problems_of_a_hook(found: "DocumentDescriptionTypeDef") -> Iterator[str]:
    kind, status = found.get("DocumentType", "Command"), found.get("Status", "Active")
    if kind != "Command":
        yield f"it is of type {kind}, and a hook is of type Command"
    if status != "Active":
        yield f"its status is {status}"
    # Whoever runs it as a hook can give it nothing.
    required = sorted(each["Name"] for each in found.get("Parameters", []) if "DefaultValue" not in each)
    if required:
        yield f"it demands {', '.join(required)}, which a hook is not given, so give defaults to them"


def _how_to_create(target: Target) -> str:
    return f"create it with `aws ssm create-document --document-type Command {_content(target)}`"


def _how_to_update(target: Target) -> str:
    update = f"aws ssm update-document --document-version '$LATEST' {_content(target)}"
    return f"update it with `{update}` and make the version that this returns the default"


def _how_to_choose(target: Target, version: str) -> str:
    named = f"--region {target.region} --name {INSTALL_WITH_HOOKS} --document-version {version}"
    return f"make that the default with `aws ssm update-document-default-version {named}`"


def _content(target: Target) -> str:
    return f"--region {target.region} --name {INSTALL_WITH_HOOKS} --document-format YAML --content file://{SHIPPED}"
