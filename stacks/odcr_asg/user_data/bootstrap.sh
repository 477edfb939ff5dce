#!/bin/bash
# What an instance does when it starts: install and start your application here. It may reach S3 and DynamoDB; for more,
# set `network` in the configuration. Whatever changes here reaches running instances one by one at the next deployment.
set -euo pipefail
echo 'odcr-asg: ready'
