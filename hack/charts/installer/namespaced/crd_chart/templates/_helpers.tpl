{{- /* Made by `python -m hack.manifests` from hack/manifests/chart_files: the operator's charts share it. */ -}}

{{- /* Labels of an object, of a list: root context, labels that something selects by, labels of values. The first wins,
so that no value takes an object out of a selector. */ -}}
{{- define "sagemaker.labels" -}}
{{- $root := index . 0 -}}
{{- $chart := printf "%s-%s" $root.Chart.Name ($root.Chart.Version | replace "+" "_") -}}
{{- $standard := dict "helm.sh/chart" $chart "app.kubernetes.io/managed-by" $root.Release.Service -}}
{{- toYaml (merge (dict) (fromYaml (include "sagemaker.podLabels" .)) $standard) -}}
{{- end -}}

{{- /* The same for pods, without the chart's version: a change of the chart alone restarts nothing. */ -}}
{{- define "sagemaker.podLabels" -}}
{{- $root := index . 0 -}}
{{- $standard := dict "app.kubernetes.io/name" "sagemaker-k8s-operator" "app.kubernetes.io/instance" $root.Release.Name "app.kubernetes.io/version" $root.Chart.AppVersion -}}
{{- toYaml (merge (dict) (index . 1) (index . 2 | default dict) ($root.Values.commonLabels | default dict) $standard) -}}
{{- end -}}

{{- /* A value as text; whole numbers without an exponent, which Go would print from a million on. */ -}}
{{- define "sagemaker.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}{{ printf "%.0f" . }}{{- else -}}{{ toString . }}{{- end -}}
{{- end -}}
