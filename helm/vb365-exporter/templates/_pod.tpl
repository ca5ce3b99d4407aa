{{- /* The template of the pods: metadata and spec. */ -}}
{{- define "vb365-exporter.pod" -}}
{{- $secret := include "vb365-exporter.secretName" . }}
{{- $webSecret := include "vb365-exporter.webSecretName" . }}
{{- $postgresql := include "vb365-exporter.postgresql" . }}
metadata:
  labels:
    {{- toYaml (merge (fromYaml (include "vb365-exporter.labels" .)) .Values.podLabels) | nindent 4 }}
  annotations:
    {{- $annotations := dict "kubectl.kubernetes.io/default-container" "vb365-exporter" }}
    {{- if not .Values.existingConfigMap }}
    {{- $_ := set $annotations "checksum/config" (include "vb365-exporter.config" . | sha256sum) }}
    {{- end }}
    {{- toYaml (merge $annotations .Values.podAnnotations) | nindent 4 }}
spec:
  serviceAccountName: {{ include "vb365-exporter.serviceAccountName" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  {{- with include "vb365-exporter.imagePullSecrets" . | trim }}
  imagePullSecrets:
    {{- . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- range $key := list "hostAliases" "dnsConfig" "nodeSelector" "tolerations" "affinity" }}
  {{- with get $.Values $key }}
  {{ $key }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  {{- with include "vb365-exporter.topologySpread" . | fromYamlArray }}
  topologySpreadConstraints:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.extraInitContainers }}
  initContainers:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: vb365-exporter
      image: {{ include "vb365-exporter.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        - serve
        - --config.file=/etc/vb365-exporter/config/vb365-exporter.yaml
        - --web.listen-address=:10365
        {{- if $webSecret }}
        - --web.config.file=/etc/vb365-exporter/web/web-config.yml
        {{- end }}
        - --log.level={{ .Values.log.level }}
        - --log.format={{ .Values.log.format }}
        {{- with .Values.extraArgs }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with include "vb365-exporter.env" . | fromYamlArray }}
      env:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.extraEnvFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - name: http
          containerPort: {{ include "vb365-exporter.port" . }}
          protocol: TCP
      {{- with .Values.startupProbe }}
      startupProbe:
        {{- include "vb365-exporter.probe" (dict "context" $ "probe" . "path" "/-/healthy") | nindent 8 }}
      {{- end }}
      {{- with .Values.livenessProbe }}
      livenessProbe:
        {{- include "vb365-exporter.probe" (dict "context" $ "probe" . "path" "/-/healthy") | nindent 8 }}
      {{- end }}
      {{- with .Values.readinessProbe }}
      readinessProbe:
        {{- include "vb365-exporter.probe" (dict "context" $ "probe" . "path" "/-/ready") | nindent 8 }}
      {{- end }}
      {{- with .Values.resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        {{- toYaml .Values.securityContext | nindent 8 }}
      volumeMounts:
        {{- if not $postgresql }}
        - name: state
          mountPath: /var/lib/vb365-exporter
        {{- end }}
        - name: config
          mountPath: /etc/vb365-exporter/config
          readOnly: true
        {{- if $secret }}
        - name: secrets
          mountPath: /etc/vb365-exporter/secrets
          readOnly: true
        {{- end }}
        {{- if .Values.postgresql.existingSecret }}
        - name: postgresql
          mountPath: /etc/vb365-exporter/postgresql
          readOnly: true
        {{- end }}
        {{- if $webSecret }}
        - name: web
          mountPath: /etc/vb365-exporter/web
          readOnly: true
        {{- end }}
        {{- if or .Values.caBundle.configMap .Values.caBundle.secret }}
        - name: ca
          mountPath: /etc/vb365-exporter/ca
          readOnly: true
        {{- end }}
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    {{- with .Values.extraContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
    - name: config
      configMap:
        name: {{ include "vb365-exporter.configMapName" . }}
    {{- with $secret }}
    - name: secrets
      secret:
        secretName: {{ . }}
        defaultMode: 0440
    {{- end }}
    {{- with .Values.postgresql.existingSecret }}
    - name: postgresql
      secret:
        secretName: {{ . }}
        defaultMode: 0440
    {{- end }}
    {{- with $webSecret }}
    - name: web
      secret:
        secretName: {{ . }}
        defaultMode: 0440
    {{- end }}
    {{- with .Values.caBundle }}
    {{- if .configMap }}
    - name: ca
      configMap:
        name: {{ .configMap }}
    {{- else if .secret }}
    - name: ca
      secret:
        secretName: {{ .secret }}
        defaultMode: 0440
    {{- end }}
    {{- end }}
    {{- if $postgresql }}
    {{- else if .Values.persistence.existingClaim }}
    - name: state
      persistentVolumeClaim:
        claimName: {{ .Values.persistence.existingClaim }}
    {{- else if not .Values.persistence.enabled }}
    - name: state
      emptyDir: {}
    {{- end }}
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}

{{- /* With replicas, the pods spread over the nodes as far as possible, unless the values say how. */ -}}
{{- define "vb365-exporter.topologySpread" -}}
{{- if .Values.topologySpreadConstraints }}
{{- toYaml .Values.topologySpreadConstraints }}
{{- else if include "vb365-exporter.postgresql" . }}
- maxSkew: 1
  topologyKey: kubernetes.io/hostname
  whenUnsatisfiable: ScheduleAnyway
  matchLabelKeys: [pod-template-hash]
  labelSelector:
    matchLabels:
      {{- include "vb365-exporter.selectorLabels" . | nindent 6 }}
{{- else }}[]
{{- end }}
{{- end }}
