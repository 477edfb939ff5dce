# shellcheck shell=bash
# shellcheck disable=SC2154  # token_secret is that of client.sh
# A client's token ends, and its secret says so: https://documentation.ubuntu.com/anbox-cloud/howto/stream/access-stream-gateway/
revoked() { gateway account delete "$name" >/dev/null && echo revoked; }
keep revoked "$token_secret"
