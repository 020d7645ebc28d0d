"""The commands of the components, and the objects that they are given."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context
from ansible_collections.aiplatform.eks.plugins.module_utils._local.control_plane import (
    PORT_NAMES,
    Blueprint,
    environment_of,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._local.control_plane_objects import (
    digests,
    read_stages,
    rights,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._local.local_cloud import USE_CASE, python_path
from ansible_collections.aiplatform.eks.plugins.module_utils._local.local_cloud_plan import components
from ansible_collections.aiplatform.eks.plugins.module_utils._local.run_folder import RunFolder

ROOT = Path(__file__).resolve().parents[3]
STAGES = ROOT / "roles/local_cloud/files/stages"
ALL = components(aws=True, simulator=True)
STAGE = {"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Stage", "metadata": {"name": "one"}, "spec": {}}


@pytest.fixture
def blueprint(tmp_path):
    ports = {name: 40000 + number for number, name in enumerate(PORT_NAMES)}
    return Blueprint(RunFolder(tmp_path), Path("/bin"), ports, "eu-west-1", "python", Path("/tree"))


@pytest.mark.parametrize("name", ALL)
def test_every_component_listens_on_this_machine_only(blueprint, name):
    component = blueprint.component(name)
    text = " ".join(component.command)
    assert not re.search(r"0\.0\.0\.0|localhost|\[::", text)
    assert re.fullmatch(rf"https?://127\.0\.0\.1:{blueprint.ports[name]}/\S*", component.health)
    assert str(blueprint.ports[name]) in text
    assert set(component.needs) <= set(ALL[: ALL.index(name)]), "needs come before it"


def test_the_control_plane_is_quick_and_complete(blueprint):
    flags = " ".join(blueprint.component("kube-controller-manager").command)
    assert "--kube-api-qps=1000" in flags
    assert "--root-ca-file=" in flags
    assert "--unsafe-no-fsync" in blueprint.component("etcd").command
    assert "--node-monitor-grace-period=240s" in flags
    assert "--node-lease-duration-seconds=160" in blueprint.component("kwok").command
    assert "--enable-crds=Stage" in blueprint.component("kwok").command
    assert blueprint.component("kwok").objects


def test_our_daemons_get_the_tree_and_the_emulator(blueprint):
    simulator = blueprint.component("simulator")
    assert simulator.command[:3] == (
        "python",
        "-m",
        "ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.program",
    )
    assert simulator.environment["PYTHONPATH"] == "/tree"
    assert simulator.environment["AWS_ENDPOINT_URL"] == f"http://127.0.0.1:{blueprint.ports['aws']}"
    assert blueprint.component("aws").command[-4:] == (
        "--kubernetes-endpoint",
        blueprint.endpoint,
        "--kubernetes-ca-file",
        str(blueprint.folder.authority),
    )


def test_the_environment_names_no_real_aws():
    environment = environment_of("eu-west-1", "http://127.0.0.1:1")
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert len(environment["AWS_ACCESS_KEY_ID"]) == 20
    assert len(environment["AWS_SECRET_ACCESS_KEY"]) >= 40
    assert environment["AWS_EC2_METADATA_DISABLED"] == "true"


def test_readonly_may_read_only_and_user_is_bound_to_cluster_admin():
    objects = [body for _path, body in rights()]
    verbs = {verb for body in objects for rule in body.get("rules", []) for verb in rule["verbs"]}
    assert verbs == {"get", "list", "watch"}
    bound = {(body["roleRef"]["name"], body["subjects"][0]["name"]) for body in objects if "roleRef" in body}
    assert {("cluster-admin", "user"), ("view", "readonly")} <= bound


def test_our_stages_are_named_once_and_must_happen():
    stages = read_stages([STAGES])
    assert {"node-ready", "pod-running", "pod-complete", "claim-provision", "custom-resource-established"} <= set(
        stages
    )
    for name, stage in stages.items():
        assert stage["spec"]["weight"] > 0, f"{name}: of the stages that match, one without a weight loses"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([{**STAGE, "kind": "Metric"}], "holds .*Metric.*, wanted are only kind Stage"),
        ([["no"]], "holds list, wanted are only kind Stage"),
        ([{**STAGE, "metadata": {}}], "a stage without metadata.name"),
        ([STAGE, STAGE], "a stage named 'one' was already read"),
    ],
)
def test_bad_stages_are_said_with_their_file(tmp_path, content, said):
    file = tmp_path / "bad.yaml"
    file.write_text(yaml.safe_dump_all(content))
    with pytest.raises(PlatformError, match=rf"bad\.yaml.*{said}"):
        read_stages([tmp_path])


def test_unreadable_stages_are_said(tmp_path):
    (tmp_path / "broken.yaml").write_text("a: [")
    for path in (tmp_path / "broken.yaml", tmp_path / "none.yaml"):
        with pytest.raises(PlatformError, match="cannot be read"):
            read_stages([path])


def test_roles_bring_stages_by_a_pattern_and_no_file_is_read_twice(tmp_path):
    for role in ("one", "two"):
        folder = tmp_path / "roles" / role / "files/stages"
        folder.mkdir(parents=True)
        (folder / "stage.yaml").write_text(yaml.safe_dump({**STAGE, "metadata": {"name": role}}))
    own = tmp_path / "roles/one/files/stages"
    assert set(read_stages([own, tmp_path / "roles/one/../*/files/stages", tmp_path / "none/*"])) == {"one", "two"}


def test_a_digest_follows_the_content():
    assert digests({"one": STAGE}) == digests({"one": dict(reversed(STAGE.items()))})
    assert digests({"one": STAGE}) != digests({"one": {**STAGE, "spec": {"weight": 1}}})


def test_the_tree_is_found_from_a_checkout_and_from_an_installed_collection(tmp_path):
    assert python_path(ROOT / "roles/local_cloud/files") == ROOT / "build/collections"
    installed = ROOT / "build/collections/ansible_collections/aiplatform/eks/roles/local_cloud/files"
    assert python_path(installed) == ROOT / "build/collections"


def test_a_simulator_without_aws_is_refused(tmp_path):
    options = {name: option.get("default") for name, option in USE_CASE.spec.options.items()}
    options |= {"run_dir": str(tmp_path / "run"), "home": str(ROOT / "roles/local_cloud/files"), "aws": False}
    with pytest.raises(PlatformError, match="simulator is true and aws is false"):
        USE_CASE.run(options, Context())
    assert not (tmp_path / "run").exists()
