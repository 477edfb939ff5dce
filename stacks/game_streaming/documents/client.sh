# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # token_secrets is that of common.sh, and token_secret for the script that follows
# A client of the gateway: its secret, and the command that knows its account. The name of the command has a dot in the
# tutorial and a blank in the how-to: whichever the release knows.
# https://documentation.ubuntu.com/anbox-cloud/tutorial/stream-client/
name='{{ Name }}'
token_secret=''
for each in $token_secrets; do
  if [ "${each%%=*}" = "$name" ]; then token_secret=${each#*=}; fi
done
[ -n "$token_secret" ] || fail "$name is none of this stack's clients"
gateway() {
  if command -v anbox-cloud-appliance.gateway >/dev/null; then
    anbox-cloud-appliance.gateway "$@"
  else
    anbox-cloud-appliance gateway "$@"
  fi
}
