#!/bin/bash
# User data on Amazon Linux 2023: a page that says on which instance it runs, served by httpd.
#
# It holds no placeholder: the group of this stack and the server groups of Spinnaker run the same bytes. The package
# comes from the repositories of Amazon Linux, which S3's gateway endpoint reaches. It may run again.
set -euo pipefail

step='starting'

finish() {
  status=$?
  if [ "$status" -ne 0 ]; then
    echo "demo page: FAILED with status $status while $step; powering off" >&2
    # The group counts this machine as capacity although it does nothing. One that has stopped it replaces.
    systemctl poweroff
  fi
}
trap finish EXIT

retry() {
  local attempt=1
  until "$@"; do
    if [ "$attempt" -ge 3 ]; then
      return 1
    fi
    echo "demo page: attempt $attempt failed while $step" >&2
    sleep $((attempt * 10))
    attempt=$((attempt + 1))
  done
}

imds=${AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254}

# IMDSv2: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
fetch_token() {
  curl -sSf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' "$imds/latest/api/token"
}

escaped() {
  sed -e 's/&/\&amp;/g' -e 's/</\&lt;/g' -e 's/>/\&gt;/g' -e 's/"/\&quot;/g'
}

value() {
  curl -sSf -H "X-aws-ec2-metadata-token: $token" "$imds/latest/meta-data/$1" | escaped
}

umask 022

step='asking for a token of the instance metadata'
token=$(retry fetch_token)

step='reading the instance metadata'
instance_id=$(retry value instance-id)
instance_type=$(retry value instance-type)
life_cycle=$(retry value instance-life-cycle)
zone=$(retry value placement/availability-zone)

step='installing httpd'
retry dnf -y install httpd

step='writing the page'
mkdir -p /var/www/html
page=/var/www/html/index.html
cat >"$page" <<PAGE
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Demo Application</title></head>
<body>
<h2>You have reached a Demo Application running on</h2>
<ul>
<li>instance-id: <b>$instance_id</b></li>
<li>instance-type: <b>$instance_type</b></li>
<li>instance-life-cycle: <b>$life_cycle</b></li>
<li>availability-zone: <b>$zone</b></li>
</ul>
</body>
</html>
PAGE

step='starting httpd'
systemctl enable --now httpd
echo 'demo page: done'
