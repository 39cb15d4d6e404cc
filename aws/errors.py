"""What a failed call means: nothing happened (a definite refusal), or it may have happened (doubt).

The difference decides whether a step may go back to `planned` (design.md I2), so what is not known to be a
refusal is a doubt. Messages are one sentence for a person; causes are chained for the log.
"""

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from botocore import exceptions as boto
from botocore.exceptions import ClientError

from aws.target import Target


class AwsError(Exception):
    """A call to AWS failed; the message says what was refused, what was not done and what to do next.

    `code` is AWS's error code or the name of the botocore exception; `request_id` is for the log.
    """

    def __init__(self, message: str, *, code: str, operation: str, request_id: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.operation = operation
        self.request_id = request_id


class DefiniteRefusal(AwsError):
    """Nothing happened: a 4xx with an AWS error code, or a failure before any byte was written."""


class Throttled(DefiniteRefusal):
    """AWS asked for fewer calls; nothing happened."""


class Unreached(DefiniteRefusal):
    """AWS could not be reached, before any byte was written; nothing happened, and the network may be back soon."""


class AccessRefused(DefiniteRefusal):
    """The credentials may not do this, or are not valid; nothing happened."""


class WrongAccount(DefiniteRefusal):
    """The credentials belong to another account than the target names; nothing was asked of it."""


class Doubt(AwsError):
    """A timeout, a reset, a 5xx or an answer nobody can read: it may have happened."""


_THROTTLING: Final = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "SlowDown",
    }
)
_ACCESS: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "NotAuthorized",
        "OptInRequired",
        "SignatureDoesNotMatch",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    }
)
# InternalServerError has no HTTP status in botocore's ssm model, so its status is no proof of a refusal.
_DOUBTFUL_CODE: Final = re.compile(r"^$|^\d+$|^Unknown$|^Internal|^ServiceUnavailable|^RequestTimeout")
_NEVER_WRITTEN: Final = (
    boto.EndpointConnectionError,
    boto.ConnectTimeoutError,
    boto.ProxyConnectionError,
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.TokenRetrievalError,
    boto.UnauthorizedSSOTokenError,
    boto.ProfileNotFound,
    boto.NoRegionError,
    boto.UnknownEndpointError,
    boto.InvalidRegionError,
    boto.ParamValidationError,
)
_NO_WAY_THERE: Final = (boto.EndpointConnectionError, boto.ConnectTimeoutError, boto.ProxyConnectionError)
_CREDENTIALS: Final = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.TokenRetrievalError,
    boto.UnauthorizedSSOTokenError,
    boto.ProfileNotFound,
)
_CHANGES_SOMETHING: Final = frozenset(
    {
        "SendCommand",
        "CancelCommand",
        "PutObject",
        "CreateImage",
        "CreateSnapshots",
        "SendEmail",
        "CreateMaintenanceWindow",
        "UpdateMaintenanceWindow",
        "DeleteMaintenanceWindow",
        "RegisterTargetWithMaintenanceWindow",
        "UpdateMaintenanceWindowTarget",
        "RegisterTaskWithMaintenanceWindow",
        "UpdateMaintenanceWindowTask",
    }
)
# Asked before an operation to get or to check its credentials: whatever their failure is, the operation was not sent.
_BEFORE_OPERATION: Final = frozenset({"AssumeRole", "GetCallerIdentity"})
# Where it is not Systems Manager's; and where IAM's action is not named as the operation is.
_SERVICE_OF: Final = {
    "AssumeRole": "sts",
    "CreateImage": "ec2",
    "CreateSnapshots": "ec2",
    "DescribeAlarms": "cloudwatch",
    "DescribeImages": "ec2",
    "DescribeInstances": "ec2",
    "DescribeSnapshots": "ec2",
    "GetAccount": "ses",
    "GetCallerIdentity": "sts",
    "GetEmailIdentity": "ses",
    "GetInstanceProfile": "iam",
    "GetObject": "s3",
    "ListProtectedResources": "backup",
    "ListRecoveryPointsByResource": "backup",
    "PutObject": "s3",
    "SendEmail": "ses",
    "SimulatePrincipalPolicy": "iam",
}
_ACTION_OF: Final = {"ListObjectsV2": "s3:ListBucket"}
_LONGEST_DETAIL: Final = 300


