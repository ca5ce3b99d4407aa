{{- define "vb365-exporter.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /* 52 characters, so that the controller's suffix still fits into a label. */ -}}
{{- define "vb365-exporter.fullname" -}}
{{- $name := include "vb365-exporter.name" . }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- default $full .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- define "vb365-exporter.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{- define "vb365-exporter.selectorLabels" -}}
app.kubernetes.io/name: {{ include "vb365-exporter.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* Labels of the pod of "helm test"; they must not match the selectors of the exporter. */ -}}
{{- define "vb365-exporter.testLabels" -}}
app.kubernetes.io/name: {{ printf "%s-test" (include "vb365-exporter.name" . | trunc 58 | trimSuffix "-") }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "vb365-exporter.labels" -}}
{{- $own := dict
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-")
  "app.kubernetes.io/version" .Chart.AppVersion
  "app.kubernetes.io/component" "exporter"
  "app.kubernetes.io/part-of" (include "vb365-exporter.name" .)
  "app.kubernetes.io/managed-by" .Release.Service }}
{{- toYaml (merge $own (fromYaml (include "vb365-exporter.selectorLabels" .)) .Values.commonLabels) }}
{{- end }}

{{- /* Metadata of an object. Takes a dict of context, name (suffix of the full name), namespace, labels and annotations. */ -}}
{{- define "vb365-exporter.metadata" -}}
name: {{ include "vb365-exporter.fullname" .context }}{{ with .name }}-{{ . }}{{ end }}
namespace: {{ default (include "vb365-exporter.namespace" .context) .namespace }}
labels:
  {{- toYaml (merge (fromYaml (include "vb365-exporter.labels" .context)) (default dict .labels)) | nindent 2 }}
{{- with .annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "vb365-exporter.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "vb365-exporter.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "vb365-exporter.image" -}}
{{- $registry := default .Values.image.registry (.Values.global).imageRegistry }}
{{- $what := ternary (printf "@%s" .Values.image.digest) (printf ":%s" (default .Chart.AppVersion .Values.image.tag)) (ne .Values.image.digest "") }}
{{- with $registry }}{{ . }}/{{ end }}{{ .Values.image.repository }}{{ $what }}
{{- end }}

{{- define "vb365-exporter.imagePullSecrets" -}}
{{- range concat (default list (.Values.global).imagePullSecrets) .Values.imagePullSecrets }}
- name: {{ if kindIs "string" . }}{{ . }}{{ else }}{{ .name }}{{ end }}
{{- end }}
{{- end }}

{{- define "vb365-exporter.configMapName" -}}
{{- default (include "vb365-exporter.fullname" .) .Values.existingConfigMap }}
{{- end }}

{{- /* The Secret with the passwords; empty when there is none. */ -}}
{{- define "vb365-exporter.secretName" -}}
{{- default (ternary (include "vb365-exporter.fullname" .) "" (not (empty .Values.passwords))) .Values.existingSecret }}
{{- end }}

{{- /* Whether the state is in PostgreSQL: "true", or empty. */ -}}
{{- define "vb365-exporter.postgresql" -}}
{{- $state := default dict (default dict .Values.config).state }}
{{- if or .Values.postgresql.existingSecret (kindIs "map" $state.postgresql) }}true{{ end }}
{{- end }}

{{- /* `state` of the configuration file. */ -}}
{{- define "vb365-exporter.state" -}}
{{- if include "vb365-exporter.postgresql" . }}
{{- $postgresql := deepCopy (default dict (default dict .Values.config.state).postgresql) }}
{{- if regexMatch "://[^/]*:[^/]*@" (default "" $postgresql.url) }}
{{- fail "config.state.postgresql.url contains a password, which everybody who reads the ConfigMap would see: put the URL into a Secret and set postgresql.existingSecret" }}
{{- end }}
{{- if not (or $postgresql.url $postgresql.url_file) }}
{{- $names := list }}
{{- range .Values.extraEnv }}{{- $names = append $names .name }}{{- end }}
{{- if .Values.postgresql.existingSecret }}
{{- $_ := set $postgresql "url_file" (printf "/etc/vb365-exporter/postgresql/%s" .Values.postgresql.urlKey) }}
{{- else if not (or (has "PGHOST" $names) .Values.extraEnvFrom) }}
{{- fail "config.state.postgresql names no database: set postgresql.existingSecret, its url or url_file, or PGHOST in extraEnv" }}
{{- end }}
{{- end }}
{{- toYaml (dict "postgresql" $postgresql) }}
{{- else }}
{{- toYaml (dict "path" "/var/lib/vb365-exporter/vb365-exporter.db") }}
{{- end }}
{{- end }}

{{- /* The Secret with the web configuration; empty when there is none. */ -}}
{{- define "vb365-exporter.webSecretName" -}}
{{- default (ternary (printf "%s-web" (include "vb365-exporter.fullname" .)) "" (not (empty .Values.webConfig.content))) .Values.webConfig.existingSecret }}
{{- end }}

{{- define "vb365-exporter.scheme" -}}
{{- ternary "https" "http" (or .Values.webConfig.tls (hasKey .Values.webConfig.content "tls_server_config")) }}
{{- end }}

{{- /* Fails when a password is for no server, as a misspelt name is. */ -}}
{{- define "vb365-exporter.checkPasswords" -}}
{{- if not .Values.existingConfigMap }}
{{- $names := list }}
{{- range .Values.config.servers }}{{- $names = append $names (toString .name) }}{{- end }}
{{- range $server, $_ := .Values.passwords }}
{{- if not (has $server $names) }}
{{- fail (printf "passwords.%s names no server: config.servers has %s" $server (join ", " $names)) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- /* The configuration file: `config` with password files from the Secret and the place of the state. */ -}}
{{- define "vb365-exporter.config" -}}
{{- include "vb365-exporter.checkPasswords" . }}
{{- $config := deepCopy .Values.config }}
{{- $folder := "/etc/vb365-exporter/secrets" }}
{{- $isMounted := not (empty .Values.existingSecret) }}
{{- range .Values.extraVolumeMounts }}{{- if hasPrefix $folder .mountPath }}{{- $isMounted = true }}{{- end }}{{- end }}
{{- range $config.servers }}
{{- $key := ternary "assertion_file" "password_file" (not (empty .client_id)) }}
{{- if not (get . $key) }}
{{- if not (or $isMounted (hasKey $.Values.passwords .name)) }}
{{- fail (printf "server %s has no password: set passwords.%s, existingSecret, or its %s in config.servers" .name .name $key) }}
{{- end }}
{{- $_ := set . $key (printf "%s/%s" $folder .name) }}
{{- end }}
{{- end }}
{{- toYaml (set $config "state" (include "vb365-exporter.state" . | fromYaml)) }}
{{- end }}

{{- /* A probe of the values, with an HTTP handler if it has none. Takes context, probe and path. */ -}}
{{- define "vb365-exporter.probe" -}}
{{- $probe := deepCopy .probe }}
{{- $tls := default dict .context.Values.webConfig.content.tls_server_config }}
{{- if or $probe.exec $probe.grpc $probe.httpGet $probe.tcpSocket }}
{{- else if hasPrefix "Require" (default "" $tls.client_auth_type) }}
{{- /* The kubelet has no client certificate; "healthcheck" counts a refusal as healthy. */ -}}
{{- $port := include "vb365-exporter.port" .context }}
{{- $listen := ternary (list) (list (printf "--web.listen-address=:%s" $port)) (eq $port "10365") }}
{{- $_ := set $probe "exec" (dict "command" (concat (list "/nodejs/bin/node" "dist/src/main.js" "healthcheck" "--web.config.file=/etc/vb365-exporter/web/web-config.yml") $listen)) }}
{{- else }}
{{- $_ := set $probe "httpGet" (dict "path" .path "port" "http" "scheme" (include "vb365-exporter.scheme" .context | upper)) }}
{{- end }}
{{- toYaml $probe }}
{{- end }}

{{- /* The chart's variables without those in `extraEnv`, then `extraEnv`: the API server refuses duplicates. */ -}}
{{- define "vb365-exporter.env" -}}
{{- $ours := list }}
{{- if or .Values.caBundle.configMap .Values.caBundle.secret }}
{{- $ours = append $ours (dict "name" "NODE_EXTRA_CA_CERTS" "value" (printf "/etc/vb365-exporter/ca/%s" .Values.caBundle.key)) }}
{{- end }}
{{- with .Values.proxy.httpsProxy }}{{- $ours = append $ours (dict "name" "HTTPS_PROXY" "value" .) }}{{- end }}
{{- with .Values.proxy.noProxy }}{{- $ours = append $ours (dict "name" "NO_PROXY" "value" .) }}{{- end }}
{{- $theirs := dict }}
{{- range .Values.extraEnv }}{{- $_ := set $theirs .name true }}{{- end }}
{{- $env := list }}
{{- range $ours }}{{- if not (hasKey $theirs .name) }}{{- $env = append $env . }}{{- end }}{{- end }}
{{- toYaml (concat $env .Values.extraEnv) }}
{{- end }}

{{- /* The value of a flag in extraArgs, as `--flag=value` or as two items; the last one counts. Takes context, flag and default. */ -}}
{{- define "vb365-exporter.flag" -}}
{{- $flag := .flag }}
{{- $value := .default }}
{{- $isNext := false }}
{{- range .context.Values.extraArgs }}
{{- if $isNext }}{{- $value = . }}{{- $isNext = false }}
{{- else if eq . $flag }}{{- $isNext = true }}
{{- else if hasPrefix (printf "%s=" $flag) . }}{{- $value = trimPrefix (printf "%s=" $flag) . }}
{{- end }}
{{- end }}
{{- $value }}
{{- end }}

{{- define "vb365-exporter.telemetryPath" -}}
{{- include "vb365-exporter.flag" (dict "context" . "flag" "--web.telemetry-path" "default" "/metrics") }}
{{- end }}

{{- /* The port that the exporter listens on. */ -}}
{{- define "vb365-exporter.port" -}}
{{- $address := include "vb365-exporter.flag" (dict "context" . "flag" "--web.listen-address" "default" ":10365") }}
{{- if regexMatch "^(localhost|127\\.[0-9.]+|\\[::1\\]):" $address }}
{{- fail (printf "--web.listen-address=%s in extraArgs: neither probes nor Prometheus reach a loopback address; use one such as :10365" $address) }}
{{- end }}
{{- $port := regexFind "[0-9]+$" $address }}
{{- if not (and (regexMatch ":[0-9]{1,5}$" $address) (le 1 (atoi $port)) (le (atoi $port) 65535)) }}
{{- fail (printf "--web.listen-address=%s in extraArgs: must end with a port from 1 to 65535, such as :10365" $address) }}
{{- end }}
{{- atoi $port }}
{{- end }}

{{- /* The name of the job in Prometheus: the value of the monitor's `jobLabel`, else the full name. */ -}}
{{- define "vb365-exporter.job" -}}
{{- $labels := fromYaml (include "vb365-exporter.labels" .) }}
{{- $job := "" }}
{{- if .Values.serviceMonitor.enabled }}{{- $job = get (merge $labels .Values.service.labels) .Values.serviceMonitor.jobLabel }}
{{- else if .Values.podMonitor.enabled }}{{- $job = get (merge $labels .Values.podLabels) .Values.podMonitor.jobLabel }}
{{- end }}
{{- default (include "vb365-exporter.fullname" .) $job }}
{{- end }}

{{- /* The endpoint fields that ServiceMonitor and PodMonitor share. Takes context and monitor. */ -}}
{{- define "vb365-exporter.endpoint" -}}
port: http
path: {{ include "vb365-exporter.telemetryPath" .context }}
scheme: {{ default (include "vb365-exporter.scheme" .context) .monitor.scheme }}
honorLabels: {{ .monitor.honorLabels }}
{{- with .monitor.interval }}
interval: {{ . }}
{{- end }}
{{- with .monitor.scrapeTimeout }}
scrapeTimeout: {{ . }}
{{- end }}
{{- with .monitor.tlsConfig }}
tlsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .monitor.basicAuth }}
basicAuth:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .monitor.relabelings }}
relabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .monitor.metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* The distinct ports of the URLs in the configuration, of PostgreSQL, and of the URLs in variables for OTLP endpoints and proxies, as a JSON list. */ -}}
{{- define "vb365-exporter.ports" -}}
{{- $config := default dict .Values.config }}
{{- $urls := list }}
{{- range $config.servers }}{{- $urls = append $urls .url }}{{- with .proxy_url }}{{- $urls = append $urls . }}{{- end }}{{- end }}
{{- with $config.otlp }}{{- range compact (list .proxy_url .endpoint) }}{{- $urls = append $urls . }}{{- end }}{{- end }}
{{- range fromYamlArray (include "vb365-exporter.env" .) }}
{{- if and .value (regexMatch "^(OTEL_EXPORTER_OTLP_(LOGS_|TRACES_)?ENDPOINT|VB365_URL|(?i:https_proxy|http_proxy))$" .name) }}{{- $urls = append $urls .value }}{{- end }}
{{- end }}
{{- $ports := .Values.networkPolicy.egress.ports }}
{{- if include "vb365-exporter.postgresql" . }}
{{- $state := default dict $config.state }}
{{- $port := "5432" }}
{{- range .Values.extraEnv }}{{- if and .value (eq .name "PGPORT") }}{{- $port = .value }}{{- end }}{{- end }}
{{- with (default dict $state.postgresql).url }}
{{- $port = regexFind ":[0-9]+$" (regexFind "^[a-z]+://[^/?]+" .) | trimPrefix ":" | default $port }}
{{- end }}
{{- $ports = append $ports (int $port) }}
{{- end }}
{{- range $urls }}
{{- /* A proxy may lack the scheme, and its user may hold what a URL cannot. */ -}}
{{- $address := regexReplaceAll "^([A-Za-z]+://)?(.*@)?" (trim .) "${1}" }}
{{- $url := urlParse (ternary $address (printf "http://%s" $address) (contains "://" $address)) }}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default (ternary "80" "443" (eq $url.scheme "http")) }}
{{- $ports = append $ports (int $port) }}
{{- end }}
{{- $ports | uniq | toJson }}
{{- end }}

