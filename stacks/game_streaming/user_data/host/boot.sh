# shellcheck shell=bash
# shellcheck disable=SC1091,SC2034,SC2154  # the names are those of common.sh and of the settings
# A later boot: a kernel that came by itself has no binder module until the node is prepared for it
# (https://github.com/anbox/anbox/issues/506). Games that ran before are gone: their instances are ephemeral.

told() {
  local status=$?
  if [ "$status" -ne 0 ]; then
    echo "game streaming: FAILED with status $status at boot while $stage" >&2
    measure BootErrors=1
  fi
}
trap told EXIT

begin modules
if ! modprobe binder_linux; then
  begin prepare-again
  printed "$state/prepare-again.sh" anbox-cloud-appliance prepare-node-script || fail 'prepare-node-script printed nothing'
  bash -ex "$state/prepare-again.sh"
  depmod -a
  modprobe binder_linux
fi
begin gpu
seen=$(nvidia-smi -L) || fail "nvidia-smi ended with $?"
[[ $seen == *T4G* ]] || fail "nvidia-smi sees no T4G: $seen"
begin node
until_true 60 node_is_online || fail 'the node is not online'
measure BootErrors=0
say 'booted'
