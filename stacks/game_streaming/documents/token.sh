# shellcheck shell=bash
# shellcheck disable=SC2154  # token_secret is that of client.sh
# Puts a new token for the gateway's API into its client's secret; the client's old one ends.
token() { gateway account create "$name"; }
# The first time there is nothing to delete.
gateway account delete "$name" >/dev/null 2>&1 || true
keep token "$token_secret"
