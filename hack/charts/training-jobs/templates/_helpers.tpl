{{- /* A value as text; whole numbers without an exponent, which Go would print from a million on; lists and maps as JSON. */ -}}
{{- define "sagemaker.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}{{ printf "%.0f" . | quote }}
{{- else if or (kindIs "slice" .) (kindIs "map" .) -}}{{ toJson . | quote }}
{{- else -}}{{ toString . | quote }}{{- end -}}
{{- end -}}

{{- define "sagemaker.channels" -}}
{{- range . }}
- channelName: {{ .channel | quote }}
  dataSource:
    {{- with .s3 }}
    s3DataSource:
      s3DataType: {{ .s3DataType | default "S3Prefix" }}
      s3Uri: {{ .s3Uri | quote }}
      s3DataDistributionType: {{ .s3DataDistributionType | default "FullyReplicated" }}
    {{- end }}
    {{- if .fileSystem }}
    fileSystemDataSource:
      fileSystemId: {{ .fileSystem.fileSystemID | quote }}
      fileSystemAccessMode: {{ .fileSystemAccessMode | default "ro" }}
      fileSystemType: {{ .fileSystem.fileSystemType }}
      directoryPath: {{ .fileSystem.directoryPath | quote }}
    {{- end }}
  contentType: {{ .contentType | default "text/csv" | quote }}
  compressionType: {{ .compressionType | default "None" | quote }}
  {{- with .recordWrapperType }}
  recordWrapperType: {{ . | quote }}
  {{- end }}
  {{- with .inputMode }}
  inputMode: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end -}}
