# shellcheck shell=bash disable=SC2154
# Makes an image of a game, for releases without applications:
# https://documentation.ubuntu.com/anbox-cloud/howto/images/publish-instance-as-image/
name='{{ Name }}'
# The prefix is for a game called snap, which is also the name of the client's own folder.
folder=$HOME/delivery-$name
instance_name=build-$name
cleanup() {
  amc_ delete "$instance_name" --force --yes >/dev/null 2>&1 || true
  rm -rf "$folder"
}
trap cleanup EXIT
fetch_package "$folder"
wanted() { # KEY DEFAULT: a value of the manifest, from the file that the command has written
  sed -n "s/^$1=//p" "$folder/launch.env" | grep . || echo "$2"
}
amc_ delete "$instance_name" --force --yes >/dev/null 2>&1 || true
amc_ launch "$(wanted image jammy:android15:arm64)" --name "$instance_name" --enable-graphics --enable-streaming \
  --cpus "$(wanted cpus 4)" --memory "$(wanted memory 4GB)" --disk-size "$(wanted disk 8GB)" \
  --gpu-slots "$(wanted gpu_slots 1)" --timeout 15m >/dev/null
amc_ exec --force-noninteractive "$instance_name" -- sh -c 'cat >/tmp/app.apk' < <(cat "$folder/app.apk")
# shellcheck disable=SC2016  # the variable is the container's
amc_ exec --force-noninteractive "$instance_name" -- sh -c \
  'cp /tmp/app.apk "${ANBOX_DIR:-/var/lib/anbox}/data/app.apk" && anbox-shell pm install -g -t /data/app.apk' >/dev/null
amc_ publish "$instance_name" --name "$name" --force --timeout 15m >/dev/null
status=unknown
for ((attempt = 0; attempt < ${ATTEMPTS:-96}; attempt++)); do
  status=$(amc_ image show "$name" --format json | field "d['status']") || status=unknown
  case $status in active | error) break ;; esac
  sleep "$pause"
done
[ "$status" = active ] || {
  echo "$name: the image is $status" >&2
  exit 1
}
echo "$name: the image is ready"
