# shellcheck shell=bash
# shellcheck disable=SC1091,SC2034,SC2154  # the names are those of common.sh and of the settings
# A later boot: after a kernel update, the binder module and the held driver's module are missing until the node is
# prepared again (https://github.com/anbox/anbox/issues/506). Earlier games are gone, because they are ephemeral.

told() {
  local status=$?
  if [ "$status" -ne 0 ]; then
    echo "game streaming: FAILED with status $status at boot while $stage" >&2
    measure BootErrors=1 || true
    driver_held hold || true
    systemctl start apt-daily.timer apt-daily-upgrade.timer || true
  fi
}
trap told EXIT

usable() { modprobe binder_linux && nvidia-smi -L >/dev/null; }

begin modules
if ! usable; then
  begin prepare-again
  status=0
  prepare_node || status=$?
  systemctl start apt-daily.timer apt-daily-upgrade.timer
  if ! usable; then
    ! marked rebooted-again || fail "the node is not usable after another preparation ($status) and a reboot"
    mark rebooted-again
    restart
  fi
fi
rm -f "$state/rebooted-again"
begin driver
driver
begin node
until_true 60 node_is_online || fail 'the node is not online'
# The node was closed before the idle instance stopped.
closed false
measure BootErrors=0
say 'booted'
