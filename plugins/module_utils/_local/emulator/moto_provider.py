# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resources of stacks, made by moto's classes; a type that moto has not gets a stand-in with a name and an ARN."""

from __future__ import annotations

import copy
import logging
import typing as t
import uuid
from collections.abc import Collection, Mapping

from . import moto_library as lib
from .cloudformation.provider import Made, ProviderError, Wanted
from .eks.neighbours import Place
from .moto_file_systems import FILE_SYSTEMS
from .moto_resources import DELETE, IN_PLACE, OWN, REPLACING, TAGS_ONLY, OwnType

LOGGER = logging.getLogger(__name__)
STAND_IN = "stand-in"
# Properties that AWS fills and moto's classes do not.
DEFAULTS: Mapping[str, Mapping[str, t.Any]] = {"AWS::EC2::VPCEndpoint": {"VpcEndpointType": "Gateway"}}
# Types beside EC2's whose tags are a list under Tags.
TAGGED = (
    "AWS::ECR::Repository",
    "AWS::Events::Rule",
    "AWS::IAM::Role",
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SecretsManager::Secret",
    "AWS::SQS::Queue",
)
# Moto's class keeps their properties in a form that its own API does not read.
HALF_MADE = ("AWS::KMS::Key",)
OWN_TYPES: Mapping[str, OwnType] = {**OWN, **FILE_SYSTEMS}


