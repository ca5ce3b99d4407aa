#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
# Only "apt purge" deletes state and secrets. rpm knows no purge; docs/INSTALL.md names the folders.
if [ "$1" = purge ]; then
  rm -rf /var/lib/private/vb365-exporter /var/lib/vb365-exporter /etc/vb365-exporter
fi
