#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: helm_releases
short_description: Converge a set of Helm releases
version_added: 0.1.0
description:
  - Installs, upgrades and removes a list of releases in one task, in parallel after their needs.
  - Helm's own release records, read in one request, tell what is unchanged - deployed, same chart, same version, same
    values. For an unchanged release no helm process is started.
  - What changes is rendered by the server's dry run and shown object by object against the stored manifest, with the
    data of Secrets masked. Check mode shows exactly that and writes nothing. If the chart of one release cannot be
    rendered, none is touched. A single release that nobody looks at is not rendered ahead - its deployment tells the
    same.
  - In check mode, a cluster that is not there yet is no error; the charts are rendered without it.
  - A release that failed or whose operation was interrupted is recovered; the step says how.
  - Values and credentials reach helm in files that only the task's user can read, never on a command line.
author:
  - The aiplatform.eks engineers (@aiplatform)
extends_documentation_fragment:
  - aiplatform.eks._attributes
  - aiplatform.eks._attributes.converges
  - aiplatform.eks._kubernetes
options:
  releases:
    description: The releases.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the release.
        type: str
        required: true
      namespace:
        description: Its namespace.
        type: str
        required: true
      chart:
        description: The chart. Needed unless the release shall be absent.
        type: dict
        suboptions:
          ref:
            description: A directory, an archive, or an C(oci://) reference. Excludes O(releases[].chart.name).
            type: str
          name:
            description: Name of a chart in O(releases[].chart.repository).
            type: str
          repository:
            description: URL of the chart's repository. Not needed when O(chart_mirror) has the chart.
            type: str
          version:
            description: Exact version. Needed unless O(releases[].chart.ref) is a directory or an archive.
            type: str
          stand_in:
            description:
              - For rehearsals. What the chart makes, as data. With O(stand_ins), and unless a directory in
                O(chart_mirror) holds the chart, the release is made from a small chart of the same name and version,
                generated from this data, with the release's own values.
              - Names, labels, replicas, ports and all of O(releases[].chart.stand_in.objects) may hold Helm
                expressions, such as C({{ .Values.replicas }}) and C({{ .Release.Name }}-web); mark such a text as
                C(!unsafe), so that Ansible leaves it alone. A text that is one expression
                takes the type of its result. Statements (C(if), C(range), C(with)) are not possible.
            type: dict
            suboptions:
              workloads:
                description: The workloads. Their pods have no probes.
                type: list
                elements: dict
                suboptions:
                  kind:
                    description: Kind of the workload.
                    type: str
                    choices: [Deployment, StatefulSet, DaemonSet]
                    default: Deployment
                  name:
                    description: Its name.
                    type: str
                    required: true
                  replicas:
                    description: How many pods, or an expression. A DaemonSet has none.
                    type: raw
                    default: 1
                  service_account:
                    description: Service account of the pods.
                    type: str
                  pod_security:
                    description: The Pod Security Standard that the pods keep to; V(privileged) pods ask for privileges.
                    type: str
                    choices: [restricted, baseline, privileged]
                    default: restricted
                  labels:
                    description: Labels of the workload, its pods and its services, besides the usual ones.
                    type: dict
                  annotations:
                    description: Annotations of the pods.
                    type: dict
                  containers:
                    description: The containers.
                    type: list
                    elements: dict
                    required: true
                    suboptions:
                      name:
                        description: Name of the container.
                        type: str
                        required: true
                      image:
                        description: Its image.
                        type: str
                        required: true
                      ports:
                        description: Port numbers by their names.
                        type: dict
                      requests:
                        description:
                          - Requested resources, by default C(10m) of CPU and C(16Mi) of memory.
                          - Memory and extended resources are limits too.
                        type: dict
                  volume_claims:
                    description: Volumes, as claim templates of a StatefulSet and as claims of the other kinds.
                    type: list
                    elements: dict
                    suboptions:
                      name:
                        description: Name of the claim.
                        type: str
                        required: true
                      size:
                        description: Size.
                        type: str
                        default: 1Gi
                      storage_class:
                        description: Storage class. By default the cluster's own default.
                        type: str
                  pod:
                    description: More fields of the pod's spec, such as C(tolerations); they replace generated ones.
                    type: dict
              services:
                description: The services.
                type: list
                elements: dict
                suboptions:
                  name:
                    description: Name of the service.
                    type: str
                    required: true
                  workload:
                    description: The workload that it leads to.
                    type: str
                    required: true
                  ports:
                    description:
                      - Port numbers by their names.
                      - A port leads to the container port of the same name, else to the one of the same number.
                    type: dict
                    required: true
                  headless:
                    description: Whether it has no address of its own.
                    type: bool
                    default: false
              service_accounts:
                description: Names of service accounts.
                type: list
                elements: str
              config_maps:
                description: The ConfigMaps.
                type: list
                elements: dict
                suboptions: &data
                  name:
                    description: Name of the object.
                    type: str
                    required: true
                  data:
                    description: Texts by their keys.
                    type: dict
              secrets:
                description: The Secrets, with data that is none.
                type: list
                elements: dict
                suboptions: *data
              crds:
                description: The CustomResourceDefinitions; their schemas take any field, and they have a status.
                type: list
                elements: dict
                suboptions:
                  group:
                    description: API group.
                    type: str
                    required: true
                  kind:
                    description: Kind.
                    type: str
                    required: true
                  plural:
                    description: Plural name.
                    type: str
                    required: true
                  scope:
                    description: Scope.
                    type: str
                    choices: [Namespaced, Cluster]
                    default: Namespaced
                  versions:
                    description: Served versions; the first is the stored one.
                    type: list
                    elements: str
                    required: true
              objects:
                description: Any other objects, whole.
                type: list
                elements: dict
              values:
                description: The chart's default values, below those of the release.
                type: dict
      values:
        description: Values, merged in order as helm merges value files; a null takes a chart's default away.
        type: list
        elements: dict
      needs:
        description: Releases of the list, as C(name) or C(namespace/name), that must be there first.
        type: list
        elements: str
      wait:
        description: Whether to wait until the release's objects and jobs are ready.
        type: bool
        default: true
      timeout:
        description:
          - Seconds for each operation of helm on the release, such as a hook or the wait for its objects.
          - A helm that has not ended after three times as long is asked to, so that it notes the release as failed.
        type: int
        default: 600
      state:
        description: Whether the release is there.
        type: str
        choices: [present, absent]
        default: present
      create_namespace:
        description: Whether helm makes the namespace when it is missing.
        type: bool
        default: true
      crds:
        description:
          - With V(helm), helm installs the chart's missing CRDs and never changes them.
          - With V(apply), they are applied before each deployment, so that an upgrade brings the new ones. The diff and
            the counts of objects show them.
        type: str
        choices: [helm, apply]
        default: helm
      force_conflicts:
        description: Whether fields of other field managers are taken over. Helm 4 only.
        type: bool
        default: false
  state:
    description: State of all releases, instead of each one's own.
    type: str
    choices: [present, absent]
  drift:
    description:
      - Whether to report which live objects are no longer what helm deployed, because someone changed or deleted them.
      - Each object is compared by the server's dry run. Nothing is repaired and nothing counts as changed.
    type: bool
    default: false
  chart_mirror:
    description:
      - A directory, the URL of an HTTP repository, or an C(oci://) prefix that replaces every repository, for sites
        without access to the internet.
      - In a directory a chart lies as C(name-version.tgz), or unpacked as C(name-version) or C(name).
    type: str
  stand_ins:
    description:
      - Whether releases with O(releases[].chart.stand_in) are made from their stand-in charts, to rehearse a platform
        where the charts cannot be had.
      - A directory in O(chart_mirror) that holds the chart goes first. An HTTP repository or a registry as
        O(chart_mirror) is taken to hold every chart.
      - A chart replaces its stand-in, which is removed first; a stand-in never replaces a real chart. CRDs of a
        stand-in stay, as helm takes none away; O(releases[].crds=apply) brings those of the chart.
    type: bool
    default: false
  plain_http:
    description: Whether C(oci://) registries are asked without TLS, such as a mirror on this machine.
    type: bool
    default: false
  cache_dir:
    description: Where fetched charts are kept, under the digest of their content. By default in the user's cache.
    type: path
  helm_binary:
    description: Path of helm 4, or 3 from 3.16. By default the first C(helm) on the E(PATH).
    type: path
  parallel:
    description: Releases at once.
    type: int
    default: 4
  pending_timeout:
    description:
      - Seconds after which an operation of another helm that has not ended is taken for dead and recovered.
      - By default three times the release's O(releases[].timeout) and half a minute, the longest that helm may take.
    type: int
  mask:
    description: Where secret values stand besides the data of Secrets, so that the diff hides them.
    type: list
    elements: dict
    default: []
    suboptions:
      kind:
        description: Kind of the objects, V(*) for all.
        type: str
        required: true
      path:
        description: Dotted path of field names below which all values are secret. V(*) is any key or list item.
        type: str
        required: true
seealso:
  - module: aiplatform.eks.helm_releases_info
"""

EXAMPLES = r"""
- name: Install an operator and what needs it
  aiplatform.eks.helm_releases:
    releases:
      - name: cert-manager
        namespace: cert-manager
        chart: {name: cert-manager, repository: https://charts.jetstack.io, version: v1.19.1}
        values: [{crds: {enabled: true}}]
      - name: trust-manager
        namespace: cert-manager
        chart: {name: trust-manager, repository: https://charts.jetstack.io, version: v0.20.0}
        needs: [cert-manager]

- name: Install a chart of ours from a directory
  aiplatform.eks.helm_releases:
    releases:
      - name: web
        namespace: web
        chart: {ref: ./charts/web}

- name: Rehearse a release where its chart cannot be had
  aiplatform.eks.helm_releases:
    stand_ins: true
    releases:
      - name: server
        namespace: mlflow
        chart:
          name: mlflow
          repository: https://community-charts.github.io/helm-charts
          version: 1.8.1
          stand_in:
            workloads:
              - name: server
                replicas: !unsafe "{{ .Values.replicaCount }}"
                containers: [{name: mlflow, image: "mlflow:3", ports: {http: 5000}}]
            services: [{name: server, workload: server, ports: {http: 80}}]
        values: [{replicaCount: 2}]

- name: Take a release away
  aiplatform.eks.helm_releases:
    releases:
      - {name: web, namespace: web, state: absent}
"""

RETURN = r"""
steps:
  description: One line for each release that changes, without values.
  returned: success
  type: list
  elements: str
  sample: ["upgrade release web/web (chart): chart web 1.0.0 -> web 1.1.0"]
releases:
  description: The releases in the order of the task.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the release.
      returned: success
      type: str
      sample: web
    namespace:
      description: Its namespace.
      returned: success
      type: str
      sample: web
    action:
      description: What is done - V(none), V(install), V(upgrade) or V(uninstall).
      returned: success
      type: str
      sample: upgrade
    chart:
      description: Name and version of the chart.
      returned: success
      type: str
      sample: web 1.1.0
    stand_in:
      description: Whether it is made from a stand-in chart.
      returned: success
      type: bool
      sample: false
    reason:
      description: Why it changes.
      returned: success
      type: str
      sample: values of replicas differ
    objects:
      description: How many objects are created, changed and deleted.
      returned: success
      type: dict
      sample: {created: 0, changed: 1, deleted: 0}
    drift:
      description: Live objects that are no longer what helm deployed. Empty unless O(drift) is set.
      returned: success
      type: list
      elements: dict
      contains:
        object:
          description: The object.
          returned: success
          type: str
          sample: Deployment web/web
        state:
          description: V(missing) or V(changed).
          returned: success
          type: str
          sample: changed
        fields:
          description: Paths of the fields that hold other values, never the values.
          returned: success
          type: list
          elements: str
          sample: [spec.replicas]
failed:
  description: The sentence for each release that failed.
  returned: failure of a deployment
  type: dict
  sample: {web/web: "cannot deploy release web/web: timed out waiting for the condition"}
done:
  description: Releases of the same wave that were done all the same.
  returned: failure of a deployment
  type: list
  elements: str
  sample: [web/api]
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module
from ansible_collections.aiplatform.eks.plugins.module_utils._helm.use_case import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
