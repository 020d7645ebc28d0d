#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: k8s_apply_set
short_description: Make a set of Kubernetes objects exactly what you say
version_added: 0.1.0
description:
  - Applies all objects of a set in one task by server-side apply, removes objects that left the set,
    and waits until all are ready.
  - The set is recorded in the cluster in the format of KEP-3659 (ApplySet), as a ConfigMap C(applyset-<name>).
    Its members carry the label C(applyset.kubernetes.io/part-of). An object is a member of at most one set.
  - One list request per kind tells what is unchanged; an unchanged object costs no request.
  - Objects are applied in waves, first Namespaces and CustomResourceDefinitions, which are served before the next
    wave begins, then configuration, access rules, services and claims, then workloads and custom resources, and last
    webhooks, admission policies and API services.
    The annotation C(aiplatform.eks/wave) with a number from 0 to 99 overrides an object's wave.
  - Duplicate keys, unknown fields, wrong types, an object twice, an object of another set,
    a namespace that does not exist are errors before the first write.
author:
  - The aiplatform.eks engineers (@aiplatform)
extends_documentation_fragment:
  - aiplatform.eks._attributes
  - aiplatform.eks._attributes.converges
  - aiplatform.eks._kubernetes
options:
  name:
    description: Name of the set.
    type: str
    required: true
  namespace:
    description:
      - Namespace of the set's record, and of namespaced objects that name none.
      - It may be one of the set's own objects.
    type: str
    default: default
  state:
    description:
      - With V(present) the members of the set become exactly the given objects.
      - With V(absent) all members are deleted in reverse waves, then the record.
        Guarded kinds stay unless O(deletable_kinds) allows them.
    type: str
    choices: [present, absent]
    default: present
  objects:
    description:
      - Objects as a list, one object, or YAML or JSON text with any number of documents.
      - O(objects), O(templates) and O(files) add up. At least one of them is needed with O(state=present).
    type: raw
  templates:
    description: Paths of templates that give YAML, searched where M(ansible.builtin.template) searches.
    type: list
    elements: str
  files:
    description:
      - Paths of YAML or JSON files on the controller, searched where M(ansible.builtin.copy) searches.
      - A directory stands for all files below it that end in C(.yaml), C(.yml) or C(.json).
    type: list
    elements: str
  field_manager:
    description: Name of the field manager that owns what is applied.
    type: str
    default: aiplatform.eks
  force_conflicts:
    description:
      - Whether fields of other field managers are taken over.
      - With V(false) a conflict is an error that names each field and its manager.
    type: bool
    default: true
  migrate_managers:
    description:
      - Managers of earlier client-side applies.
        Their fields become ours, so that what they set and we do not want goes.
    type: list
    elements: str
    default: [kubectl-client-side-apply]
  recreate:
    description:
      - With V(on_immutable) an object that refuses a change of an immutable field is deleted and made anew.
        The pods of a StatefulSet stay. Never done to Namespaces, CustomResourceDefinitions and PersistentVolumeClaims.
      - The annotation C(aiplatform.eks/recreate) with the same values decides for a single object.
    type: str
    choices: [never, on_immutable]
    default: never
  prune:
    description:
      - Whether members that are not among the objects any more are deleted.
      - Objects with the annotation C(aiplatform.eks/keep=true) always stay.
    type: bool
    default: true
  prune_limit:
    description: The most objects that one run may prune. More is an error before the first write. V(-1) is no limit.
    type: int
    default: 20
  deletable_kinds:
    description: Guarded kinds that may be pruned and deleted all the same.
    type: list
    elements: str
    choices: [Namespace, CustomResourceDefinition, PersistentVolumeClaim]
    default: []
  mask:
    description: Where secret values stand besides C(data) and C(stringData) of Secrets, so that the diff hides them.
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
  wait:
    description: Whether to wait until all objects are ready, and until deleted ones are gone.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait for all objects together.
    type: int
    default: 300
  fail_fast:
    description: Whether to end the wait as soon as a pod cannot start (bad image, crash loop, missing configuration).
    type: bool
    default: true
  wait_conditions:
    description:
      - When objects count as ready, where their kind's own rule does not do.
        The first entry that fits an object decides.
      - Without an entry the rules of kstatus hold, except that a Job must be complete, a failed Pod is a failure,
        and a load balancer needs an address.
    type: list
    elements: dict
    default: []
    suboptions:
      kind:
        description: Kind of the objects.
        type: str
        required: true
      group:
        description: API group of the objects, empty for the core group. Any without it.
        type: str
      namespace:
        description: Namespace of the objects. Any without it.
        type: str
      name:
        description: Name of the object. Any without it.
        type: str
      condition:
        description: Type of a condition in C(status.conditions).
        type: str
      status:
        description: Status that the condition must have.
        type: str
        default: "True"
      query:
        description: JMESPath expression over the object that must give O(wait_conditions[].value).
        type: str
      value:
        description: What O(wait_conditions[].query) must give. Anything true without it.
        type: raw
      skip:
        description: Do not wait for these objects.
        type: bool
        default: false
  connections:
    description: Requests at once, from 1 to 64.
    type: int
    default: 16
