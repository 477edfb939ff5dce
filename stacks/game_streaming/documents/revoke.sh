# shellcheck shell=bash
# shellcheck disable=SC2154  # token_secret is that of client.sh
# Ends a client's token and marks its secret: https://documentation.ubuntu.com/anbox-cloud/howto/stream/access-stream-gateway/
revoked() { gateway account delete "$name" >/dev/null && echo revoked; }
keep revoked "$token_secret"
