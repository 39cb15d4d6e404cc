"""Clients per service, account, Region and role, whose account is confirmed before they are handed out."""

import threading
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast, overload

import boto3
import botocore.session
from botocore.client import BaseClient
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import NoCredentialsError
from botocore.loaders import Loader, create_loader

from aws.errors import WrongAccount, calling
from aws.target import Target

if TYPE_CHECKING:
    from botocore.paginate import Paginator
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_sts import STSClient

ROLE_SESSION_NAME = "patchgate"
SERVICES = ("ec2", "s3", "ssm", "sts")
_ATTEMPTS = 6


class CloudWatchClient(Protocol):
    """What is asked of CloudWatch: one operation, not worth its whole stubs."""

    def get_paginator(self, operation_name: Literal["describe_alarms"]) -> "Paginator[dict[str, Any]]": ...


class BackupClient(Protocol):
    """What is asked of AWS Backup: two operations, not worth its whole stubs."""

    def get_paginator(
        self, operation_name: Literal["list_protected_resources", "list_recovery_points_by_resource"]
    ) -> "Paginator[dict[str, Any]]": ...


class SesClient(Protocol):
    """What is asked of Amazon SES: three operations, not worth its whole stubs."""

    def send_email(
        self, *, FromEmailAddress: str, Destination: dict[str, list[str]], Content: dict[str, Any]
    ) -> dict[str, Any]: ...
    def get_account(self) -> dict[str, Any]: ...
    def get_email_identity(self, *, EmailIdentity: str) -> dict[str, Any]: ...


class IamClient(Protocol):
    """What is asked of IAM: two operations, not worth its whole stubs."""

    def get_instance_profile(self, *, InstanceProfileName: str) -> dict[str, Any]: ...
    def simulate_principal_policy(
        self,
        *,
        PolicySourceArn: str,
        ActionNames: list[str],
        ResourceArns: list[str],
    ) -> dict[str, Any]: ...


