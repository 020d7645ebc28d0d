"""A script of AWS calls: botocore's Stubber checks names and shapes, the session's log their order and number."""

from __future__ import annotations

import typing as t

import boto3
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.aiplatform.eks.plugins.module_utils._aws.session import AwsSession
from ansible_collections.aiplatform.eks.plugins.module_utils._core.clock import SteppingClock
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context, Outcome
from botocore.stub import Stubber

Record = dict[str, t.Any]
CREDENTIALS = {
    "aws_access_key_id": "AKIAIOSFODNN7EXAMPLE",
    "aws_secret_access_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "region_name": "us-east-1",
}
STATUS = {
    "ResourceNotFoundException": 404,
    "ResourceInUseException": 409,
    "AccessDeniedException": 403,
    "ThrottlingException": 429,
}


class Script:
    """Calls that are expected, in this order for each service."""

    def __init__(self) -> None:
        self._clients = {name: boto3.client(name, **CREDENTIALS) for name in ("eks", "ec2", "autoscaling")}
        self._stubs = {name: Stubber(client) for name, client in self._clients.items()}
        self._names = {
            name: {operation: method for method, operation in client.meta.method_to_api_mapping.items()}
            for name, client in self._clients.items()
        }
        self.expected: list[str] = []
        self.clock = SteppingClock()
        self.session = AwsSession({}, clients=self._clients)
        for stub in self._stubs.values():
            stub.activate()

    def call(self, action: str, parameters: Record, answer: Record | None = None) -> Script:
        """Expect a call, with exactly these parameters."""
        service, operation = action.split(":")
        self._stubs[service].add_response(self._names[service][operation], answer or {}, parameters)
        self.expected.append(action)
        return self

    def fails(self, action: str, code: str, message: str = "because", parameters: Record | None = None) -> Script:
        """Expect a call and answer it with an error."""
        service, operation = action.split(":")
        self._stubs[service].add_client_error(
            self._names[service][operation],
            code,
            message,
            http_status_code=STATUS.get(code, 400),
            expected_params=parameters,
        )
        self.expected.append(action)
        return self

    def run(self, use_case: t.Any, *, check: bool = False, **options: t.Any) -> Outcome:
        """Run the use case against the script; every call must have been made, in this order."""
        spec = use_case.SPEC
        validation = ArgumentSpecValidator(dict(spec.options), **spec.constraints()).validate(options)
        assert not validation.error_messages, validation.error_messages
        context = Context(check_mode=check, diff_mode=True, clock=self.clock)
        said = ""
        try:
            return t.cast("Outcome", use_case.run(validation.validated_parameters, context, self.session))
        except PlatformError as error:
            said = error.message
            raise
        finally:
            made = [f"{call.service}:{call.operation}" for call in self.session.calls]
            assert made == self.expected, said
            for stub in self._stubs.values():
                stub.assert_no_pending_responses()
