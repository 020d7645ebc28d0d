# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one place that imports moto and werkzeug; everything else takes them from here, when it runs."""

from __future__ import annotations

from ..._core.errors import MissingLibraryError

try:
    from moto.autoscaling.models import autoscaling_backends
    from moto.backend_index import backend_url_patterns
    from moto.cloudformation.exceptions import UnformattedGetAttTemplateException
    from moto.cloudformation.models import Stack
    from moto.cloudformation.parsing import (
        generate_resource_name,
        resource_class_from_type,
        resource_name_property_from_type,
    )
    from moto.cloudformation.utils import get_stack_from_s3_url
    from moto.core.exceptions import ServiceException
    from moto.core.request import Request
    from moto.core.responses import ActionResult, BaseResponse
    from moto.ec2.models import ec2_backends
    from moto.ec2.models.core import TaggedEC2Resource
    from moto.efs.models import efs_backends
    from moto.events.models import events_backends
    from moto.fsx.models import fsx_backends
    from moto.iam.access_control import IAMPolicyStatement, PermissionResult
    from moto.iam.models import IAMBackend, iam_backends
    from moto.kms.models import kms_backends
    from moto.moto_server.werkzeug_app import (
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from moto.s3.models import s3_backends
    from moto.sqs.models import sqs_backends
    from moto.ssm.models import ssm_backends
    from werkzeug.serving import make_server
except ImportError as error:
    MOTO_ERROR: ImportError | None = error
else:
    MOTO_ERROR = None


def known_to_moto(service: str, region: str) -> bool:
    """Whether moto has that service at all."""
    return any(pattern.match(f"http://{service}.{region}.amazonaws.com") for _other, pattern in backend_url_patterns)


def require_moto() -> None:
    """Say what is missing.

    :raises MissingLibraryError: when moto's server cannot be imported.
    """
    if MOTO_ERROR is not None:
        raise MissingLibraryError(
            f"the emulated AWS needs moto: {MOTO_ERROR}; install moto[server]>=5.2.5,<5.3 into the controller's Python"
        )


__all__ = (
    "MOTO_ERROR",
    "ActionResult",
    "BaseResponse",
    "DomainDispatcherApplication",
    "IAMBackend",
    "IAMPolicyStatement",
    "MotoRequestHandler",
    "PermissionResult",
    "Request",
    "ServiceException",
    "Stack",
    "TaggedEC2Resource",
    "UnformattedGetAttTemplateException",
    "autoscaling_backends",
    "create_backend_app",
    "ec2_backends",
    "efs_backends",
    "events_backends",
    "fsx_backends",
    "generate_resource_name",
    "get_stack_from_s3_url",
    "iam_backends",
    "kms_backends",
    "known_to_moto",
    "make_server",
    "require_moto",
    "resource_class_from_type",
    "resource_name_property_from_type",
    "s3_backends",
    "sqs_backends",
    "ssm_backends",
)
