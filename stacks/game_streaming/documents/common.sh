# shellcheck shell=bash
# shellcheck disable=SC1091,SC2034,SC2154  # the settings are those of the instance
set -Eeuo pipefail
set +x
source "${ROOT:-}/opt/game-streaming/common.sh"
registration_secret='@REGISTRATION_SECRET@'
token_secrets='@TOKEN_SECRETS@'
bucket='@BUCKET@'
marked installed || fail 'the appliance is not installed yet'

keep() { # COMMAND SECRET: stores the command's output as the secret's new value, through memory, without showing it
  local file said value
  mkdir -p "$private"
  chmod 0700 "$private"
  value=$("$1" 2>/dev/null) || fail "the appliance refused: ${name:-$email}"
  [ -n "$value" ] || fail 'the appliance printed nothing'
  file=$(umask 077 && mktemp "$private/secret.XXXXXX")
  # With a builtin, whose arguments no process list shows; without a line break, because the API would store it.
  printf '%s' "$value" >"$file"
  said=$(aws secretsmanager put-secret-value --region "$region" --secret-id "$2" --secret-string "file://$file" \
    --query '[ARN, VersionId]' --output text) || {
    rm -f "$file"
    fail 'the secret could not be written'
  }
  rm -f "$file"
  echo "$said"
}
