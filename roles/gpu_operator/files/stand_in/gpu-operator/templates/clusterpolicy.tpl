apiVersion: nvidia.com/v1
kind: ClusterPolicy
metadata:
  name: cluster-policy
  labels: {app.kubernetes.io/component: gpu-operator}
spec:
  {{- range $name := list "operator" "daemonsets" "driver" "toolkit" "cdi" "mig" "gfd" "dcgm" "dcgmExporter" "validator" "nodeStatusExporter" "psa" }}
  {{ $name }}: {{ index $.Values $name | toJson }}
  {{- end }}
  devicePlugin:
    {{- omit .Values.devicePlugin "config" | toYaml | nindent 4 }}
    {{- with .Values.devicePlugin.config.name }}
    config: {name: {{ . | quote }}, default: {{ $.Values.devicePlugin.config.default | quote }}}
    {{- end }}
  migManager:
    {{- omit .Values.migManager "config" | toYaml | nindent 4 }}
    {{- with .Values.migManager.config.name }}
    config: {name: {{ . | quote }}, default: {{ $.Values.migManager.config.default | quote }}}
    {{- end }}
