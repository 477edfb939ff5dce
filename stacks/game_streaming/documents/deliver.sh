# shellcheck shell=bash disable=SC2154
# Makes an application of a game, or a new version of it: https://documentation.ubuntu.com/anbox-cloud/howto/application/create-application/
# The client is a confined snap, which sees only its user's home, here root's.
name='{{ Name }}'
# The prefix is for a game called snap, which is also the name of the client's own folder.
folder=$HOME/delivery-$name
trap 'rm -rf "$folder"' EXIT
fetch_package "$folder"
shown() { amc_ application show "$name" --format json 2>/dev/null; }
if shown >/dev/null; then
  version=$(($(shown | field "max(map(int, d['versions']))") + 1))
  amc_ application update "$name" "$folder" --timeout 15m >/dev/null
else
  version=0
  amc_ application create "$folder" --timeout 15m >/dev/null
fi
# A bootstrap is cut off after 15 minutes; polling the status also ends on an error.
status=initializing
for ((attempt = 0; attempt < ${ATTEMPTS:-96}; attempt++)); do
  status=$(shown | field "d['versions'].get('$version', {}).get('status') or 'initializing'") || status=unknown
  case $status in active | error) break ;; esac
  sleep "$pause"
done
case $status in
  active)
    echo "$name: version $version is ready"
    ;;
  error)
    why=$(shown | field "d['versions']['$version'].get('error_message') or d.get('error_message')") || why='no reason is given'
    echo "$name: version $version ended in error: $why" >&2
    exit 1
    ;;
  *)
    echo "$name: version $version is $status after 15 minutes, which is the limit of a bootstrap" >&2
    exit 1
    ;;
esac
