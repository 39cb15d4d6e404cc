"""Command documents: AWS's, the one that the product brings, and the applications' own.

They are read from DescribeDocument and never assumed (facts/patch-manager.md section 1).
"""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aws.caller import Caller
from aws.errors import DefiniteRefusal, calling
from aws.target import Target
from patching.hooks import INSTALL_WITH_HOOKS
from patching.phrases import listed

if TYPE_CHECKING:
    from mypy_boto3_ssm.type_defs import DocumentDescriptionTypeDef

# It stands beside the packages in a checkout and in the wheel.
SHIPPED = Path(__file__).parents[1] / "deploy" / "ssm" / f"{INSTALL_WITH_HOOKS}.yaml"


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """The default version of a document: the names of its `parameters`, and those of them that have no default."""

    name: str
    version: str
    hash: str  # Sha256; empty where AWS gives none
    parameters: frozenset[str]
    required: frozenset[str]


class UnusableDocument(DefiniteRefusal):
    """A document that is not there, or is not fit for what it is configured for: nothing is sent that needs it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="UnusableDocument", operation="DescribeDocument")


class Documents(Caller):
    def document(self, target: Target, name: str) -> DocumentInfo:
        """As it is, whatever it is for. Raises DefiniteRefusal where there is none of that name."""
        client = self._sessions.client("ssm", target)
        with calling("DescribeDocument", target, name):
            return _info(name, client.describe_document(Name=name)["Document"])

    def install_with_hooks(self, target: Target) -> DocumentInfo:
        """The product's document, where the default version is the shipped one by its hash.

        Costs a DescribeDocument, and a second one where it is another. Raises UnusableDocument with what to do, and
        the other AwsErrors where AWS does not say.
        """
        found = self._described(target, INSTALL_WITH_HOOKS)
        if found is None:
            raise UnusableDocument(
                f"{INSTALL_WITH_HOOKS} does not exist in {target}, so nothing is installed with hooks there: "
                f"{_how_to_create(target)}."
            )
        if _is_shipped(found):
            return _info(INSTALL_WITH_HOOKS, found)
        latest = self._described(target, INSTALL_WITH_HOOKS, "$LATEST")
        there = f"version {found['DocumentVersion']} of {INSTALL_WITH_HOOKS} in {target}"
        if latest is not None and _is_shipped(latest):
            what = "is not what this Patchgate was made for, a later one is"
            how = _how_to_choose(target, latest["DocumentVersion"])
        else:
            what, how = "is not what this Patchgate was made for", _how_to_update(target)
        raise UnusableDocument(f"The default, {there}, {what}, so nothing is installed with hooks there: {how}.")

    def own_document(
        self, target: Target, name: str, role: str, platform_types: Collection[str] = frozenset()
    ) -> DocumentInfo:
        """An application's own document, where it can be run with nothing but its defaults.

        `role`: what it is for, as people call it ("pre-install hook"). `platform_types`: the nodes', as AWS spells
        them (Linux, Windows, MacOS). Its name is the one that was asked for: of somebody else's document that is its
        ARN. Costs a DescribeDocument. Raises UnusableDocument with what to do, and the other AwsErrors.
        """
        found = self._described(target, name)
        if found is None:
            raise UnusableDocument(
                f"The {role} {name} does not exist in {target}, so nothing is installed there: "
                "create it, or take it out of the configuration."
            )
        problems = [*problems_of(found, platform_types)]
        if problems:
            raise UnusableDocument(
                f"The {role} {name} in {target} can't be run, so nothing is installed there: {'; '.join(problems)}."
            )
        return _info(name, found)

    def _described(self, target: Target, name: str, version: str = "$DEFAULT") -> "DocumentDescriptionTypeDef | None":
        client = self._sessions.client("ssm", target)
        try:
            with calling("DescribeDocument", target, name):
                return client.describe_document(Name=name, DocumentVersion=version)["Document"]
        except DefiniteRefusal as refused:
            if refused.code == "InvalidDocument":
                return None
            raise


def problems_of(found: "DocumentDescriptionTypeDef", platform_types: Collection[str]) -> Iterator[str]:
    """Why a described document can't be run on nodes of these types with nothing but its defaults, and what to do."""
    kind, status = found.get("DocumentType", "Command"), found.get("Status", "Active")
    if kind != "Command":
        yield f"it is of type {kind}, so name one of type Command"
    if status != "Active":
        yield f"its status is {status}, so wait until it is Active or repair it"
    required = _required(found)
    if required:
        yield f"it demands {listed(required)}, which nobody gives it, so give defaults to its parameters"
    # Run from within another document it would be skipped there and pass for a success.
    foreign = set(platform_types) - set(found.get("PlatformTypes", platform_types))
    if foreign:
        yield f"it does nothing on {listed(foreign)}, which nodes there run, so give it steps for that"


def _info(name: str, found: "DocumentDescriptionTypeDef") -> DocumentInfo:
    return DocumentInfo(
        name=name,
        version=found["DocumentVersion"],
        hash=found.get("Hash", "") if found.get("HashType") == "Sha256" else "",
        parameters=frozenset(parameter["Name"] for parameter in found.get("Parameters", [])),
        required=_required(found),
    )


def _required(found: "DocumentDescriptionTypeDef") -> frozenset[str]:
    return frozenset(each["Name"] for each in found.get("Parameters", []) if "DefaultValue" not in each)


def _is_shipped(found: "DocumentDescriptionTypeDef") -> bool:
    return (found.get("HashType"), found.get("Hash")) == ("Sha256", hashlib.sha256(SHIPPED.read_bytes()).hexdigest())


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
