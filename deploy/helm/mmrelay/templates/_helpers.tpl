{{- define "mmrelay.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "mmrelay.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains (include "mmrelay.name" .) .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "mmrelay.name" .) | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* Both label sets: app=mmrelay is what the Kubernetes guide's commands select by. */ -}}
{{- define "mmrelay.selectorLabels" -}}
app: mmrelay
app.kubernetes.io/name: {{ include "mmrelay.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "mmrelay.labels" -}}
{{ include "mmrelay.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | replace "+" "_" | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "mmrelay.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "mmrelay.configName" -}}
{{- if .Values.config.data -}}
{{- printf "%s-config" (include "mmrelay.fullname" .) -}}
{{- else -}}
{{- .Values.config.existingName -}}
{{- end -}}
{{- end -}}

{{- define "mmrelay.claimName" -}}
{{- default (printf "%s-data" (include "mmrelay.fullname" .)) .Values.persistence.existingClaim -}}
{{- end -}}

{{- define "mmrelay.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "mmrelay.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}
