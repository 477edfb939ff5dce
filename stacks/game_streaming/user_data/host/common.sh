# shellcheck shell=bash
# What the scripts of an instance share: settings, patience, markers, metadata, and what CloudFormation hears.
# shellcheck disable=SC2034  # read by the scripts that source it
root=${ROOT:-}
export PATH=$PATH:/snap/bin
# systemd gives a service of root no HOME; snaps keep their data there, and the clients of the appliance theirs.
export HOME=$root/root
home=$root/opt/game-streaming
state=$root/var/lib/game-streaming
private=$root/run/game-streaming
# shellcheck source=/dev/null
source "$home/settings.sh"
# The user data has declared them; said again for whoever reads this alone.
: "${region:?}" "${stack:?}" "${logical_id:?}" "${namespace:?}" "${channel:?}"

stage='starting'
instance=''
pause=${PAUSE_SECONDS:-10}

say() { # WORDS...
  echo "game streaming: $*"
}

begin() { # STAGE: a word, which CloudFormation shows if it fails
  stage=$1
  say "stage $stage"
}

fail() { # WORDS...
  echo "game streaming: $*" >&2
  exit 1
}

retry() { # COMMAND...: for five minutes; what it prints may be taken as a value, so that complaints go elsewhere
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

signal() { # SUCCESS or FAILURE; the unique id says where it failed, for the API takes no reason
  aws cloudformation signal-resource --region "$region" --stack-name "$stack" \
    --logical-resource-id "$logical_id" --unique-id "${instance:-unknown}-$stage" --status "$1"
}

measure() { # METRIC=VALUE...: in one call
  local each data=()
  for each in "$@"; do data+=("MetricName=${each%=*},Value=${each#*=},Unit=Count"); done
  aws cloudwatch put-metric-data --region "$region" --namespace "$namespace" --metric-data "${data[@]}"
}

printed() { # FILE COMMAND...: what a snap prints, into a file; by a pipe, for AppArmor shuts files that a snap inherits
  # (https://github.com/omnivector-solutions/snap-slurm/issues/84, https://github.com/canonical/multipass/issues/1783).
  local text
  text=$("${@:2}") && [ -n "$text" ] && printf '%s\n' "$text" >"$1"
}

field() { # EXPRESSION of Python on d, the JSON on standard input; fails where it is false or nothing
  python3 -c '
import json, sys
d = json.load(sys.stdin)
found = eval(sys.argv[1], {"d": d})
if found is None or found is False or found == "":
    sys.exit(1)
print(found)
' "$1"
}

amc_() { # WORDS...: the client of the appliance, as root, whom AMS always admits
  # (https://documentation.ubuntu.com/anbox-cloud/reference/cmd-ref/appliance/anbox-cloud-appliance_ams_authorize/). snapd
  # puts what it starts into a scope of its own; it asks the bus of the user's session for one, and without a session the
  # system's bus for root alone: sandbox/cgroup/tracking.go of https://github.com/canonical/snapd. Another user without
  # a session gets none, and snap-confine ends with "is not a snap cgroup".
  anbox-cloud-appliance.amc "$@"
}

count() { # TYPE: instances that are neither stopped nor broken; an older client prints null for none
  amc_ ls --filter "type=$1" --format json |
    python3 -c '
import json, sys
found = json.load(sys.stdin) or []
print(sum(str(one.get("status", "")).lower() not in ("stopped", "error", "deleted") for one in found))
'
}

closed() { # true or false: whether the node takes no new games
  # https://documentation.ubuntu.com/anbox-cloud/howto/cluster/configure-nodes/
  amc_ node set lxd0 unschedulable "$1" >/dev/null
}
