"""AWS Backup, as far as it is read here: the recovery points of instances, which a test puts there. moto has none."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote


@dataclass(frozen=True)
class RecoveryPoint:
    """One of AWS Backup's, of an instance. `status` as AWS spells it: COMPLETED, PARTIAL, CREATING, …"""

    arn: str
    resource_arn: str
    created_at: datetime
    status: str
    vault: str


def answer(points: Iterable[RecoveryPoint], account: str, region: str, method: str, path: str) -> str | None:
    """AWS Backup's ListProtectedResources and ListRecoveryPointsByResource, in one page; None for anything else."""
    ours = [each for each in points if each.resource_arn.split(":")[3:5] == [region, account]]
    way = unquote(path).strip("/")
    if method != "GET" or not way.startswith("resources"):
        return None
    if way == "resources":
        newest = {each.resource_arn: each for each in sorted(ours, key=lambda each: each.created_at)}
        return json.dumps({"Results": [_protected(each) for each in newest.values()]})
    resource = way.removeprefix("resources/").removesuffix("/recovery-points")
    return json.dumps({"RecoveryPoints": [_listed(each) for each in ours if each.resource_arn == resource]})


def _protected(point: RecoveryPoint) -> dict[str, object]:
    return {
        "ResourceArn": point.resource_arn,
        "ResourceType": "EC2",
        "LastBackupTime": point.created_at.timestamp(),
        "LastRecoveryPointArn": point.arn,
    }


def _listed(point: RecoveryPoint) -> dict[str, object]:
    return {
        "RecoveryPointArn": point.arn,
        "CreationDate": point.created_at.timestamp(),
        "Status": point.status,
        "BackupVaultName": point.vault,
    }
