#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: linkerd_identity
short_description: Make Linkerd's certificates once and renew them in time
version_added: 0.1.0
description:
  - Makes the trust anchor, the issuer below it and the certificates of webhooks, each in a Secret of its own. Keys stay
    in those Secrets and appear in no result, diff or log.
  - A certificate is renewed when a third of its life is left. The task therefore has to be played more often than that.
  - A new trust anchor joins the bundle at once and signs nothing before O(overlap_days) have passed. The old one leaves
    the bundle when nothing that it signed is in use any more. Proxies read the bundle when they start, so they have to
    be restarted within that time; RV(restart_proxies) says so as long as one runs that does not know the bundle.
  - The issuer and the webhooks are renewed without any restart, because Linkerd reads their Secrets again.
  - A Secret of one of these names that somebody else made is an error, never overwritten.
author:
  - The aiplatform.eks engineers (@aiplatform)
extends_documentation_fragment:
  - aiplatform.eks._attributes
  - aiplatform.eks._attributes.converges
  - aiplatform.eks._kubernetes
options:
  state:
    description: With V(absent) the Secrets are deleted, the trust anchor's key with them.
    type: str
    choices: [present, absent]
    default: present
  namespace:
    description: Namespace of Linkerd's control plane. It must be there.
    type: str
    default: linkerd
  issuer:
    description:
      - Whether trust anchor and issuer are made.
      - With V(false) somebody else, such as cert-manager, makes the Secret C(linkerd-identity-issuer).
    type: bool
    default: true
  trust_anchors:
    description:
      - Certificates (PEM) that somebody else's issuer hangs from, with O(issuer=false).
      - They are not written anywhere, but tell which proxies do not know them.
    type: str
    default: ""
  trust_domain:
    description: Trust domain of the mesh, the end of every identity.
    type: str
    default: cluster.local
  webhooks:
    description: Services that the API server calls, which need certificates from an authority of their own.
    type: list
    elements: dict
    default: []
    suboptions:
      service:
        description: Name of the Service.
        type: str
        required: true
      secret:
        description: Name of the Secret that its pods read.
        type: str
        required: true
      namespace:
        description: Namespace of both. O(namespace) without it.
        type: str
  anchor_days:
    description: Life of the trust anchor and of the webhooks' authority.
    type: int
    default: 3650
  issuer_days:
    description: Life of the issuer.
    type: int
    default: 180
  webhook_days:
    description: Life of the webhooks' certificates.
    type: int
    default: 365
  overlap_days:
    description: How long a new trust anchor is trusted before it signs.
    type: int
    default: 14
requirements:
  - cryptography (the Python package)
"""

EXAMPLES = r"""
- name: Make or renew Linkerd's certificates
  aiplatform.eks.linkerd_identity:
    webhooks:
      - {service: linkerd-proxy-injector, secret: linkerd-proxy-injector-k8s-tls}
      - {service: tap, secret: tap-k8s-tls, namespace: linkerd-viz}
  register: identity

- name: Install Linkerd with them
  aiplatform.eks.helm_releases:
    releases:
      - name: linkerd-control-plane
        namespace: linkerd
        chart: {name: linkerd-control-plane, repository: https://helm.linkerd.io/edge, version: 2026.8.3}
        values:
          - identityTrustAnchorsPEM: "{{ identity.trust_anchors }}"
            identity: {issuer: {scheme: kubernetes.io/tls}}
            proxyInjector: {externalSecret: true, caBundle: "{{ identity.webhook_authorities }}"}
"""

RETURN = r"""
steps:
  description: One line for each Secret that changes, with the reason.
  returned: success
  type: list
  elements: str
  sample: ["update Secret linkerd/linkerd-identity-issuer (certificates): it ends on 2027-03-01"]
trust_anchors:
  description:
    - Certificates of the trust anchors, PEM. Empty when they are absent. In check mode new ones are samples.
    - With O(issuer=false) what O(trust_anchors) says.
  returned: success
  type: str
  sample: "-----BEGIN CERTIFICATE-----..."
webhook_authorities:
  description: Certificates of the webhooks' authority, PEM. Empty when they are absent.
  returned: success
  type: str
  sample: "-----BEGIN CERTIFICATE-----..."
restart_proxies:
  description:
    - Whether a proxy runs that does not know the bundle of trust anchors.
    - Where pods must not be listed, whether the bundle changed.
  returned: success
  type: bool
  sample: false
outdated_proxies:
  description: Where such proxies run. The control plane's own are left out, because its upgrade restarts them.
  returned: success
  type: list
  elements: dict
  contains:
    namespace:
      description: Namespace of the pods.
      returned: success
      type: str
      sample: models
    pods:
      description: Number of the pods.
      returned: success
      type: int
      sample: 12
certificates:
  description: The Secrets, and when the youngest certificate of each ends.
  returned: success
  type: list
  elements: dict
  contains:
    namespace:
      description: Namespace of the Secret.
      returned: success
      type: str
      sample: linkerd
    secret:
      description: Name of the Secret.
      returned: success
      type: str
      sample: linkerd-identity-issuer
    valid_until:
      description: The end, in UTC.
      returned: success
      type: str
      sample: "2027-03-01T12:00:00Z"
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module
from ansible_collections.aiplatform.eks.plugins.module_utils._mesh.linkerd_identity import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
