# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roles, played whole by ansible-playbook against the session's control plane."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import KubeClient
from platform_play import Playing


@pytest.fixture(scope="module")
def playing(cluster: t.Any, tmp_path_factory: pytest.TempPathFactory) -> Playing:
    """Plays roles against the session's control plane."""
    return Playing(scratch=Path(tmp_path_factory.mktemp("play")), kubeconfig=cluster.kubeconfig, binaries=cluster.bin)


@pytest.fixture(scope="module")
def kubernetes(cluster: t.Any) -> KubeClient:
    """The API server, as administrator."""
    return KubeClient({"kubeconfig": str(cluster.kubeconfig)})
