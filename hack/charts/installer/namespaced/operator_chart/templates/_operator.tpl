{{- /* Made by `python -m hack.manifests` from hack/manifests/chart_files: the operator's charts share it. */ -}}

{{- /* The image: by tag, by digest, or by both, of which the digest counts. An empty tag is the chart's appVersion. */ -}}
{{- define "sagemaker.image" -}}
{{- with .Values.image -}}
{{- $tag := "" -}}
{{- if not (kindIs "invalid" .tag) }}{{ $tag = include "sagemaker.text" .tag }}{{ end -}}
{{- if not (or $tag .digest) }}{{ $tag = $.Chart.AppVersion }}{{ end -}}
{{- .repository }}{{ if $tag }}:{{ $tag }}{{ end }}{{ with .digest }}@{{ . }}{{ end -}}
{{- end -}}
{{- end -}}

{{- define "sagemaker.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default "sagemaker-k8s-operator-default" -}}
{{- else -}}
{{- required "serviceAccount.name is needed where serviceAccount.create is false" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- /* What Prometheus checks of the certificate of the metrics: that of the mounted Secret, for the Service's name. */ -}}
{{- define "sagemaker.scrapeTls" -}}
{{- if .Values.prometheus.tlsConfig -}}
{{- toYaml .Values.prometheus.tlsConfig -}}
{{- else if .Values.metricsProxy.certificateSecret -}}
{{- $ca := dict "secret" (dict "name" .Values.metricsProxy.certificateSecret "key" "ca.crt") -}}
{{- toYaml (dict "ca" $ca "serverName" (printf "sagemaker-k8s-operator-controller-manager-metrics-service.%s.svc" .Release.Namespace)) -}}
{{- else -}}
insecureSkipVerify: true
{{- end -}}
{{- end -}}
