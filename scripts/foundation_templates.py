"""Write the foundation's CloudFormation templates as they are sent to AWS, for cfn-lint and checkov.

The identities of all components are merged into the cluster roles' template, as the role does it for the components
that an inventory turns on. Usage: foundation_templates.py TARGET_FOLDER
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "build/collections"))

from ansible_collections.aiplatform.eks.plugins.module_utils._aws.stacks import merged_template

FILES = ROOT / "roles/foundation/files"


def cluster_roles() -> str:
    """The cluster roles' template with every identity in it."""
    parts = [FILES / "cluster_roles.yml", *sorted((FILES / "identities").glob("*.yml"))]
    merged = merged_template(path.read_text(encoding="utf-8") for path in parts)
    return json.dumps(json.loads(merged), indent=1) + "\n"


def main(target: Path) -> int:
    target.mkdir(parents=True, exist_ok=True)
    for path in FILES.glob("*.yml"):
        shutil.copy(path, target / path.name)
    (target / "cluster_roles.yml").unlink()
    (target / "cluster_roles.json").write_text(cluster_roles(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
