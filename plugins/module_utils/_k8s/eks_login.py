# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Log in to an EKS cluster by its name: DescribeCluster and a token that is signed in this process, no aws CLI.

The token is a presigned sts:GetCallerIdentity, as aws-iam-authenticator defines it: bound to the cluster by the signed
header C(x-k8s-aws-id), to be used within 60 s, then good for 15 minutes.
"""

from __future__ import annotations

import base64
import typing as t
from dataclasses import dataclass, field

from .._core.errors import MissingLibraryError, PlatformError
from .errors import ClusterAbsentError

try:
    import botocore.exceptions
    import botocore.session
    import botocore.signers
except ImportError as import_error:
    botocore = None  # type: ignore[assignment]  # said when it is needed
    IMPORT_ERROR: ImportError | None = import_error
else:
    IMPORT_ERROR = None

TOKEN_PREFIX = "k8s-aws-v1."  # noqa: S105 (a format marker)
USABLE_FOR = 60
ABSENT = "ResourceNotFoundException"


@dataclass(frozen=True)
class EksLogin:
    """Where the cluster is and how to log in.

    :param endpoint: URL of the API server.
    :param authority: its certificate authority, as PEM text.
    """

    endpoint: str
    authority: str
    token: str = field(repr=False)


def eks_login(*, cluster: str, region: str | None, profile: str | None) -> EksLogin:
    """Log in with the credentials of botocore's usual chain.

    :param region: the usual chain decides when it is None.
    :raises MissingLibraryError: botocore is absent.
    :raises ClusterAbsentError: the cluster is not there, or has no endpoint yet.
    :raises PlatformError: AWS refuses.
    """
    if botocore is None:
        raise MissingLibraryError(
            f"eks_cluster needs the Python package 'botocore' ({IMPORT_ERROR}); pip install boto3"
        )
    try:
        session = botocore.session.Session(profile=profile)
        place = region or session.get_config_variable("region")
        if not place:
            raise PlatformError(f"cluster {cluster}: no region; give eks_region, or set AWS_REGION")
        eks: t.Any = session.create_client("eks", region_name=place)
        found = eks.describe_cluster(name=cluster)["cluster"]
        token = eks_token(session, cluster=cluster, region=place)
    except botocore.exceptions.ClientError as error:
        if error.response.get("Error", {}).get("Code") == ABSENT:
            raise ClusterAbsentError(f"there is no EKS cluster {cluster} in {place}; make it first") from error
        raise PlatformError(f"cannot log in to the EKS cluster {cluster}: {error}") from error
    except botocore.exceptions.BotoCoreError as error:
        raise PlatformError(f"cannot log in to the EKS cluster {cluster}: {error}") from error
    if not found.get("endpoint"):
        raise ClusterAbsentError(f"the EKS cluster {cluster} has no endpoint yet, its status is {found.get('status')}")
    try:
        authority = base64.b64decode(found["certificateAuthority"]["data"]).decode("ascii")
    except ValueError as error:
        raise PlatformError(
            f"the certificate authority of the EKS cluster {cluster} is no PEM text: {error}"
        ) from error
    return EksLogin(found["endpoint"], authority, token)


def eks_token(session: t.Any, *, cluster: str, region: str) -> str:
    """The bearer token for a cluster, signed with the session's credentials.

    :raises PlatformError: there are no credentials.
    """
    credentials = session.get_credentials()
    if credentials is None:
        raise PlatformError(f"cluster {cluster}: no AWS credentials; set AWS_PROFILE, or run with a role")
    sts = session.create_client("sts", region_name=region)
    signer = botocore.signers.RequestSigner(
        sts.meta.service_model.service_id, region, "sts", "v4", credentials, session.get_component("event_emitter")
    )
    url = signer.generate_presigned_url(
        {
            "method": "GET",
            "url": f"{sts.meta.endpoint_url}/?Action=GetCallerIdentity&Version=2011-06-15",
            "body": {},
            "headers": {"x-k8s-aws-id": cluster},
            "context": {},
        },
        region_name=region,
        expires_in=USABLE_FOR,
        operation_name="",
    )
    return TOKEN_PREFIX + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


__all__ = ("EksLogin", "eks_login", "eks_token")
