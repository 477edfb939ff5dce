#!/bin/bash
# Checks a service of this instance; after MOST_FAILURES failed checks in a row the group replaces the instance.
#
# health.sh COMMAND...   what must succeed
#   REGION      of the group
#   SECONDS_BETWEEN_LOOKS, MOST_FAILURES
#   DATA        a folder; every five minutes a metric says how full its disk is, while the service answers
#   NAMESPACE, NAME   of that metric, and of its dimension Stack
set -uo pipefail

imds=${AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254}
failures=0 told=-300

tell() {
  local used dimensions="Dimensions=[{Name=Stack,Value=$NAME}]"
  used=$(df --output=pcent "$DATA" | tr -dc 0-9)
  # A way out that hangs must not keep the next look waiting.
  timeout 60 aws cloudwatch put-metric-data --region "$REGION" --namespace "$NAMESPACE" --metric-data \
    "MetricName=DataUsed,Value=$used,Unit=Percent,$dimensions"
}

while true; do
  # What accepts and never answers has failed, too.
  if timeout 20 "$@" >/dev/null 2>&1; then
    failures=0
    if [[ -n ${DATA:-} ]] && ((SECONDS - told >= 300)); then
      told=$SECONDS
      tell
    fi
  else
    failures=$((failures + 1))
    echo "look $failures of $MOST_FAILURES has failed: $*"
  fi
  if ((failures >= MOST_FAILURES)); then
    token=$(curl -fsS --max-time 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$imds/latest/api/token")
    instance=$(curl -fsS --max-time 5 -H "X-aws-ec2-metadata-token: $token" "$imds/latest/meta-data/instance-id")
    if aws autoscaling set-instance-health --region "$REGION" --instance-id "$instance" \
      --health-status Unhealthy --should-respect-grace-period; then
      echo "told the group that $instance is unhealthy"
      failures=0
    fi
  fi
  sleep "$SECONDS_BETWEEN_LOOKS"
done
