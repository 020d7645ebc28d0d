"""The IAM actions that are declared are those of the calls that were seen, and of the resources in the templates."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.aiplatform.eks.plugins.module_utils._aws.leftovers import use_case as leftovers
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.foundation_permissions import BY_TYPE, OF_DATA, OWN
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.permissions import READS, action_of
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.preflight import use_case as preflight
from emulator_fixture import Emulator
from role_play import play_roles
from script_module import script_module

ROOT = Path(__file__).resolve().parents[3]
POOL = {"name": "system", "instance_types": ["m7i.2xlarge"], "scaling": {"min": 1, "max": 2}}


def seen(emulator: Emulator) -> set[str]:
    return {action_of(row["service"], row["operation"]) for row in emulator.calls()}


def run(use_case: t.Any, **options: t.Any) -> None:
    spec = use_case.SPEC
    validation = ArgumentSpecValidator(dict(spec.options), **spec.constraints()).validate(options)
    assert not validation.error_messages
    use_case.run(validation.validated_parameters, Context())


def test_the_modules_that_only_look(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in emulator.env.items():
        monkeypatch.setenv(name, value)
    emulator.client("s3").create_bucket(Bucket="x-demo-y")
    emulator.client("iam").create_open_id_connect_provider(Url="https://a.example", ThumbprintList=["a" * 40])
    vpc = emulator.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    emulator.client("elbv2").create_target_group(Name="demo", Protocol="TCP", Port=80, VpcId=vpc)
    emulator.clear_calls()
    run(leftovers, cluster_name="demo", fail_on_leftovers=False)
    assert seen(emulator) == set(READS["aws_leftovers"])
    emulator.clear_calls()
    run(preflight, pools=[POOL], kubernetes_version="1.36", subnets=emulator.subnets(2))
    assert seen(emulator) == set(READS["aws_preflight"])


def test_the_role_foundation_calls_what_it_declares(emulator: Emulator, tmp_path: Path) -> None:
    given = {"aiplatform_cluster": "rights", "aiplatform_region": "us-east-1"}
    gone = {**given, "foundation_state": "absent", "foundation_delete_data": True}
    done = play_roles([("foundation", given), ("foundation", gone)], scratch=tmp_path, environment=emulator.env)
    assert [one.failures for one in done] == [{}, {}]
    assert seen(emulator) - {"sts:GetCallerIdentity"} <= {*OWN, *OF_DATA}


def test_every_type_of_the_templates_has_its_actions() -> None:
    files = ROOT / "roles/foundation/files"
    templates = [yaml.safe_load(path.read_text("utf-8")) for path in [*files.glob("*.yml"), *files.glob("*/*.yml")]]
    types = {resource["Type"] for template in templates for resource in template["Resources"].values()}
    assert types == set(BY_TYPE)


def test_the_document_is_up_to_date() -> None:
    assert (ROOT / "docs/permissions.md").read_text("utf-8") == script_module("permissions").page()
