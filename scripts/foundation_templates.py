"""Write the foundation's CloudFormation templates as they are sent to AWS, for cfn-lint and checkov.

The identities of all components are merged into the cluster roles' template, as the role does it for the components
that an inventory turns on. Usage: foundation_templates.py TARGET_FOLDER
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import yaml

FILES = Path(__file__).resolve().parent.parent / "roles/foundation/files"


def cluster_roles() -> dict[str, object]:
    """The cluster roles' template with every identity in it."""
    template = yaml.safe_load((FILES / "cluster_roles.yml").read_text(encoding="utf-8"))
    for path in sorted((FILES / "identities").glob("*.yml")):
        part = yaml.safe_load(path.read_text(encoding="utf-8"))
        for section in ("Resources", "Outputs"):
            template[section] |= part[section]
    return template


def main(target: Path) -> int:
    target.mkdir(parents=True, exist_ok=True)
    for path in FILES.glob("*.yml"):
        shutil.copy(path, target / path.name)
    (target / "cluster_roles.yml").unlink()
    (target / "cluster_roles.json").write_text(json.dumps(cluster_roles(), indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