{{/* A rule or dashboard with the operations whose failures count as failed items. */}}
{{- define "vb365-exporter.failedItems" -}}
{{- $uncounted := list "View" "Restore" "Save" "Export" "Send" "other" }}
{{- range .types }}{{ $uncounted = without $uncounted . }}{{ end }}
{{- $text := .text | replace "View|Restore|Save|Export|Send|other" (join "|" .types) }}
{{- /* Panels of log records: LogQL, then LogsQL. */}}
{{- $logql := `severity_text=~\"ERROR\"` }}
{{- $logsql := `\"severity_text\":in(\"ERROR\")` }}
{{- if has "other" $uncounted }}
{{- $text = $text | replace $logql (printf `%s | veeam_restore_event_type=~\"|None|%s\"` $logql (join "|" .types)) }}
{{- $text = $text | replace $logsql (printf `%s \"veeam.restore.event.type\":in(\"\", \"None\", \"%s\")` $logsql (join `\", \"` .types)) }}
{{- else }}
{{- range $uncounted }}
{{- $text = $text | replace $logql (printf `%s | veeam_restore_event_type!=\"%s\"` $logql .) }}
{{- $text = $text | replace $logsql (printf `%s !\"veeam.restore.event.type\":=\"%s\"` $logsql .) }}
{{- end }}
{{- end }}
{{- $text -}}
{{- end }}
