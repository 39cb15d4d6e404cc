"""What really happened at the simulated AWS, for the stories' last word: SSM's log, the nodes, the bucket."""

import json
from collections import Counter
from typing import Any

import boto3

from sandbox.aws.log import Install
from sandbox.fleet import PRODUCTION, REGION
from tests.town import Town

Pairs = frozenset[tuple[str, str]]  # (KBId, Title)


def nodes_of(town: Town, application: str, environment: str) -> frozenset[str]:
    return frozenset(node.id for node in town.around.world.fleet.environment(application, environment).nodes)


def sent_to(town: Town, application: str, environment: str, operation: str) -> list[Any]:
    """Commands for nodes of the environment in SSM's own log, whatever was answered."""
    theirs = nodes_of(town, application, environment)
    return [call for call in town.sent(operation) if theirs & set(call.params["InstanceIds"])]


def installed_on(town: Town, application: str, environment: str) -> list[Install]:
    """Installs that nodes of the environment really began."""
    theirs = nodes_of(town, application, environment)
    return [install for install in town.around.world.installs() if theirs & set(install.node_ids)]


def pinned_pairs(url: str, town: Town) -> Pairs:
    """The (id, title) pairs of an InstallOverrideList, read back from its s3:// address."""
    bucket, _, key = url.removeprefix("s3://").partition("/")
    s3 = boto3.client(
        "s3",
        region_name=REGION,
        endpoint_url=town.around.aws.url,
        aws_access_key_id=town.around.aws.base_key(PRODUCTION),
        aws_secret_access_key="sandbox",
    )
    document = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    assert set(document) == {"patches"}
    assert all(set(patch) == {"id", "title"} for patch in document["patches"])
    return frozenset((patch["id"], patch["title"]) for patch in document["patches"])


def proven_pairs(town: Town, application: str) -> Pairs:
    """What every non-production node installed."""
    (install,) = installed_on(town, application, "nonprod")
    (pairs,) = {frozenset(rows) for rows in install.rows.values()}
    return pairs


def rows_installed(town: Town, application: str, environment: str) -> dict[str, Pairs]:
    """By node, what all Installs together put on it."""
    rows: dict[str, Pairs] = {}
    for install in installed_on(town, application, environment):
        for node, done in install.rows.items():
            rows[node] = rows.get(node, frozenset()) | frozenset(done)
    return rows


def check_every_command(town: Town, application: str) -> None:
    """Whatever was sent for an application: the document, one Operation, the step's id in both places, few nodes."""
    theirs = {environment: nodes_of(town, application, environment) for environment in ("nonprod", "prod")}
    for environment, nodes in theirs.items():
        for operation in ("Scan", "Install"):
            for call in sent_to(town, application, environment, operation):
                parameters = call.params["Parameters"]
                assert call.params["DocumentName"] == "AWS-RunPatchBaseline"
                assert call.outcome == "ok"
                assert set(call.params["InstanceIds"]) == nodes
                assert "Targets" not in call.params
                assert parameters["Operation"] == [operation]
                assert parameters["SnapshotId"] == [call.params["Comment"].split()[-1]]
                expected = ["RebootIfNeeded"] if operation == "Install" else None
                assert operation == "Scan" or parameters["RebootOption"] == expected
                assert ("InstallOverrideList" in parameters) == (operation == "Install" and environment == "prod")
    steps = [call.params["Comment"].split()[-1] for call in town.sent()]
    assert len(steps) == len(set(steps)), "a step was sent twice"


def installs_by_node(town: Town, application: str, environment: str) -> dict[str, int]:
    """How many Install commands were sent to each node of the environment."""
    counts = Counter(
        node for call in sent_to(town, application, environment, "Install") for node in call.params["InstanceIds"]
    )
    return {node: counts[node] for node in nodes_of(town, application, environment)}
