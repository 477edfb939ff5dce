#!/bin/bash
# Sends requests to the WordPress instances that are in service and answer their health check, and publishes two metrics
# of the site each minute.
#
# targets.sh [once]
#   REGION, GROUP, WEB_PORT   the Auto Scaling group, or where its generated name begins
#   SECONDS_BETWEEN_LOOKS
#   SITE                      this nginx
#   NAMESPACE, NAME           of the metrics, and of their dimension Stack
set -uo pipefail

file=/etc/nginx/targets answered='' told=-60

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

tell() { # once the site has answered: before, a deployment still waits for it
  local status end days answers=0 dimensions="Dimensions=[{Name=Stack,Value=$NAME}]"
  status=$(curl -ksS -o /dev/null --max-time 10 -w '%{http_code}' "$SITE/wp-login.php")
  if [[ $status == [234]?? ]]; then answers=1 answered=yes; fi
  [[ -n $answered ]] || return
  end=$(openssl x509 -enddate -noout -in /etc/nginx/tls/site.pem)
  days=$((($(date -d "${end#*=}" +%s) - $(date +%s)) / 86400))
  aws cloudwatch put-metric-data --region "$REGION" --namespace "$NAMESPACE" --metric-data \
    "MetricName=SiteAnswers,Value=$answers,$dimensions" "MetricName=CertificateDays,Value=$days,$dimensions"
}

while look; :; do
  if ((SECONDS - told >= 60)); then
    told=$SECONDS
    tell
  fi
  [[ ${1:-} != once ]] || break
  sleep "$SECONDS_BETWEEN_LOOKS"
done