@contextmanager
def calling(operation: str, target: Target | None, subject: str = "") -> Iterator[None]:
    """Raise whatever goes wrong in the block as an AwsError, the reading of the answer included.

    The block holds one operation and the reading of its answer, nothing else.
    """
    try:
        yield
    except AwsError:
        raise
    except Exception as error:
        raise classify(error, operation, target, subject) from error


def classify(error: Exception, operation: str, target: Target | None, subject: str = "") -> AwsError:
    """The AwsError for a failed `operation`. `subject` is what it was about, e.g. an s3:// URL."""
    what = f"{operation} on {subject}" if subject else operation
    where = str(target) if target else "the base credentials' account"
    if isinstance(error, ClientError):
        return _answered(error, operation, f"{what} ({where})", target)
    code = type(error).__name__
    if _was_never_written(error):
        advice = (
            "give the bot AWS credentials that are valid"
            if isinstance(error, _CREDENTIALS)
            else "correct the request"
            if isinstance(error, boto.ParamValidationError)
            else "check the network, the Region and the endpoint"
        )
        refusal = Unreached if isinstance(error, _NO_WAY_THERE) else DefiniteRefusal
        return refusal(
            f"{what} ({where}) could not be sent to AWS: {_one_line(str(error))}; nothing was done, {advice}.",
            code=code,
            operation=operation,
        )
    return _no_clear_answer(operation, f"{what} ({where})", code, f"{code}: {_one_line(str(error))}")


def _answered(error: ClientError, operation: str, what: str, target: Target | None) -> AwsError:
    response: dict[str, Any] = dict(error.response)
    code = str(response.get("Error", {}).get("Code", ""))
    detail = _one_line(str(response.get("Error", {}).get("Message", "")))
    metadata = response.get("ResponseMetadata", {})
    status = int(metadata.get("HTTPStatusCode", 0))
    request_id = str(metadata.get("RequestId", ""))
    said = f"{code}: {detail}" if detail else code

    if code in _THROTTLING and (status < 500 or operation not in _CHANGES_SOMETHING):
        return Throttled(
            f"AWS throttled {what}, so nothing was done; try again in a minute.",
            code=code,
            operation=operation,
            request_id=request_id,
        )
    if not 400 <= status < 500 or status == 408 or _DOUBTFUL_CODE.search(code):
        return _no_clear_answer(operation, what, code or str(status), f"HTTP {status}, {said}", request_id)
    if code in _ACCESS:
        role = target.role_identity if target else "base credentials"
        return AccessRefused(
            f"AWS refused {what} with the {role}: {said}; nothing was done, "
            f"allow {_action(operation)} there (deploy/iam says how).",
            code=code,
            operation=operation,
            request_id=request_id,
        )
    return DefiniteRefusal(
        f"AWS refused {what}: {said}; nothing was done, correct what it names and ask again.",
        code=code,
        operation=operation,
        request_id=request_id,
    )


def _no_clear_answer(operation: str, what: str, code: str, said: str, request_id: str = "") -> AwsError:
    if operation in _BEFORE_OPERATION:
        return DefiniteRefusal(
            f"AWS gave no clear answer to {what} ({said}), so the account is not confirmed and nothing was done; "
            "ask again.",
            code=code,
            operation=operation,
            request_id=request_id,
        )
    if operation in _CHANGES_SOMETHING:
        consequence = "it may have happened; look before it is done again"
    else:
        consequence = "nothing was changed; ask again"
    return Doubt(
        f"AWS gave no clear answer to {what} ({said}): {consequence}.",
        code=code,
        operation=operation,
        request_id=request_id,
    )


def _was_never_written(error: Exception) -> bool:
    if isinstance(error, boto.SSLError):
        # TLS can break in the middle of an answer too; a certificate is judged before the request is written.
        return any(isinstance(link, ssl.SSLCertVerificationError) for link in _chain(error))
    return isinstance(error, _NEVER_WRITTEN)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, its causes, and what urllib3 keeps of them as arguments only."""
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting:
        link = waiting.pop()
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        related = (link.__cause__, link.__context__, *link.args)
        waiting.extend(other for other in related if isinstance(other, BaseException))


def _action(operation: str) -> str:
    """The IAM action that allows an operation."""
    return _ACTION_OF.get(operation, f"{_SERVICE_OF.get(operation, 'ssm')}:{operation}")


def _one_line(text: str) -> str:
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= _LONGEST_DETAIL else line[: _LONGEST_DETAIL - 1] + "…"
