apiVersion: v1
kind: ServiceAccount
metadata:
  name: gpu-operator
  labels: {app.kubernetes.io/component: gpu-operator}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: gpu-operator
rules:
  - {apiGroups: [nvidia.com], resources: ["*"], verbs: [get, list, watch, update, patch]}
  - {apiGroups: [""], resources: [nodes], verbs: [get, list, watch, update, patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: gpu-operator
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: gpu-operator}
subjects:
  - {kind: ServiceAccount, name: gpu-operator, namespace: {{ .Release.Namespace }}}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: gpu-operator
  labels: {app.kubernetes.io/component: gpu-operator}
spec:
  replicas: 1
  selector: {matchLabels: {app: gpu-operator}}
  template:
    metadata: {labels: {app: gpu-operator}}
    spec:
      serviceAccountName: gpu-operator
      containers:
        - name: gpu-operator
          image: nvcr.io/nvidia/gpu-operator:{{ .Chart.AppVersion }}
          resources: {requests: {cpu: 200m, memory: 100Mi}, limits: {memory: 350Mi}}
          securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true}
