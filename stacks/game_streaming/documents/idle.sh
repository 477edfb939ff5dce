# shellcheck shell=bash
# The last look before an idle instance stops, by itself: what CloudWatch knows is minutes old, and a game may have begun.
# As long as it looks the node takes no new games; where it cannot look it does not stop.
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
# In a minute, so that this answer is heard; the node stays closed, and the next boot opens it.
shutdown --poweroff +1 'no game runs'
trap - EXIT
echo 'stops: no game runs'
