#!/bin/bash
# Lets this instance into service when all checks have passed, gives it up when one has failed.
#
# The script of the post, corrected, as a service: it starts at every boot, so that it survives reboots and the warm
# pool. The checks are the lines of the file CHECKS_FILE, their fields separated by |:
#   tag|KEY|SUCCESS|FAILURE                    http|URL|STATUS
#   ssm-document|NAME                          table|TABLE|KEY|ATTRIBUTE|SUCCESS|FAILURE
# Every line of its log is a JSON object. It ends when the instance waits for no hook any more.
set -uo pipefail

: "${HOOK_NAME:?}" "${HEARTBEAT_SECONDS:?}" "${LONGEST_WAIT_SECONDS:?}" "${POLL_SECONDS:?}" "${CHECKS_FILE:?}"
metadata="${AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254}/latest"
# The AWS CLI keeps files in its home; that of a dynamic user is /, where it may write nothing.
export HOME="${STATE_DIRECTORY:-/var/lib/custom-health-check}"
memory="$HOME/waiting"
export AWS_RETRY_MODE=standard AWS_MAX_ATTEMPTS=5 AWS_PAGER=''
# A machine that boots is slow: one second and one attempt, the default, is little.
export AWS_METADATA_SERVICE_TIMEOUT=5 AWS_METADATA_SERVICE_NUM_ATTEMPTS=3

log() { # EVENT [KEY VALUE]...
  local line="{\"event\": \"$1\"" value
  shift
  while [ $# -ge 2 ]; do
    value=${2//\\/\\\\}
    value=${value//\"/\\\"}
    line+=", \"$1\": \"${value//[$'\n\r\t']/ }\""
    shift 2
  done
  printf '%s}\n' "$line"
}

# The instance metadata, version 2 only: a token for each question.
ask() {
  local token
  token=$(curl -sf --noproxy '*' --max-time 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$metadata/api/token") || return 1
  curl -sf --noproxy '*' --max-time 5 -H "X-aws-ec2-metadata-token: $token" "$metadata/meta-data/$1"
}

tag_value() { # KEY
  aws ec2 describe-tags --output text --query 'Tags[0].Value' \
    --filters "Name=resource-id,Values=$instance" "Name=key,Values=$1"
}

lifecycle_state() {
  aws autoscaling describe-auto-scaling-instances --output text \
    --query 'AutoScalingInstances[0].[AutoScalingGroupName,LifecycleState]' --instance-ids "$instance"
}

# A verdict from a value: one passes, one may fail, any other means not yet.
judge() { # VALUE SUCCESS FAILURE
  if [ "$1" = "$2" ]; then
    echo passed
  elif [ -n "$3" ] && [ "$1" = "$3" ]; then
    echo failed
  else
    echo pending
  fi
}

look_at_tag() { # KEY SUCCESS FAILURE
  local value
  value=$(tag_value "$1") || return 1
  judge "$value" "$2" "$3"
}

look_at_http() { # URL STATUS
  local status
  status=$(curl -s --noproxy '*' --max-time 5 -o /dev/null -w '%{http_code}' "$1") || true
  judge "$status" "$2" ''
}

look_at_document() { # NAME
  local status said
  # JSON, not text, which would answer once for each page: a document that ran often has several.
  # https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-filter.html
  status=$(aws ssm list-command-invocations --output json --instance-id "$instance" \
    --filters "key=DocumentName,value=$1" \
    --query 'sort_by(CommandInvocations, &RequestedDateTime)[-1].Status') || return 1
  case "$status" in
    '"Success"') echo passed ;;
    '"Failed"' | '"TimedOut"' | '"Cancelled"') echo failed ;;
    null)
      # The agent may not have registered yet: the next look tries again. Standard output is the verdict's.
      said=$(aws ssm send-command --document-name "$1" --instance-ids "$instance" 2>&1) ||
        log refused action send-command document "$1" error "$said" >&2
      echo pending
      ;;
    *) echo pending ;;
  esac
}

