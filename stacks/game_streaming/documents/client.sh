# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # token_secrets is that of common.sh, and token_secret for the script that follows
# A client of the gateway: its secret, and the command for its account. The command's name has a dot in the tutorial and
# a space in the how-to: this uses the one that the release has.
# https://documentation.ubuntu.com/anbox-cloud/tutorial/stream-client/
name='{{ Name }}'
token_secret=''
for each in $token_secrets; do
  if [ "${each%%=*}" = "$name" ]; then token_secret=${each#*=}; fi
done
[ -n "$token_secret" ] || fail "$name is not one of this stack's clients"
gateway() {
  if command -v anbox-cloud-appliance.gateway >/dev/null; then
    anbox-cloud-appliance.gateway "$@"
  else
    anbox-cloud-appliance gateway "$@"
  fi
}
