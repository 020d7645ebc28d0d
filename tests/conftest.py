"""Makes the collection importable from the flat checkout: the live tree is refreshed, Ansible's loader finds it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
subprocess.run([sys.executable, str(ROOT / "scripts/collection_tree.py"), "link"], check=True, capture_output=True)

from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

_AnsibleCollectionFinder(paths=[str(ROOT / "build/collections")])._install()
