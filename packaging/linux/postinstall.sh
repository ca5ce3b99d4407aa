#!/bin/sh
set -e
# A running service continues with the new version; counters and progress are in its state file.
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl try-restart vb365-exporter.service
fi
