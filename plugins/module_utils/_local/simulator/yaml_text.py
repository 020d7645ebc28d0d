# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML as NVIDIA's Go programs read it: one document, a mapping at the top."""

from __future__ import annotations

import typing as t

from ..._core.errors import MissingLibraryError, PlatformError

try:
    import yaml
except ImportError as import_error:
    IMPORT_ERROR: ImportError | None = import_error
else:
    IMPORT_ERROR = None


def load_mapping(text: str, *, what: str) -> dict[str, t.Any]:
    """The mapping that the text holds.

    :raises PlatformError: the text is no YAML or no mapping.
    """
    if IMPORT_ERROR is not None:
        raise MissingLibraryError(f"PyYAML cannot be imported ({IMPORT_ERROR}); pip install PyYAML")
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise PlatformError(f"{what} is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict):
        raise PlatformError(f"{what} must be a mapping, found {type(document).__name__}")
    return document


__all__ = ("load_mapping",)
