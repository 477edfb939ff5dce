#!/bin/bash
# User data on Ubuntu, run once by cloud-init: downloads the files of host/ and starts the installation, which systemd
# continues at every boot until it is done.
#
# A template: the stack replaces the names between two @ in the next block, and nothing else.
#   FILES_URI       s3:// address of a zip with the files of host/
#   REGION          Region of the stack
#   STACK           id of the stack
#   LOGICAL_ID      logical id of the wait condition
#   PUBLIC_ADDRESS  the Elastic IP address
#   DOMAIN          DNS name of that address, or nothing
#   DATA_DEVICE     device name of the data volume
#   PRO_SECRET      name or ARN of the secret with the Ubuntu Pro token
#   CHANNEL         channel of the appliance
#   DRIVER_SERIES   series of NVIDIA's driver for it, or nothing
#   OIDC_ISSUER     OpenID Connect provider, or nothing
#   OIDC_CLIENT_ID  its client
#   OIDC_AUDIENCE   its audience, or nothing
#   NAMESPACE       namespace of the metrics
#
# It has no secrets: whoever may describe the instance can read its user data.
# shellcheck disable=SC2034  # declare -p hands the settings to the other scripts by their names
set -Eeuo pipefail

files_uri='@FILES_URI@'
region='@REGION@'
stack='@STACK@'
logical_id='@LOGICAL_ID@'
public_address='@PUBLIC_ADDRESS@'
domain='@DOMAIN@'
data_device='@DATA_DEVICE@'
pro_secret='@PRO_SECRET@'
channel='@CHANNEL@'
driver_series='@DRIVER_SERIES@'
oidc_issuer='@OIDC_ISSUER@'
oidc_client_id='@OIDC_CLIENT_ID@'
oidc_audience='@OIDC_AUDIENCE@'
namespace='@NAMESPACE@'

root=${ROOT:-}
export PATH=$PATH:/snap/bin
home=$root/opt/game-streaming

retry() { # COMMAND...: for five minutes; the internet may not be reachable yet
  local attempt
  for attempt in {1..30}; do
    if "$@"; then return; fi
    echo "game streaming: attempt $attempt failed: $1" >&2
    sleep 10
  done
  return 1
}

failed() {
  echo 'game streaming: FAILED before its files were there' >&2
  aws cloudformation signal-resource --region "$region" --stack-name "$stack" \
    --logical-resource-id "$logical_id" --unique-id bootstrap --status FAILURE
}
trap failed ERR

umask 022
mkdir -p "$home" "$root/etc/systemd/system"
command -v aws >/dev/null || retry snap install aws-cli --classic
retry aws s3 cp "$files_uri" "$home/files.zip" --region "$region" --only-show-errors
python3 -m zipfile -e "$home/files.zip" "$home/"

settings=(region stack logical_id public_address domain data_device pro_secret channel driver_series)
settings+=(oidc_issuer oidc_client_id oidc_audience namespace)
declare -p "${settings[@]}" >"$home/settings.sh"
cp "$home"/*.service "$home"/*.timer "$root/etc/systemd/system/"
systemctl daemon-reload
systemctl enable game-streaming.service game-streaming-report.timer
systemctl start --no-block game-streaming.service