class MotoProvider:
    """See cloudformation.provider.Provider."""

    def create(self, place: Place, wanted: Wanted) -> Made:
        """Make it."""
        if own := OWN_TYPES.get(wanted.type):
            return self._by_own(own, place, wanted, None)
        kind = lib.resource_class_from_type(wanted.type)
        if kind is None:
            LOGGER.warning("moto has no %s: %s is a stand-in", wanted.type, wanted.logical_id)
            return Made(wanted, f"{wanted.stack_name}-{wanted.logical_id}-{uuid.uuid4().hex[:12]}".lower(), STAND_IN)
        name, document = self._document(wanted)
        handle = _said(
            lambda: kind.create_from_cloudformation_json(
                name,
                document,
                place.account,
                place.region,
                LogicalId=wanted.logical_id,
                StackId=wanted.stack_id,
                ResourceType=wanted.type,
            )
        )
        made = Made(wanted, str(handle.physical_resource_id), handle)
        if wanted.type in HALF_MADE:
            IN_PLACE[wanted.type].apply(place, made, wanted.properties, wanted.properties.keys())
        self._tag(place, made)
        return made

    @staticmethod
    def _by_own(own: OwnType, place: Place, wanted: Wanted, present: str | None) -> Made:
        key = _said(lambda: own.put(place, wanted, present))
        return Made(wanted, key, own.attributes(place, key))

    @staticmethod
    def _document(wanted: Wanted) -> tuple[str, dict[str, t.Any]]:
        properties: dict[str, t.Any] = {**DEFAULTS.get(wanted.type, {}), **copy.deepcopy(dict(wanted.properties))}
        if wanted.type in TAGGED:
            own = {row["Key"]: row["Value"] for row in properties.get("Tags") or ()}
            prefix = "Tag" if wanted.type == "AWS::KMS::Key" else ""  # moto gives its KMS what it finds
            properties["Tags"] = [
                {f"{prefix}Key": key, f"{prefix}Value": value} for key, value in ({**wanted.tags} | own).items()
            ]
        key = lib.resource_name_property_from_type(wanted.type)
        name = properties.get(key) if key else None
        generated = lib.generate_resource_name(wanted.type, wanted.stack_name, wanted.logical_id)
        return str(name or generated), {"Type": wanted.type, "Properties": properties}

    @staticmethod
    def _tag(place: Place, made: Made) -> None:
        """EC2 takes the tags of the stack, and those that CloudFormation itself sets."""
        if not isinstance(made.handle, lib.TaggedEC2Resource) or made.wanted.type == "AWS::EC2::EIP":
            return
        wanted = made.wanted
        own = {row["Key"]: row["Value"] for row in wanted.properties.get("Tags") or ()}
        tags = {
            **wanted.tags,
            **own,
            "aws:cloudformation:stack-name": wanted.stack_name,
            "aws:cloudformation:stack-id": wanted.stack_id,
            "aws:cloudformation:logical-id": wanted.logical_id,
        }
        lib.ec2_backends[place.account][place.region].create_tags([made.physical_id], tags)

    def replaces(self, type_name: str, changed: Collection[str]) -> bool:
        """Whether these changes need another resource."""
        if not changed:
            return False
        if own := OWN_TYPES.get(type_name):
            return bool(set(changed) & own.replacing)
        if type_name in IN_PLACE:
            return not set(changed) <= IN_PLACE[type_name].properties
        kind = lib.resource_class_from_type(type_name)
        if kind is None or _has(kind, "update_from_cloudformation_json"):
            return bool(set(changed) & REPLACING.get(type_name, frozenset()))
        return not set(changed) <= TAGS_ONLY.properties

    def update(self, place: Place, made: Made, wanted: Wanted, changed: Collection[str]) -> Made:
        """Change it, or make another one."""
        if self.replaces(wanted.type, changed):
            return self.create(place, wanted)
        if own := OWN_TYPES.get(wanted.type):
            return self._by_own(own, place, wanted, made.physical_id)
        if made.handle == STAND_IN or not changed:
            new = Made(wanted, made.physical_id, made.handle)
        elif wanted.type in IN_PLACE or set(changed) <= TAGS_ONLY.properties:
            in_place = IN_PLACE.get(wanted.type, TAGS_ONLY)
            _said(lambda: in_place.apply(place, made, wanted.properties, changed))
            new = Made(wanted, made.physical_id, made.handle)
        else:
            new = self._by_moto(place, made, wanted)
        self._tag(place, new)
        return new

    def _by_moto(self, place: Place, made: Made, wanted: Wanted) -> Made:
        kind = lib.resource_class_from_type(wanted.type)
        _other, document = self._document(wanted)
        handle = _said(
            lambda: kind.update_from_cloudformation_json(
                original_resource=made.handle,
                new_resource_name=made.physical_id,
                cloudformation_json=document,
                account_id=place.account,
                region_name=place.region,
            )
        )
        return Made(wanted, str(handle.physical_resource_id), handle)

    def delete(self, place: Place, made: Made) -> None:
        """Delete it."""
        if made.handle == STAND_IN:
            return
        if own := OWN_TYPES.get(made.wanted.type):
            _said(lambda: own.delete(place, made))
        elif special := DELETE.get(made.wanted.type):
            _said(lambda: special(place, made))
        else:
            _said(lambda: self._delete_by_moto(place, made))

    def _delete_by_moto(self, place: Place, made: Made) -> None:
        kind = type(made.handle)
        _other, document = self._document(made.wanted)
        if _has(kind, "delete_from_cloudformation_json"):
            kind.delete_from_cloudformation_json(made.physical_id, document, place.account, place.region)
        elif hasattr(made.handle, "delete"):
            made.handle.delete(place.account, place.region)

    def attribute(self, made: Made, name: str) -> t.Any:
        """What Fn::GetAtt gives."""
        if made.wanted.type in OWN_TYPES and name in made.handle:
            return made.handle[name]
        if made.wanted.type in OWN_TYPES or made.handle == STAND_IN:
            return self._stand_in_attribute(made, name)
        try:
            return made.handle.get_cfn_attribute(name)
        except (lib.UnformattedGetAttTemplateException, NotImplementedError):
            raise ProviderError(
                f"resource {made.wanted.logical_id} does not support attribute type {name} in Fn::GetAtt"
            ) from None

    @staticmethod
    def _stand_in_attribute(made: Made, name: str) -> str:
        _other, service, kind = made.wanted.type.split("::")[:3]
        if name.endswith("Arn"):
            _other, _other, _other, region, account = made.wanted.stack_id.split(":")[:5]
            return f"arn:aws:{service.lower()}:{region}:{account}:{kind.lower()}/{made.physical_id}"
        return f"{made.physical_id}.{name}".lower()

    def parse(self, text: str) -> dict[str, t.Any]:
        """A template from YAML or JSON."""
        try:
            found = lib.Stack.parse_template(text)
        except Exception as error:  # noqa: BLE001  # a parser of YAML raises many kinds
            raise ProviderError(str(error).splitlines()[0] if str(error) else "neither YAML nor JSON") from None
        if not isinstance(found, dict):
            raise ProviderError("unsupported structure.")
        return found

    def stored_template(self, place: Place, url: str) -> str:
        """The template at a URL of S3."""
        return _said(lambda: str(lib.get_stack_from_s3_url(url, place.account, "aws")))

    def ssm_parameter(self, place: Place, name: str) -> str:
        """The value of a parameter."""
        return _said(lambda: str(lib.ssm_backends[place.account][place.region].get_parameter(name).value))

    def zones(self, place: Place) -> list[str]:
        """The availability zones of the region, as EC2 says it."""
        return [str(one.name) for one in lib.ec2_backends[place.account][place.region].describe_availability_zones()]


R = t.TypeVar("R")


def _said(action: t.Callable[[], R]) -> R:
    """Do it; a failure of moto becomes the reason of an event."""
    try:
        return action()
    except ProviderError:
        raise
    except Exception as error:  # moto raises whatever its backends do; the stack's events must show it
        message = getattr(error, "message", None) or str(error) or type(error).__name__
        raise ProviderError(str(message)) from error


def _has(kind: t.Any, method: str) -> bool:
    return not hasattr(getattr(kind, method), "__isabstractmethod__")


__all__ = ("MotoProvider",)
