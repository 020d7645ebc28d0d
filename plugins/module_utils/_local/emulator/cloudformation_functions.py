# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Intrinsic functions of CloudFormation that moto lacks: Fn::Cidr."""

from __future__ import annotations

import ipaddress
import typing as t
from collections.abc import Callable, Mapping

DEFAULT_BITS = 8
Clean = Callable[[t.Any, t.Any], t.Any]


def cidr(block: str, count: int, bits: int = DEFAULT_BITS) -> list[str]:
    """The first C(count) ranges with C(bits) host bits inside a block, as Fn::Cidr lists them.

    :raises ValueError: when the block does not hold that many.
    """
    network = ipaddress.ip_network(block)
    length = network.max_prefixlen - bits
    if length < network.prefixlen or count > 2 ** (length - network.prefixlen):
        raise ValueError(f"Template error: Fn::Cidr cannot cut {count} ranges of {bits} host bits from {block}")
    ranges = network.subnets(new_prefix=length)
    return [str(next(ranges)) for _each in range(count)]


def with_cidr(clean: Clean) -> Clean:
    """Moto's resolver of intrinsic functions, with Fn::Cidr."""

    def resolve(document: t.Any, resources: t.Any) -> t.Any:
        if isinstance(document, Mapping) and "Fn::Cidr" in document:
            block, *numbers = (resolve(part, resources) for part in document["Fn::Cidr"])
            return cidr(str(block), *(int(number) for number in numbers))
        return clean(document, resources)

    return resolve


def install() -> None:
    """Teach the moto of this process."""
    from moto.cloudformation import parsing  # noqa: PLC0415

    parsing.clean_json = with_cidr(parsing.clean_json)


__all__ = ("cidr", "install", "with_cidr")
