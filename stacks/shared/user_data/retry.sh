# shellcheck shell=bash
retry() { # COMMAND...: for five minutes; the way to the internet may still be on its way up
  local attempt
  for attempt in {1..30}; do
    if "$@"; then return; fi
    echo "attempt $attempt of: $1" >&2
    sleep 10
  done
  return 1
}