class Sessions:
    """Clients for every target, shared by all threads.

    `environ` gives AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_PROFILE and
    AWS_ENDPOINT_URL in place of the process's environment; without it boto3 looks for itself. Timeouts are
    in seconds.
    """

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        *,
        connect_timeout: float = 5.0,
        read_timeout: float = 30.0,
    ) -> None:
        self._base = _base_session(environ)
        self._endpoint_url = environ.get("AWS_ENDPOINT_URL") if environ is not None else None
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._lock = threading.Lock()  # creating a client is not thread-safe; using it is
        self._roles: dict[str, boto3.Session] = {}
        self._clients: dict[tuple[str, str, str | None], BaseClient] = {}
        self._account_locks: dict[Target, threading.Lock] = {}
        self._confirmed: set[Target] = set()

    def preload(self) -> None:
        """Read botocore's descriptions of our services now, at the start.

        Parsing EC2's alone stops all other threads for a good part of a second: somebody's ack would wait for it.
        """
        with self._lock:
            for service in SERVICES:
                self._create(service, "us-east-1", None, True)

    @overload
    def client(self, service: Literal["ssm"], target: Target, *, retries: bool = True) -> "SSMClient": ...
    @overload
    def client(self, service: Literal["ec2"], target: Target, *, retries: bool = True) -> "EC2Client": ...
    @overload
    def client(self, service: Literal["s3"], target: Target, *, retries: bool = True) -> "S3Client": ...
    @overload
    def client(self, service: Literal["cloudwatch"], target: Target, *, retries: bool = True) -> CloudWatchClient: ...
    @overload
    def client(self, service: Literal["backup"], target: Target, *, retries: bool = True) -> BackupClient: ...
    @overload
    def client(self, service: Literal["iam"], target: Target, *, retries: bool = True) -> IamClient: ...
    def client(self, service: str, target: Target, *, retries: bool = True) -> Any:
        """The client for `service`; `retries=False` sends every request once at most (design.md I2).

        Raises WrongAccount where the credentials are another account's, DefiniteRefusal where that could
        not be found out: nothing has been asked of the service then.
        """
        self._confirm_account(target)
        return self._client(service, target.region, target.role_arn, retries)

    @overload
    def base_client(self, service: Literal["s3"], region: str, *, retries: bool = True) -> "S3Client": ...
    @overload
    def base_client(self, service: Literal["sesv2"], region: str, *, retries: bool = True) -> SesClient: ...
    def base_client(self, service: str, region: str, *, retries: bool = True) -> Any:
        """A client with the base credentials, whichever account they belong to; `retries` as for `client`."""
        return self._client(service, region, None, retries)

    def identity(self, target: Target) -> str:
        """The ARN behind the target's credentials. Raises as `client` does."""
        with calling("GetCallerIdentity", target):
            sts = cast("STSClient", self._client("sts", target.region, target.role_arn, True))
            caller = sts.get_caller_identity()
            account, arn = caller["Account"], caller["Arn"]
        if account != target.account:
            raise WrongAccount(
                f"The {target.role_identity} belong to account {account}, not to {target}, so nothing was asked; "
                "correct the environment's account or role_arn.",
                code="WrongAccount",
                operation="GetCallerIdentity",
            )
        return arn

    def _confirm_account(self, target: Target) -> None:
        with self._lock:
            account_lock = self._account_locks.setdefault(target, threading.Lock())
        # A lock for each target: an account that answers slowly holds up nobody else.
        with account_lock:
            if target not in self._confirmed:
                self.identity(target)
                self._confirmed.add(target)

    def _client(self, service: str, region: str, role_arn: str | None, retries: bool) -> BaseClient:
        with self._lock:
            if not retries:
                # A new client (4 ms) has a new connection: one that idled may be closing on the other side just
                # when it is written to, which would be a doubt about a command that AWS never saw.
                return self._create(service, region, role_arn, retries)
            key = (service, region, role_arn)
            if key not in self._clients:
                self._clients[key] = self._create(service, region, role_arn, retries)
            return self._clients[key]

    def _create(self, service: str, region: str, role_arn: str | None, retries: bool) -> BaseClient:
        session = self._role(role_arn, region) if role_arn else self._base
        client: BaseClient = session.client(
            service,  # type: ignore[call-overload]  # the stubs list services one by one
            region_name=region,
            endpoint_url=self._endpoint_url,
            config=self._config(retries),
        )
        return client

    def _config(self, retries: bool) -> Config:
        return Config(
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS if retries else 1},
            max_pool_connections=50,
            user_agent_extra="patchgate",
            connect_timeout=self._connect_timeout,
            read_timeout=self._read_timeout,
        )

    def _role(self, role_arn: str, region: str) -> boto3.Session:
        """A session whose credentials are the role's, fetched at the first request and renewed before they end."""
        if role_arn not in self._roles:
            core = _core_session()
            provider = _AssumedRole(partial(self._assume, role_arn, region))
            core.register_component("credential_provider", CredentialResolver([provider]))
            self._roles[role_arn] = boto3.Session(botocore_session=core)
        return self._roles[role_arn]

    def _assume(self, role_arn: str, region: str) -> dict[str, Any]:
        with calling("AssumeRole", None, role_arn):
            source = self._base.get_credentials()
            if source is None:
                raise NoCredentialsError
            fetcher = AssumeRoleCredentialFetcher(
                client_creator=partial(self._create_sts, region),
                source_credentials=source,
                role_arn=role_arn,
                extra_args={"RoleSessionName": ROLE_SESSION_NAME},
            )
            return fetcher.fetch_credentials()

    def _create_sts(
        self,
        region: str,
        service: str,
        *,
        aws_access_key_id: str,
        aws_secret_access_key: str,
        aws_session_token: str | None,
    ) -> BaseClient:
        with self._lock:
            client: BaseClient = self._base.client(
                service,  # type: ignore[call-overload]  # the stubs list services one by one
                region_name=region,
                endpoint_url=self._endpoint_url,
                config=self._config(True),
                aws_access_key_id=aws_access_key_id,
                aws_secret_access_key=aws_secret_access_key,
                aws_session_token=aws_session_token,
            )
            return client


class _AssumedRole(CredentialProvider):
    METHOD = "assume-role"

    def __init__(self, fetch: Callable[[], dict[str, Any]]) -> None:
        super().__init__()
        self._fetch = fetch

    def load(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(refresh_using=self._fetch, method=self.METHOD)


def _base_session(environ: Mapping[str, str] | None) -> boto3.Session:
    environ = environ or {}
    core = _core_session(environ.get("AWS_PROFILE"))
    if "AWS_ACCESS_KEY_ID" in environ:
        core.set_credentials(
            environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"], environ.get("AWS_SESSION_TOKEN")
        )
    return boto3.Session(botocore_session=core)


def _core_session(profile: str | None = None) -> botocore.session.Session:
    core = botocore.session.Session(profile=profile)
    core.register_component("data_loader", _loader())
    return core


@cache
def _loader() -> Loader:
    """Service descriptions are tens of megabytes and half a second to load: one copy serves all sessions."""
    return create_loader()
