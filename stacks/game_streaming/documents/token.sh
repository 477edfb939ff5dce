# shellcheck shell=bash
# shellcheck disable=SC2154  # token_secret is that of client.sh
# A token for the gateway's API goes into the secret of its client; the client's former one ends.
token() { gateway account create "$name"; }
# Nothing to delete the first time.
gateway account delete "$name" >/dev/null 2>&1 || true
keep token "$token_secret"
