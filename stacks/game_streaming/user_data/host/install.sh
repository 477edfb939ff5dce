# shellcheck shell=bash
# shellcheck disable=SC1091,SC2034,SC2154  # the names are those of common.sh and of the settings
# Unattended installation on Ubuntu: each stage first checks whether it is done, so this can run again after a reboot
# or a failure. https://documentation.ubuntu.com/anbox-cloud/tutorial/installing-appliance/

finish() {
  local status=$?
  rm -rf "$private"
  if [ "$status" -ne 0 ]; then
    echo "game streaming: FAILED with status $status while $stage; see journalctl -u game-streaming" >&2
    # Signalled only once: a stack that no longer waits refuses another signal.
    marked failed || until_true 30 signal FAILURE || true
    mark failed
  fi
}
trap finish EXIT
umask 022
mkdir -p "$state"

begin metadata
instance=$(retry metadata instance-id)
command -v aws >/dev/null || retry snap install aws-cli --classic
snap list amazon-ssm-agent >/dev/null 2>&1 || retry snap install amazon-ssm-agent --classic

begin data-volume
find_disk
begin attach
attach
begin entitlement
entitled
begin enable
enable
begin snaps
snaps
begin prepare
prepare
begin driver
driver
begin init
initialize
begin status
until_true 180 appliance_is_ready || fail 'the appliance is not ready'
begin image
until_true 90 image_is_active || fail 'no image is active'
begin node
until_true 60 node_is_online || fail 'the node is not online, or has no GPU slots'
begin ready
marked failed || until_true 30 signal SUCCESS
mark installed
measure BootErrors=0
say 'installed'
