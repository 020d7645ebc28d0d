# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start the emulator; not C(__main__), a name that Galaxy refuses."""

from __future__ import annotations

from .server import main

if __name__ == "__main__":
    raise SystemExit(main())