look_at_table() { # TABLE KEY ATTRIBUTE SUCCESS FAILURE
  local attribute="Item.\"${3:-$2}\"" found value
  IFS=$'\t' read -r found value < <(
    aws dynamodb get-item --table-name "$1" --consistent-read --output text --key "{\"$2\": {\"S\": \"$instance\"}}" \
      --query "[Item.\"$2\".S, $attribute.S || $attribute.N || to_string($attribute.BOOL)]"
  ) || return 1
  if [ "$found" != "$instance" ]; then
    echo pending
  elif [ -z "$3" ]; then
    echo passed
  else
    judge "$value" "$4" "$5"
  fi
}

# All must pass; one that failed is enough; one that could not be looked at is pending.
look() {
  local kind a b c d e verdict all=passed
  while IFS='|' read -r -u 3 kind a b c d e; do
    case "$kind" in
      tag) verdict=$(look_at_tag "$a" "$b" "$c") ;;
      http) verdict=$(look_at_http "$a" "$b") ;;
      ssm-document) verdict=$(look_at_document "$a") ;;
      table) verdict=$(look_at_table "$a" "$b" "$c" "$d" "$e") ;;
      *) verdict=pending ;;
    esac
    case "$verdict" in
      failed) all=failed && break ;;
      passed) ;;
      *) all=pending ;;
    esac
  done 3<"$CHECKS_FILE"
  echo "$all"
}

act() { # complete-lifecycle-action | record-lifecycle-action-heartbeat, and more arguments
  local action=$1 said
  shift
  # A hook that waits no more is no fault of this script: the time-out, or somebody, was quicker.
  said=$(aws autoscaling "$action" --auto-scaling-group-name "$group" --lifecycle-hook-name "$HOOK_NAME" \
    --instance-id "$instance" "$@" 2>&1) || {
    log refused action "$action" error "$said"
    return 1
  }
}

# When this wait began: remembered across reboots, and anew for the second wait of a warm pool.
wait_began() { # STATE
  local state began
  if [ -r "$memory" ] && read -r state began <"$memory" && [ "$state" = "$1" ]; then
    echo "$began"
    return
  fi
  began=$(date +%s)
  mkdir -p "${memory%/*}" && echo "$1 $began" >"$memory"
  echo "$began"
}

turn() { # one look; returns 1 when there is nothing to wait for any more
  local state began waited verdict
  if ! read -r group state < <(lifecycle_state) || [ -z "$state" ]; then
    log unknown what 'lifecycle state' # the call has failed, or the group does not show a new instance yet
    return 0
  fi
  case "$state" in
    Pending:Wait | Warmed:Pending:Wait) ;;
    Pending | Pending:Proceed | Warmed:Pending | Warmed:Pending:Proceed) return 0 ;;
    *)
      rm -f "$memory"
      log ended state "$state"
      return 1
      ;;
  esac
  began=$(wait_began "$state")
  waited=$(($(date +%s) - began))
  verdict=$(look)
  log looked state "$state" verdict "$verdict" waited "$waited"
  case "$verdict" in
    passed) act complete-lifecycle-action --lifecycle-action-result CONTINUE && log continued state "$state" ;;
    failed) act complete-lifecycle-action --lifecycle-action-result ABANDON && log abandoned state "$state" ;;
    *)
      # Half a time-out after the last one, as long as its time does not end after the longest wait.
      if [ "$waited" -le $((LONGEST_WAIT_SECONDS - HEARTBEAT_SECONDS)) ] &&
        [ $((waited - last_beat)) -ge $((HEARTBEAT_SECONDS / 2)) ]; then
        act record-lifecycle-action-heartbeat && last_beat=$waited && log heartbeat waited "$waited"
      fi
      ;;
  esac
  return 0
}

if ! instance=$(ask instance-id) || ! AWS_DEFAULT_REGION=$(ask placement/region); then
  log failed what 'no answer of the instance metadata'
  exit 1 # systemd starts it again
fi
export AWS_DEFAULT_REGION
last_beat=0
log started instance "$instance" region "$AWS_DEFAULT_REGION"
while turn; do sleep "$POLL_SECONDS"; done
