"""Charts that the tests write, and the module's use case against the real control plane."""

from __future__ import annotations

import subprocess
import typing as t
import uuid
from pathlib import Path

from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context, Outcome
from ansible_collections.aiplatform.eks.plugins.module_utils._helm import use_case

CANARY = "canary-5f2d9c-secret"
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec:
      tolerations: [{operator: Exists}]
      containers: [{name: web, image: "web:{{ .Values.tag }}"}]
"""
SECRET = """
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}}
stringData: {password: {{ .Values.password | quote }}}
"""
HOOK = """
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-hook
  annotations: {helm.sh/hook: pre-install, helm.sh/hook-delete-policy: before-hook-creation}
spec:
  template:
    spec: {restartPolicy: Never, tolerations: [{operator: Exists}], containers: [{name: a, image: a}]}
"""
CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.NAME.example}
spec:
  group: NAME.example
  names: {kind: Thing, plural: things, singular: thing}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: PROPERTIES}}}}
"""
NODE = """
apiVersion: v1
kind: Node
metadata: {name: helm-node}
status: {capacity: {cpu: "64", memory: 256Gi, pods: "250"}, allocatable: {cpu: "64", memory: 256Gi, pods: "250"}}
"""


def write_chart(folder: Path, *, version: str = "1.0.0", name: str = "web", **templates: str) -> Path:
    (folder / "templates").mkdir(parents=True, exist_ok=True)
    (folder / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: {version}\n", encoding="utf-8")
    (folder / "values.yaml").write_text("replicas: 1\ntag: v1\npassword: none\n", encoding="utf-8")
    for file, text in (templates or {"deployment": DEPLOYMENT, "secret": SECRET}).items():
        (folder / f"templates/{file}.yaml").write_text(text, encoding="utf-8")
    return folder


class Bench:
    """One namespace on the cluster, and the module's use case against it."""

    def __init__(self, cluster: t.Any, scratch: Path, helm: Path) -> None:
        self.cluster, self.scratch = cluster, scratch
        self.namespace = f"helm-{uuid.uuid4().hex[:8]}"
        self.helm = str(helm)

    def run(self, *releases: dict[str, t.Any], check: bool = False, diff: bool = True, **options: t.Any) -> Outcome:
        entries = [{"namespace": self.namespace, "timeout": 60, **one} for one in releases]
        for one in entries:
            one.setdefault("wait", True)
        known = {"kubeconfig": str(self.cluster.kubeconfig), "helm_binary": self.helm, "parallel": 2}
        wish = {"releases": entries, "cache_dir": str(self.scratch / "cache"), **known, **options}
        return use_case.run(wish, Context(check_mode=check, diff_mode=diff))

    def kubectl(self, *arguments: str, text: str | None = None) -> str:
        command = [str(self.cluster.bin / "kubectl"), "--kubeconfig", str(self.cluster.kubeconfig)]
        command += ["--namespace", self.namespace, *arguments]
        return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def actions(outcome: Outcome) -> list[str]:
    return [one["action"] for one in outcome.facts["releases"]]