requirements:
  - jmespath (the Python package, for O(wait_conditions[].query))
seealso:
  - module: aiplatform.eks.k8s_apply_set_info
"""

EXAMPLES = r"""
- name: Apply the objects of a component
  aiplatform.eks.k8s_apply_set:
    name: vllm
    namespace: inference
    templates:
      - deployment.yaml.j2
      - service.yaml.j2

- name: Apply inline objects and a directory of files, and never wait for the certificate
  aiplatform.eks.k8s_apply_set:
    name: gateway
    namespace: gateway
    files: [crds]
    objects:
      - apiVersion: v1
        kind: Namespace
        metadata:
          name: gateway
      - apiVersion: cert-manager.io/v1
        kind: Certificate
        metadata:
          name: gateway
        spec:
          secretName: gateway-tls
          dnsNames: [models.example.com]
          issuerRef:
            name: internal
    wait_conditions:
      - kind: Certificate
        skip: true

- name: Take the component away, its namespace included
  aiplatform.eks.k8s_apply_set:
    name: gateway
    namespace: gateway
    state: absent
    deletable_kinds: [Namespace]
"""

RETURN = r"""
apply_set:
  description: The set's identity, the value of the members' label.
  returned: always, once the cluster was read
  type: str
  sample: applyset-1CPd3v1-8lbiNjG8S6TzwiEcvrZzlQB1U7zTLzPr1Rc-v1
counts:
  description: How many objects took which action.
  returned: always, once the cluster was read
  type: dict
  sample: {configured: 1, unchanged: 199}
objects:
  description: The objects, by wave, then by group, kind, namespace and name. Never their content.
  returned: always, once the cluster was read
  type: list
  elements: dict
  contains:
    api_version:
      description: The object's API version.
      returned: success
      type: str
      sample: apps/v1
    kind:
      description: The object's kind.
      returned: success
      type: str
      sample: Deployment
    namespace:
      description: The object's namespace, empty for cluster-scoped kinds.
      returned: success
      type: str
      sample: inference
    name:
      description: The object's name.
      returned: success
      type: str
      sample: vllm
    action:
      description:
        - What was done, or would be done in check mode.
        - One of V(created), V(configured), V(unchanged), V(recreated), V(pruned), V(deleted), V(kept), V(skipped)
          and V(failed).
      returned: success
      type: str
      sample: configured
    wave:
      description: The wave in which it was handled.
      returned: success
      type: int
      sample: 2
    ms:
      description: Milliseconds that its requests took.
      returned: success
      type: int
      sample: 4
    reason:
      description: Why it was kept, skipped or failed.
      returned: success
      type: str
      sample: ""
steps:
  description: One line per change.
  returned: always, once the cluster was read
  type: list
  elements: str
  sample: ["configured Deployment inference/vllm (spec)"]
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.apply_use_case import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
