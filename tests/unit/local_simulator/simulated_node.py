"""A GPU node for tests of the simulator: looked at until it settles, with the labels and pods that it has then."""

from __future__ import annotations

from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.catalogue import Catalogue
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.controls import Controls, Delays
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.gpu_node import Scene, first_memory, look
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.mig_manager import NEVER
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.operator_policy import (
    MIG_MANAGER,
    PLUGIN,
    Settings,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.store import Pod

CONFIG, STATE = "nvidia.com/mig.config", "nvidia.com/mig.config.state"
DEPLOY = "nvidia.com/gpu.deploy.device-plugin"
GPU, SMALL = "nvidia.com/gpu", "nvidia.com/mig-1g.10gb"
LAYOUTS = """
version: v1
mig-configs:
  all-disabled: [{devices: all, mig-enabled: false}]
  small: [{devices: all, mig-enabled: true, mig-devices: {1g.10gb: 7}}]
  half: [{devices: all, mig-enabled: true, mig-devices: {3g.40gb: 2}}]
  impossible: [{devices: all, mig-enabled: true, mig-devices: {4g.40gb: 2}}]
"""
SLICED = "version: v1\nsharing: {timeSlicing: {resources: [{name: nvidia.com/gpu, replicas: 3}]}}\n"
SETTINGS = Settings(
    namespace="gpu-operator",
    strategy="mixed",
    mig_default="all-disabled",
    layouts_name="layouts",
    layouts=LAYOUTS,
    plugin_name="sharing",
    plugin_data={"whole": "version: v1\n", "three": SLICED, "bad": SLICED.replace("3", "1")},
    plugin_default="whole",
)


def pod(owner="", *, uid="1", accelerators=()):
    return Pod(
        uid=f"{owner}-{uid}",
        namespace="n",
        name=f"{owner or 'user'}-{uid}",
        node="node-1",
        phase="Running",
        deleting=False,
        accelerators=accelerators,
        owner=owner,
        images=(),
    )


class Node:
    """A node with a DaemonSet controller that follows the deploy label, and a clock."""

    def __init__(self, instance_type="p5.48xlarge", *, settings=SETTINGS, controls=None):
        self.machine = Catalogue().machine(instance_type)
        self.settings, self.controls = settings, controls or Controls(delays=Delays(mig=1, mode=1, reboot=5))
        self.labels: dict[str, str] = {}
        self.resources: dict[str, str] = {}
        self.users: list[Pod] = []
        self.plugin_uid, self.manager_uid = "1", "1"
        self.memory = first_memory(self.machine, packed=None)
        self.now, self.disrupted, self.away, self.states = 0.0, [], False, []
        self.aim = None
        self.settle()

    def pods(self):
        found = list(self.users)
        if self.labels.get(DEPLOY) == "true":
            found.append(pod(PLUGIN, uid=self.plugin_uid))
        if self.labels.get("nvidia.com/gpu.deploy.mig-manager") == "true":
            found.append(pod(MIG_MANAGER, uid=self.manager_uid))
        return found

    def look(self):
        board = Catalogue().board(self.machine.board) if self.machine.board else None
        scene = Scene("node-1", dict(self.labels), dict(self.resources), self.pods(), self.machine, board)
        aim = look(scene, self.memory, settings=self.settings, controls=self.controls, now=self.now)
        self.memory, self.away, self.aim = aim.memory, aim.away, aim
        for name, value in aim.labels.items():
            if value is None:
                del self.labels[name]
            else:
                self.labels[name] = value
        if STATE in aim.labels:
            self.states.append(aim.labels[STATE])
        self.resources.update(aim.resources)
        self.disrupted += aim.disrupted
        return aim

    def settle(self, *, limit=1000.0):
        """Look until nothing changes, moving the clock to what is due."""
        for _other in range(40):
            aim = self.look()
            if aim.labels or aim.resources:
                continue
            if aim.due == NEVER or aim.due > limit:
                return self
            self.now = max(self.now, aim.due)
        raise AssertionError("the node never settles")

    def ask(self, layout):
        self.labels.pop(STATE, None)
        self.labels[CONFIG] = layout
        self.states.clear()
        return self.settle()
