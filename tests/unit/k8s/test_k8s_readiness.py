from __future__ import annotations

import typing as t

import jmespath
import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.readiness import WaitRule, readiness
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.wait import late_classes

Object = dict[str, t.Any]


def condition(kind: str, status: str, reason: str = "", message: str = "") -> Object:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def live(api_version: str, kind: str, *, spec: Object | None = None, **status: t.Any) -> Object:
    found: Object = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "generation": 2}}
    return {**found, "spec": spec or {}, "status": status}


WEB, SERVICE = ("apps/v1", "Deployment"), ("v1", "Service")
DEFINITION = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
UP = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "readyReplicas": 2}
AVAILABLE = [condition("Available", "True"), condition("Progressing", "True", "NewReplicaSetAvailable")]
DEPLOYMENT: Object = {"replicas": 2, "progressDeadlineSeconds": 600}
STATEFUL = {"replicas": 2, "readyReplicas": 2, "currentReplicas": 2, "currentRevision": "a", "updateRevision": "a"}
DAEMON = {"observedGeneration": 2, "desiredNumberScheduled": 2, "currentNumberScheduled": 2,
          "updatedNumberScheduled": 2, "numberAvailable": 2, "numberReady": 2}  # fmt: skip
CRASHING = [{"name": "app", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (live(*WEB, spec=DEPLOYMENT, conditions=AVAILABLE, observedGeneration=2, **UP), "current"),
        (live(*WEB, spec=DEPLOYMENT, conditions=AVAILABLE, observedGeneration=1, **UP), "progressing"),
        (live(*WEB, spec=DEPLOYMENT, conditions=AVAILABLE, **{**UP, "replicas": 3}), "progressing"),
        (live(*WEB, spec=DEPLOYMENT, conditions=AVAILABLE, **{**UP, "readyReplicas": 1}), "progressing"),
        (live(*WEB, spec=DEPLOYMENT, conditions=AVAILABLE[:1], **UP), "progressing"),
        (live(*WEB, spec={"replicas": 2}, conditions=AVAILABLE[:1], **UP), "current"),
        (live(*WEB, spec=DEPLOYMENT,
              conditions=[condition("Progressing", "False", "ProgressDeadlineExceeded")]), "failed"),
        (live("apps/v1", "StatefulSet", spec={"replicas": 2}, **STATEFUL), "current"),
        (live("apps/v1", "StatefulSet", spec={"replicas": 2}, **{**STATEFUL, "updateRevision": "b"}), "progressing"),
        (live("apps/v1", "StatefulSet", spec={"replicas": 3}, **STATEFUL), "progressing"),
        (live("apps/v1", "StatefulSet", spec={"replicas": 9, "updateStrategy": {"type": "OnDelete"}}), "current"),
        (live("apps/v1", "StatefulSet", spec={"replicas": 2, "updateStrategy": {"rollingUpdate": {"partition": 1}}},
              **{**STATEFUL, "updateRevision": "b", "updatedReplicas": 1}), "current"),
        (live("apps/v1", "DaemonSet", **DAEMON), "current"),
        (live("apps/v1", "DaemonSet"), "progressing"),
        (live("apps/v1", "DaemonSet", **{**DAEMON, "numberReady": 1}), "progressing"),
        (live("apps/v1", "ReplicaSet", conditions=[condition("ReplicaFailure", "True")]), "progressing"),
        (live("v1", "Pod", phase="Succeeded"), "current"),
        (live("v1", "Pod", phase="Failed"), "failed"),
        (live("v1", "Pod", phase="Running", conditions=[condition("Ready", "True")]), "current"),
        (live("v1", "Pod", phase="Running", containerStatuses=CRASHING), "failed"),
        (live("v1", "Pod", phase="Pending"), "progressing"),
        (live("batch/v1", "Job", startTime="now", active=1), "progressing"),
        (live("batch/v1", "Job", conditions=[condition("Complete", "True")]), "current"),
        (live("batch/v1", "Job", conditions=[condition("Failed", "True")]), "failed"),
        (live("batch/v1", "Job", spec={"suspend": True}), "current"),
        (live("v1", "PersistentVolumeClaim", phase="Bound"), "current"),
        (live("v1", "PersistentVolumeClaim", phase="Pending"), "progressing"),
        (live("v1", "PersistentVolumeClaim", phase="Lost"), "failed"),
        (live(*SERVICE, spec={"type": "ClusterIP"}), "current"),
        (live(*SERVICE, spec={"type": "LoadBalancer", "clusterIP": "1.2.3.4"}), "progressing"),
        (live(*SERVICE, spec={"type": "LoadBalancer"}, loadBalancer={"ingress": [{"hostname": "x"}]}), "current"),
        (live(*DEFINITION, conditions=None), "progressing"),
        (live(*DEFINITION, conditions=[condition("Established", "True")]), "current"),
        (live(*DEFINITION, conditions=[condition("NamesAccepted", "False")]), "failed"),
        (live("apiregistration.k8s.io/v1", "APIService"), "progressing"),
        (live("apiregistration.k8s.io/v1", "APIService", conditions=[condition("Available", "True")]), "current"),
        (live("cert-manager.io/v1", "Certificate"), "progressing"),
        (live("any.group/v1", "Anything"), "current"),
        (live("any.group/v1", "Anything", conditions=[condition("Ready", "Unknown")]), "progressing"),
        (live("any.group/v1", "Anything", conditions=[condition("Stalled", "True")]), "failed"),
        (live("any.group/v1", "Anything", conditions=[condition("Reconciling", "True")]), "progressing"),
        ({**live("v1", "ConfigMap"), "metadata": {"name": "x", "deletionTimestamp": "now"}}, "terminating"),
    ],
)  # fmt: skip
def test_states(found: Object, state: str) -> None:
    result = readiness(found)
    assert result.state == state
    assert bool(result.message) is (state != "current")


def test_the_first_rule_of_the_user_that_fits_decides() -> None:
    found = live("cert-manager.io/v1", "Certificate", phase="Up", size=3)
    rules = [WaitRule("Certificate", name="other", skip=True), WaitRule("Certificate", query="status.size", value=3)]
    assert readiness(found, rules=rules, search=jmespath.search).ready
    wrong = [WaitRule("Certificate", query="status.size", value=4)]
    assert readiness(found, rules=wrong, search=jmespath.search).message == "status.size is 3, wanted is 4"
    assert readiness(found, rules=[WaitRule("Certificate", query="status.phase")], search=jmespath.search).ready
    assert not readiness(found, rules=[WaitRule("Certificate", condition="Ready")]).ready
    assert readiness(found, rules=[WaitRule("Certificate", group="cert-manager.io", skip=True)]).ready


def test_classes_that_bind_with_the_first_pod() -> None:
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    classes = [
        {"metadata": {"name": "late", "annotations": default}, "volumeBindingMode": "WaitForFirstConsumer"},
        {"metadata": {"name": "now"}, "volumeBindingMode": "Immediate"},
    ]
    assert late_classes(classes) == {"late", ""}
