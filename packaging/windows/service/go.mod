module vb365-exporter-service

go 1.26.0

require (
	golang.org/x/sys v0.50.0
	gopkg.in/natefinch/lumberjack.v2 v2.2.1
)
