#!/bin/bash
# User data of an instance that checks itself, on Amazon Linux 2023: installs check.sh and starts it under systemd.
#
# A template: the stack replaces the names between two @, and nothing else.
#   HOOK_NAME             the launching hook that the script completes
#   HEARTBEAT_SECONDS     the hook's time-out
#   LONGEST_WAIT_SECONDS  so long heartbeats renew it
#   POLL_SECONDS          between two looks
#   CHECKS                the checks, one a line
#   SCRIPT                check.sh
#   UNIT                  custom-health-check.service
#
# It may run again on the same machine.
set -euo pipefail
umask 022

# The image has the AWS CLI; a minimal one may lack it.
command -v aws >/dev/null || dnf -y install awscli-2

mkdir -p /opt/custom-health-check
cat >/etc/custom-health-check.checks <<'CHECKS'
@CHECKS@
CHECKS
cat >/etc/custom-health-check.env <<ENVIRONMENT
HOOK_NAME=@HOOK_NAME@
HEARTBEAT_SECONDS=@HEARTBEAT_SECONDS@
LONGEST_WAIT_SECONDS=@LONGEST_WAIT_SECONDS@
POLL_SECONDS=@POLL_SECONDS@
ENVIRONMENT
cat >/opt/custom-health-check/check.sh <<'SCRIPT'
@SCRIPT@
SCRIPT
chmod 0755 /opt/custom-health-check/check.sh
cat >/etc/systemd/system/custom-health-check.service <<'UNIT'
@UNIT@
UNIT

systemctl daemon-reload
systemctl enable --now custom-health-check
echo 'custom-health-check bootstrap: done'
