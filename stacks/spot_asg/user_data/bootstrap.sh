#!/bin/bash
# User data on Amazon Linux 2023: installs the application and the unit that stops it, and starts both under systemd.
#
# A template: the stack replaces the names between two @ in the next block, and nothing else.
#   FILES_URI       s3:// address of a zip with app.py, shutdown.py and their units
#   PORT            where the application listens
#   SERVE_SECONDS   how long the application serves on when the instance is to go
#   STOP_SECONDS    how long the application may take to stop
#   REGION          the Region of the bucket
#   GROUP_INSTANCE  group_instance.sh of stacks/shared/user_data
#
# Everything comes from S3 and from the repositories of Amazon Linux. It may run again on the same machine.
set -euo pipefail

files_uri='@FILES_URI@'
port='@PORT@'
serve_seconds='@SERVE_SECONDS@'
stop_seconds='@STOP_SECONDS@'
region='@REGION@'

program='spot-asg bootstrap'

@GROUP_INSTANCE@

doing 'installing python3.13'
packages='python3.13'
command -v aws >/dev/null || packages="$packages awscli-2"
# shellcheck disable=SC2086 # one argument per package
retry dnf -y install $packages

downloads=$(mktemp -d)
doing "downloading $files_uri"
retry aws s3 cp "$files_uri" "$downloads/files.zip" --region "$region" --only-show-errors

# Python unpacks: a minimal image may lack unzip.
doing 'unpacking'
rm -rf /opt/spot-asg/
mkdir -p /opt/spot-asg
python3.13 -m zipfile -e "$downloads/files.zip" /opt/spot-asg/

doing 'writing the settings'
cat >/etc/spot-asg.env <<ENVIRONMENT
PORT=$port
SERVE_SECONDS=$serve_seconds
STOP_SECONDS=$stop_seconds
ENVIRONMENT

doing 'installing the services'
mkdir -p /etc/systemd/system/spot-app.service.d
cp /opt/spot-asg/spot-app.service /etc/systemd/system/spot-app.service
cp /opt/spot-asg/spot-shutdown.service /etc/systemd/system/spot-shutdown.service
cat >/etc/systemd/system/spot-app.service.d/stop.conf <<STOP
[Service]
TimeoutStopSec=$stop_seconds
STOP

doing 'starting the services'
systemctl daemon-reload
systemctl enable --now spot-app spot-shutdown
echo "$program: done"
