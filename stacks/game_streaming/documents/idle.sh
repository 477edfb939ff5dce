# shellcheck shell=bash
# The instance's own check before it stops: CloudWatch's data is minutes old, and a game may have begun. During the check
# the node accepts no new games. If the check fails, the instance does not stop.
opened() {
  local status=$?
  closed false || status=1
  exit "$status"
}
trap opened EXIT
closed true
regular=$(count regular)
base=$(count base)
if [ "$((regular + base))" -gt 0 ]; then
  echo "goes on: $regular games run, $base are being prepared"
  exit 0
fi
# In a minute, so that this output is delivered; the node stays closed until the next boot.
shutdown --poweroff +1 'no game runs'
trap - EXIT
echo 'stops: no game runs'
