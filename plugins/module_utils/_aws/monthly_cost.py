# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What things that are left behind cost a month: an offline table, USD in us-east-1.

Source: the public price pages of EC2, ELB, EFS, FSx, KMS, Secrets Manager and CloudWatch, read in 2026-07 together with
the instance prices of this project; a month is 730 hours. An estimate for a warning, not a bill.
"""

from __future__ import annotations

HOURS_PER_MONTH = 730
ADDRESS = 0.005 * HOURS_PER_MONTH
NAT_GATEWAY = 0.045 * HOURS_PER_MONTH
LOAD_BALANCER = 0.0225 * HOURS_PER_MONTH
INTERFACE_ENDPOINT_PER_ZONE = 0.01 * HOURS_PER_MONTH
CLUSTER = 0.10 * HOURS_PER_MONTH
KEY = 1.0
SECRET = 0.40
VOLUME_PER_GIB = {"gp3": 0.08, "gp2": 0.10, "io1": 0.125, "io2": 0.125, "st1": 0.045, "sc1": 0.015, "standard": 0.05}
SNAPSHOT_PER_GIB = 0.05
EFS_PER_GIB = 0.30
FSX_LUSTRE_PER_GIB = 0.145
LOGS_PER_GIB = 0.03
BYTES_PER_GIB = 1024**3

__all__ = (
    "ADDRESS",
    "BYTES_PER_GIB",
    "CLUSTER",
    "EFS_PER_GIB",
    "FSX_LUSTRE_PER_GIB",
    "HOURS_PER_MONTH",
    "INTERFACE_ENDPOINT_PER_ZONE",
    "KEY",
    "LOAD_BALANCER",
    "LOGS_PER_GIB",
    "NAT_GATEWAY",
    "SECRET",
    "SNAPSHOT_PER_GIB",
    "VOLUME_PER_GIB",
)
