# shellcheck shell=bash disable=SC2154
# A game becomes an application, or a new version of one: https://documentation.ubuntu.com/anbox-cloud/howto/application/create-application/
# The client sees the home of its own user only, which is root's, for it is a confined snap.
name='{{ Name }}'
# A game may be called snap, as the folder is in which the client keeps its own.
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
# The bootstrap is cut off after 15 minutes; waiting ends on an error as well, so that the status is read.
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
