#!/bin/bash
# User data on Amazon Linux 2023: httpd serves a page that shows the instance it runs on.
#
# A template without stack-specific values: this stack's group and Spinnaker's server groups run the same script.
#   GROUP_INSTANCE  group_instance.sh of stacks/shared/user_data
#   METADATA        metadata.sh of stacks/shared/user_data
#
# The package comes from the repositories of Amazon Linux, which are reached through S3's gateway endpoint. It may run again.
set -euo pipefail

program='demo page'

@GROUP_INSTANCE@

@METADATA@

escaped() {
  sed -e 's/&/\&amp;/g' -e 's/</\&lt;/g' -e 's/>/\&gt;/g' -e 's/"/\&quot;/g'
}

value() { # PATH
  metadata "$1" | escaped
}

doing 'reading the instance metadata'
instance_id=$(retry value instance-id)
instance_type=$(retry value instance-type)
life_cycle=$(retry value instance-life-cycle)
zone=$(retry value placement/availability-zone)

doing 'installing httpd'
retry dnf -y install httpd

doing 'writing the page'
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

doing 'starting httpd'
systemctl enable --now httpd
echo "$program: done"
