"""Run use cases against the emulated AWS, and look at what they sent."""

from __future__ import annotations

import typing as t
from collections import Counter

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context, Outcome
from emulator_fixture import Emulator

Record = dict[str, t.Any]
ROLE = "arn:aws:iam::123456789012:role/"
# Which paths of a difference justify a write; a write that none justifies is a bug.
JUSTIFIED: dict[str, tuple[str, ...]] = {
    "UpdateNodegroupConfig": ("labels", "taints", "scaling", "update", "node_repair", "warm_pool"),
    "UpdateNodegroupVersion": ("version", "release_version", "launch_template"),
    "CreateLaunchTemplateVersion": ("launch_template",),
    "ModifyLaunchTemplate": ("launch_template",),
    "DeleteLaunchTemplateVersions": ("launch_template",),
    "CreateOrUpdateTags": ("autoscaling_tags",),
    "DeleteTags": ("autoscaling_tags",),
    "TagResource": ("tags", "records", "launch_template", "autoscaling_tags"),
    "UntagResource": ("tags",),
    "UpdateClusterVersion": ("version",),
    "AssociateEncryptionConfig": ("encryption_key",),
    "AssociateAccessPolicy": ("policies",),
    "DisassociateAccessPolicy": ("policies",),
    "UpdateAccessEntry": ("groups", "username"),
    "UpdateAddon": ("version", "configuration", "role_arn", "pod_identities"),
    "UpdatePodIdentityAssociation": ("role_arn", "target_role_arn", "disable_session_tags", "policy"),
}


class Flow:
    """One emulated account."""

    def __init__(self, emulator: Emulator, *, clients: t.Mapping[str, t.Any], cluster: str) -> None:
        self.emulator = emulator
        self.eks = emulator.client("eks")
        self.cluster = cluster
        self.subnets = emulator.subnets()
        self._clients = clients

    def run(self, use_case: t.Any, *, check: bool = False, **options: t.Any) -> Outcome:
        """Run a use case; the log of calls then holds only its own."""
        if "poll_interval" in use_case.SPEC.options:
            options.setdefault("poll_interval", 0.05)
            options.setdefault("wait_timeout", 30)
        self.emulator.clear_calls()
        validation = ArgumentSpecValidator(dict(use_case.SPEC.options), **use_case.SPEC.constraints()).validate(options)
        assert not validation.error_messages, validation.error_messages
        return t.cast(
            "Outcome", use_case.run(validation.validated_parameters, Context(check_mode=check, diff_mode=True))
        )

    def pools(self, *pools: Record, use_case: t.Any, check: bool = False, **more: t.Any) -> Outcome:
        """Run the node pools."""
        options = {"cluster_name": self.cluster, "node_role": f"{ROLE}nodes", "subnets": self.subnets, **more}
        return self.run(use_case, check=check, pools=list(pools), **options)

    def counts(self, *, writes: bool | None = None) -> Counter[str]:
        """How often each operation was called."""
        return Counter(row["operation"] for row in self.emulator.calls(writes=writes))

    def templates(self) -> list[str]:
        """The names of this cluster's launch templates."""
        mine = [{"Name": "tag:aiplatform.eks/cluster", "Values": [self.cluster]}]
        rows = self.emulator.client("ec2").describe_launch_templates(Filters=mine)["LaunchTemplates"]
        return sorted(row["LaunchTemplateName"] for row in rows)

    def both(self, use_case: t.Any, **options: t.Any) -> Outcome:
        """Check mode, then the run, then the run again: equal, free of writes, justified, idempotent."""
        checked = self.run(use_case, check=True, **options)
        assert self.counts(writes=True) == Counter(), "check mode wrote"
        done = self.run(use_case, **options)
        self.assert_justified(done)
        assert (checked.changed, checked.diff) == (done.changed, done.diff)
        assert checked.facts["steps"] == done.facts["steps"]
        assert _shape(checked.facts) == _shape(done.facts)
        again = self.run(use_case, **options)
        assert not again.changed, again.facts["steps"]
        assert self.counts(writes=True) == Counter(), "the second run wrote"
        return done

    def assert_justified(self, outcome: Outcome) -> None:
        """Every write has a line in the difference."""
        anew = ("(replace)", "(recreate)")
        whole = any(
            not entry["before"] or not entry["after"] or entry["after_header"].endswith(anew) for entry in outcome.diff
        )
        paths = {path for entry in outcome.diff for path in _changed(entry["before"], entry["after"])}
        for operation in self.counts(writes=True):
            if operation.startswith(("Create", "Delete")) and operation not in JUSTIFIED:
                assert whole, f"{operation} without an object that comes or goes"
            elif operation == "UpdateClusterConfig":
                assert paths - {"tags", "version", "encryption_key"}, operation
            else:
                assert whole or paths & set(JUSTIFIED[operation]), f"{operation} is not justified by {sorted(paths)}"


def _changed(before: Record, after: Record) -> set[str]:
    return {key for key in {*before, *after} if before.get(key) != after.get(key)}


def _shape(facts: t.Mapping[str, t.Any]) -> t.Any:
    """The keys of the facts: of lists, those of their first entry."""
    shape: Record = {}
    for key, value in facts.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            shape[key] = sorted(value[0])
        elif isinstance(value, dict):
            shape[key] = sorted(value)
        else:
            shape[key] = None
    return shape
