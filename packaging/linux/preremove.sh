#!/bin/sh
set -e
# dpkg says "remove", rpm the number of versions that stay: 0. An upgrade restarts the service afterwards.
case "$1" in
remove | 0)
  if [ -d /run/systemd/system ]; then systemctl --no-reload disable --now vb365-exporter.service; fi
  ;;
esac
