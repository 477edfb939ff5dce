#!/bin/bash
# User data on Amazon Linux 2023: installs the application and the unit that stops it, and starts both under systemd.
#
# A template: the stack replaces the names between two @ in the next block, and nothing else.
#   FILES_URI      s3:// address of a zip with app.py, shutdown.py and their units
#   PORT           where the application listens
#   SERVE_SECONDS  how long the application serves on when the instance is to go
#   STOP_SECONDS   how long the application may take to stop
#   REGION         the Region of the bucket
#
# Everything comes from S3 and from the repositories of Amazon Linux. It may run again on the same machine.
set -euo pipefail

files_uri='@FILES_URI@'
port='@PORT@'
serve_seconds='@SERVE_SECONDS@'
stop_seconds='@STOP_SECONDS@'
region='@REGION@'

step='starting'
downloads=''

finish() {
  status=$?
  [ -z "$downloads" ] || rm -rf "$downloads"
  if [ "$status" -ne 0 ]; then
    echo "spot-asg bootstrap: FAILED with status $status while $step; powering off" >&2
    # The group counts this machine as capacity although it does nothing. One that has stopped it replaces.
    systemctl poweroff
  fi
}
trap finish EXIT

retry() {
  local attempt=1
  until "$@"; do
    if [ "$attempt" -ge 3 ]; then
      return 1
    fi
    echo "spot-asg bootstrap: attempt $attempt failed while $step" >&2
    sleep $((attempt * 10))
    attempt=$((attempt + 1))
  done
}

umask 022

step='installing python3.13'
packages='python3.13'
command -v aws >/dev/null || packages="$packages awscli-2"
# shellcheck disable=SC2086 # one argument per package
retry dnf -y install $packages

downloads=$(mktemp -d)
step="downloading $files_uri"
retry aws s3 cp "$files_uri" "$downloads/files.zip" --region "$region" --only-show-errors

# Python unpacks: a minimal image may lack unzip.
step='unpacking'
rm -rf /opt/spot-asg/
mkdir -p /opt/spot-asg
python3.13 -m zipfile -e "$downloads/files.zip" /opt/spot-asg/

step='writing the settings'
cat >/etc/spot-asg.env <<ENVIRONMENT
PORT=$port
SERVE_SECONDS=$serve_seconds
STOP_SECONDS=$stop_seconds
ENVIRONMENT

step='installing the services'
mkdir -p /etc/systemd/system/spot-app.service.d
cp /opt/spot-asg/spot-app.service /etc/systemd/system/spot-app.service
cp /opt/spot-asg/spot-shutdown.service /etc/systemd/system/spot-shutdown.service
cat >/etc/systemd/system/spot-app.service.d/stop.conf <<STOP
[Service]
TimeoutStopSec=$stop_seconds
STOP

step='starting the services'
systemctl daemon-reload
systemctl enable --now spot-app spot-shutdown
echo 'spot-asg bootstrap: done'
