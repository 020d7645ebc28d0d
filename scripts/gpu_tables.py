"""Write the GPU tables of the collection from the measured facts.

Usage: gpu_tables.py mig-geometry.json aws-accelerated-instances.json TARGET_FOLDER
Unknown figures stay None: nothing is invented here.
"""

from __future__ import annotations

import json
import pprint
import sys
import typing as t
from pathlib import Path

HEADER = '''# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""{title}

Written by scripts/gpu_tables.py: do not edit. {provenance}
"""

from __future__ import annotations

import typing as t

{name}: tuple[dict[str, t.Any], ...] = {data}
'''


def boards(facts: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """One record per board that can do MIG."""
    return [
        {
            "id": product["id"],
            "products": tuple(product["products"]),
            "arch": product["arch"],
            "memory_gb": product["memory_gb"],
            "memory_slices": product["memory_slices"],
            "compute_slices": product["compute_slices"],
            "pci_device_ids": tuple(sorted(product["pci_device_ids"] or {})),
            "needs_reset": (product["mode_toggle"] or {}).get("needs_gpu_reset"),
            "needs_reboot": (product["mode_toggle"] or {}).get("needs_reboot_on_passthrough_vm"),
            "engine_totals": {
                name: count for name, count in (product.get("engine_totals") or {}).items() if isinstance(count, int)
            },
            "minimum_driver": product["min_driver_for_mig"],
            "caveat": product.get("caveat"),
            "profiles": tuple(profile(entry) for entry in product["profiles"]),
        }
        for product in facts["products"]
    ]


def profile(entry: dict[str, t.Any]) -> dict[str, t.Any]:
    """One MIG profile of a board."""
    places = entry["placements"]
    return {
        "name": entry["name"],
        "kind": entry["kind"],
        "resource": entry["k8s_resource_mixed"],
        "compute_slices": entry["compute_slices"],
        "memory_slices": entry["memory_slices"],
        "memory_gb": entry["memory_gb_nominal"],
        "memory_mib": entry["memory_mib_usable"],
        "multiprocessors": entry["multiprocessors"],
        "engines": {name: entry[name] for name in ("copy_engines", "decoders", "encoders", "jpeg", "ofa")},
        "attributes": tuple(entry["attributes"]),
        "max_instances": entry["max_instances"],
        "smi_id": entry["smi_gi_profile_id"],
        "nvml_id": entry["nvml_enum"],
        "starts": None if places is None else tuple(place["start"] for place in places),
        "size": None if not places else places[0]["size"],
        "confidence": entry["placements_confidence"],
        "source": (entry["source"] or {}).get("placements"),
    }


def instances(facts: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """One record per accelerated instance type."""
    return [
        {
            "name": entry["instance_type"],
            "arch": entry["arch"],
            "vcpu": entry["vcpu"],
            "memory_gib": entry["memory_gib"],
            "accelerator_kind": entry["accelerator_kind"],
            "accelerator": entry["accelerator"],
            "accelerator_arch": entry["accelerator_arch"],
            "accelerator_count": entry["accelerator_count"],
            "accelerator_memory_gib": entry["accelerator_memory_gib"],
            "neuron_cores": entry["neuron_cores"],
            "resource": entry["k8s_resource"],
            "board": entry["mig_geometry_id"],
            "mig_capable": bool(entry["mig_capable"]),
            "mig_note": entry["mig_note"],
            "product_label": entry["gfd_product_label"],
            "efa_interfaces": entry["efa_interfaces"],
            "local_nvme_gb": entry["local_nvme_gb"],
            "price": entry["price_usd_per_hour_us_east_1"],
            "capacity_blocks": bool(entry["capacity_blocks"]),
        }
        for entry in facts["instances"]
    ]


def write(target: Path, *, title: str, name: str, provenance: str, data: list[dict[str, t.Any]]) -> None:
    """Write one table as a Python module."""
    text = pprint.pformat(tuple(data), width=110, compact=True, sort_dicts=False)
    target.write_text(HEADER.format(title=title, name=name, provenance=provenance, data=text), encoding="utf-8")


def main(argv: list[str]) -> int:
    geometry, types, folder = Path(argv[0]), Path(argv[1]), Path(argv[2])
    facts = json.loads(geometry.read_text(encoding="utf-8"))
    write(
        folder / "_data_boards.py",
        title="MIG geometry of NVIDIA boards.",
        name="BOARDS",
        provenance=f"Facts of {facts['written'].split(',')[0]}; each profile names the source of its placements.",
        data=boards(facts),
    )
    facts = json.loads(types.read_text(encoding="utf-8"))
    write(
        folder / "_data_instances.py",
        title="EC2 instance types with accelerators.",
        name="INSTANCES",
        provenance=f"{facts['price_kind']} in {facts['region_for_price']}.",
        data=instances(facts),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
