"""Where pinned lists go: objects whose key is made from their content."""

import hashlib
from typing import TYPE_CHECKING

from aws.errors import Doubt, calling
from aws.sessions import Sessions
from aws.target import Target

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Artifacts:
    """One prefix of one bucket. `target` says whose credentials write; None means the base credentials."""

    def __init__(self, sessions: Sessions, bucket: str, prefix: str, region: str, target: Target | None = None) -> None:
        self._sessions = sessions
        self._bucket = bucket
        self._prefix = prefix
        self._region = region
        self._target = target

    def put(self, key: str, body: bytes) -> str:
        """Store `body` and give its s3:// URL, once the object was read back with the same SHA-256.

        `key` is below the prefix; one that starts with the prefix is taken as it is. Putting the same content
        again changes nothing, because a key is made from its content. Raises AwsError.
        """
        key = key if key.startswith(self._prefix) else self._prefix + key
        url = f"s3://{self._bucket}/{key}"
        client = self._client()
        with calling("PutObject", self._target, url):
            client.put_object(Bucket=self._bucket, Key=key, Body=body, ChecksumAlgorithm="SHA256")
        with calling("GetObject", self._target, url):
            stored = client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        if hashlib.sha256(stored).digest() != hashlib.sha256(body).digest():
            raise Doubt(
                f"{url} does not hold what was written to it, so no Install may use it; "
                "look who else writes to the bucket and ask again.",
                code="ContentDiffers",
                operation="GetObject",
            )
        return url

    def probe(self) -> None:
        """Whether the bucket is there and may be read, without writing to it. Raises AwsError."""
        client = self._client()
        with calling("ListObjectsV2", self._target, f"s3://{self._bucket}/{self._prefix}"):
            client.list_objects_v2(Bucket=self._bucket, Prefix=self._prefix, MaxKeys=1)

    def _client(self) -> "S3Client":
        if self._target is None:
            return self._sessions.base_client("s3", self._region)
        return self._sessions.client("s3", Target(self._target.account, self._region, self._target.role_arn))
