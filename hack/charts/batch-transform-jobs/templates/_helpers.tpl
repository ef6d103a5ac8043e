{{- /* A value as text; whole numbers without an exponent, which Go would print from a million on. */ -}}
{{- define "sagemaker.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}{{ printf "%.0f" . | quote }}{{- else -}}{{ toString . | quote }}{{- end -}}
{{- end -}}

