# shellcheck shell=bash disable=SC2154
# A token for the gateway's API goes into a secret; an account of this name loses its former one. The name of the command
# has a dot in the reference and a blank in a how-to: whichever the release knows.
# https://documentation.ubuntu.com/anbox-cloud/howto/stream/access-stream-gateway/
name='{{ Name }}'
gateway() {
  if command -v anbox-cloud-appliance.gateway >/dev/null; then
    anbox-cloud-appliance.gateway "$@"
  else
    anbox-cloud-appliance gateway "$@"
  fi
}
token() { gateway account create "$name"; }
# Nothing to delete the first time.
gateway account delete "$name" >/dev/null 2>&1 || true
keep token "$token_secret"
