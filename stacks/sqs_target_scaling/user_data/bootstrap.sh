#!/bin/bash
# User data of a worker on Amazon Linux 2023: installs worker.py and starts it under systemd.
#
# A template: the stack replaces the names between two @ in the next block, and nothing else.
#   WORKER_URI         s3:// address of a zip with worker.py and sqs-worker.service
#   LIBRARIES_URI      s3:// address of a zip with the pure-Python packages that worker.py imports
#   QUEUE_URL          the queue to take messages from
#   QUEUE_NAME         its name, the dimension of the metrics
#   RESULTS_TABLE      the DynamoDB table of the effects
#   METRIC_NAMESPACE   the namespace of the metrics
#   HOOK_NAME          the terminating hook that the worker completes
#   HEARTBEAT_SECONDS  a third of the visibility timeout
#   LONGEST_SECONDS    how long a message in hand may take, also when the service is stopped
#   REGION             the Region of all of these
#   GROUP_INSTANCE     group_instance.sh of stacks/shared/user_data
#
# Everything comes from S3 and from the repositories of Amazon Linux. It may run again on the same machine.
set -euo pipefail

worker_uri='@WORKER_URI@'
libraries_uri='@LIBRARIES_URI@'
queue_url='@QUEUE_URL@'
queue_name='@QUEUE_NAME@'
results_table='@RESULTS_TABLE@'
metric_namespace='@METRIC_NAMESPACE@'
hook_name='@HOOK_NAME@'
heartbeat_seconds='@HEARTBEAT_SECONDS@'
longest_seconds='@LONGEST_SECONDS@'
region='@REGION@'

program='sqs-worker bootstrap'

@GROUP_INSTANCE@

# The system's Python 3.9 is too old for boto3. A minimal image may lack the AWS CLI.
doing 'installing python3.13'
packages='python3.13'
command -v aws >/dev/null || packages="$packages awscli-2"
# shellcheck disable=SC2086 # one argument per package
retry dnf -y install $packages

downloads=$(mktemp -d)
doing "downloading $worker_uri"
retry aws s3 cp "$worker_uri" "$downloads/worker.zip" --region "$region" --only-show-errors
doing "downloading $libraries_uri"
retry aws s3 cp "$libraries_uri" "$downloads/libraries.zip" --region "$region" --only-show-errors

# Python unpacks: a minimal image may lack unzip.
doing 'unpacking'
rm -rf /opt/sqs-worker/
mkdir -p /opt/sqs-worker/lib
python3.13 -m zipfile -e "$downloads/worker.zip" /opt/sqs-worker/
python3.13 -m zipfile -e "$downloads/libraries.zip" /opt/sqs-worker/lib
# The service may not write there, and would compile it all at every start.
python3.13 -m compileall -q -j 0 /opt/sqs-worker

# systemd reads this file as root and hands its lines to the worker.
doing 'writing the settings'
(
  umask 077
  cat >/etc/sqs-worker.env <<ENVIRONMENT
QUEUE_URL=$queue_url
QUEUE_NAME=$queue_name
RESULTS_TABLE=$results_table
METRIC_NAMESPACE=$metric_namespace
HOOK_NAME=$hook_name
HEARTBEAT_SECONDS=$heartbeat_seconds
LONGEST_MESSAGE_SECONDS=$longest_seconds
AWS_REGION=$region
ENVIRONMENT
)
chmod 0600 /etc/sqs-worker.env

doing 'installing the service'
mkdir -p /etc/systemd/system/sqs-worker.service.d
cp /opt/sqs-worker/sqs-worker.service /etc/systemd/system/sqs-worker.service
cat >/etc/systemd/system/sqs-worker.service.d/drain.conf <<DRAIN
[Service]
TimeoutStopSec=$longest_seconds
DRAIN

doing 'starting the service'
systemctl daemon-reload
systemctl enable --now sqs-worker
echo "$program: done"
