# shellcheck shell=bash disable=SC2154
# Part of the user data of an instance of a group, which names itself in $program: it is done, or powers itself off.

step='starting'
downloads=''

doing() { # WORDS...: what a failure from here on is a failure of
  step=$*
}

finish() {
  status=$?
  [ -z "$downloads" ] || rm -rf "$downloads"
  if [ "$status" -ne 0 ]; then
    echo "$program: FAILED with status $status while $step; powering off" >&2
    # The group counts this machine as capacity although it does nothing. One that has stopped it replaces.
    systemctl poweroff
  fi
}
trap finish EXIT

retry() { # COMMAND...: three times
  local attempt=1
  until "$@"; do
    if [ "$attempt" -ge 3 ]; then
      return 1
    fi
    echo "$program: attempt $attempt failed while $step" >&2
    sleep $((attempt * 10))
    attempt=$((attempt + 1))
  done
}

umask 022
