# shellcheck shell=bash
# Shared by the instance's scripts: settings, retries, markers, metadata, and signals to CloudFormation.
# shellcheck disable=SC2034  # read by the scripts that source it
root=${ROOT:-}
export PATH=$PATH:/snap/bin
# systemd sets no HOME for a root service; snaps and the appliance's clients keep their data there.
export HOME=$root/root
home=$root/opt/game-streaming
state=$root/var/lib/game-streaming
private=$root/run/game-streaming
# shellcheck source=/dev/null
source "$home/settings.sh"
# The user data has declared them; listed again for readers of this file.
: "${region:?}" "${stack:?}" "${logical_id:?}" "${namespace:?}" "${channel:?}"

stage='starting'
instance=''
pause=${PAUSE_SECONDS:-10}

say() { # WORDS...
  echo "game streaming: $*"
}

begin() { # STAGE: a word that CloudFormation shows if the stage fails
  stage=$1
  say "stage $stage"
}

fail() { # WORDS...
  echo "game streaming: $*" >&2
  exit 1
}

retry() { # COMMAND...: for five minutes; messages go to standard error, because the output may be used as a value
  local attempt
  for attempt in {1..30}; do
    if "$@"; then return; fi
    say "attempt $attempt failed while $stage" >&2
    sleep "$pause"
  done
  return 1
}

until_true() { # ATTEMPTS COMMAND...
  local attempt attempts=$1
  shift
  for ((attempt = 0; attempt < attempts; attempt++)); do
    if "$@"; then return; fi
    sleep "$pause"
  done
  return 1
}

marked() { [ -e "$state/$1" ]; }                # NAME
mark() { mkdir -p "$state" && touch "$state/$1"; } # NAME

metadata() { # PATH
  local imds=${AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254} token
  token=$(curl -fsS --max-time 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "${imds%/}/latest/api/token")
  curl -fsS --max-time 5 -H "X-aws-ec2-metadata-token: $token" "${imds%/}/latest/meta-data/$1"
}

signal() { # SUCCESS or FAILURE; the unique id names the stage, because the API has no reason
  aws cloudformation signal-resource --region "$region" --stack-name "$stack" \
    --logical-resource-id "$logical_id" --unique-id "${instance:-unknown}-$stage" --status "$1"
}

measure() { # METRIC=VALUE...: in one call
  local each data=()
  for each in "$@"; do data+=("MetricName=${each%=*},Value=${each#*=},Unit=Count"); done
  aws cloudwatch put-metric-data --region "$region" --namespace "$namespace" --metric-data "${data[@]}"
}

printed() { # FILE COMMAND...: writes a snap's output to a file; through a pipe, because AppArmor closes files that a snap inherits
  # (https://github.com/omnivector-solutions/snap-slurm/issues/84, https://github.com/canonical/multipass/issues/1783).
  local text
  text=$("${@:2}") && [ -n "$text" ] && printf '%s\n' "$text" >"$1"
}

field() { # EXPRESSION in Python on d, the JSON on standard input; fails if it is false or empty
  python3 -c '
import json, sys
d = json.load(sys.stdin)
found = eval(sys.argv[1], {"d": d})
if found is None or found is False or found == "":
    sys.exit(1)
print(found)
' "$1"
}

amc_() { # WORDS...: the appliance's client, as root, which AMS always admits
  # (https://documentation.ubuntu.com/anbox-cloud/reference/cmd-ref/appliance/anbox-cloud-appliance_ams_authorize/). snapd
  # starts each snap in a scope of its own, which it requests on the session's bus or, for root without a session, on the
  # system's bus: sandbox/cgroup/tracking.go of https://github.com/canonical/snapd. Another user without a session gets
  # no scope, and snap-confine fails with "is not a snap cgroup".
  anbox-cloud-appliance.amc "$@"
}

count() { # TYPE: number of instances that are neither stopped nor broken; an older client prints null for none
  amc_ ls --filter "type=$1" --format json |
    python3 -c '
import json, sys
found = json.load(sys.stdin) or []
print(sum(str(one.get("status", "")).lower() not in ("stopped", "error", "deleted") for one in found))
'
}

closed() { # true or false: whether the node refuses new games
  # https://documentation.ubuntu.com/anbox-cloud/howto/cluster/configure-nodes/
  amc_ node set lxd0 unschedulable "$1" >/dev/null
}
