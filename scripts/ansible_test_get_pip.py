"""Put a stand-in for get-pip into ansible-test's cache, so that sanity tests run where only PyPI is reachable.

ansible-test makes a virtual environment per sanity test and fetches get-pip from Ansible's own file server into
``~/.ansible/test/cache/get_pip_<version>.py``, unless that file is there. Ours does the same with the interpreter's
bundled pip (ensurepip) and pip's own configuration. A file that is there is left alone.
"""

from __future__ import annotations

import sys
from pathlib import Path

VERSIONS = ("24_2", "25_2")  # ansible-core 2.19 and 2.20/2.21
STAND_IN = '''"""Stand-in for get-pip, written by scripts/ansible_test_get_pip.py of aiplatform.eks."""
import subprocess
import sys

options = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
subprocess.run([sys.executable, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
sys.exit(subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *options], check=False).returncode)
'''


def main() -> int:
    cache = Path("~/.ansible/test/cache").expanduser()
    cache.mkdir(parents=True, exist_ok=True)
    for version in VERSIONS:
        target = cache / f"get_pip_{version}.py"
        if not target.exists():
            target.write_text(STAND_IN, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
