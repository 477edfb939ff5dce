#!/bin/bash
# Which WordPress instances get requests: those in service that answer their health check.
#
# targets.sh [once]
#   REGION, GROUP, WEB_PORT   the Auto Scaling group, or where its generated name begins
#   SECONDS_BETWEEN_LOOKS
set -uo pipefail

file=/etc/nginx/targets

look() {
  local ids addresses address line new=''
  ids=$(aws autoscaling describe-auto-scaling-groups --region "$REGION" --output text --query \
    "AutoScalingGroups[?starts_with(AutoScalingGroupName, '$GROUP')].Instances[] | [?LifecycleState=='InService'].InstanceId") || return
  [[ -n $ids ]] || return
  # shellcheck disable=SC2086 # ids, one word each
  addresses=$(aws ec2 describe-instances --region "$REGION" --instance-ids $ids --output text \
    --query 'Reservations[].Instances[].PrivateIpAddress') || return
  for address in $(tr '\t' '\n' <<<"$addresses" | sort); do
    if curl -fsS --max-time 3 -o /dev/null "http://$address:$WEB_PORT/healthz"; then
      printf -v line 'server %s:%s max_fails=2 fail_timeout=10s;\n' "$address" "$WEB_PORT"
      new+=$line
    fi
  done
  # If none answers, the fault is more likely here or in the database than in all of them: the last ones stay.
  if [[ -n $new && $new != "$(cat "$file" 2>/dev/null)"$'\n' ]]; then
    printf '%s' "$new" >"$file.new"
    mv "$file.new" "$file"
    echo "targets: $(tr '\n' ' ' <"$file")"
    systemctl reload nginx
  fi
}

look
while [[ ${1:-} != once ]]; do
  sleep "$SECONDS_BETWEEN_LOOKS"
  look
done
