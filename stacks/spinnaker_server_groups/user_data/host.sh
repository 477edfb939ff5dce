#!/bin/bash
# User data on Ubuntu 24.04: Spinnaker on k3s, from the project's own kustomization, on the host's loopback.
#
# A template: the stack replaces the names between two @ in the next block, and nothing else.
#   FILES_URI          s3:// address of a zip with the files of host/
#   SPINNAKER_VERSION  tag of Spinnaker's images
#   KUSTOMIZE_COMMIT   commit of github.com/spinnaker/spinnaker with its spinnaker-kustomize
#   K3S_VERSION        release of k3s
#   ACCOUNT_NAME       name of the AWS account in Spinnaker
#   ACCOUNT_ID         id of that account
#   MANAGED_ROLE       ARN of the role that Spinnaker assumes
#   BASE_PROFILE       instance profile of the instances that Spinnaker launches
#   KEY_PAIR           key pair of those instances
#   REGION             the Region of all of these
#   STACK              id of the stack
#   LOGICAL_ID         logical id of the resource that the stack waits for
#   RETRY              retry.sh of stacks/shared/user_data
#   METADATA           metadata.sh of stacks/shared/user_data
#
# The deployment succeeds when Deck and Gate answer and Clouddriver sees the account; any failure here fails it.
# https://spinnaker.io/docs/setup/install/environment/
set -Eeuo pipefail

files_uri='@FILES_URI@'
spinnaker_version='@SPINNAKER_VERSION@'
kustomize_commit='@KUSTOMIZE_COMMIT@'
k3s_version='@K3S_VERSION@'
account_name='@ACCOUNT_NAME@'
account_id='@ACCOUNT_ID@'
managed_role='@MANAGED_ROLE@'
base_profile='@BASE_PROFILE@'
key_pair='@KEY_PAIR@'
region='@REGION@'
stack='@STACK@'
logical_id='@LOGICAL_ID@'

step='starting'
instance=''
home=/opt/spinnaker-host
kubectl=(/opt/k3s/k3s kubectl --namespace spinnaker)
export KUBECONFIG=/etc/rancher/k3s/k3s.yaml

signal() { # SUCCESS or FAILURE; uses the stack's id, which the role's policy names
  aws cloudformation signal-resource --region "$region" --stack-name "$stack" \
    --logical-resource-id "$logical_id" --unique-id "${instance:-unknown}" --status "$1"
}

finish() {
  status=$?
  if [ "$status" -ne 0 ]; then
    echo "spinnaker host: FAILED with status $status while $step" >&2
    signal FAILURE
  fi
}
trap finish EXIT

@RETRY@

@METADATA@

umask 022

step='installing the AWS CLI'
command -v aws >/dev/null || retry snap install aws-cli --classic

step='reading the instance metadata'
instance=$(retry metadata instance-id)

step='installing SSM Agent'
snap list amazon-ssm-agent >/dev/null || retry snap install amazon-ssm-agent --classic

step="downloading $files_uri"
mkdir -p "$home"
retry aws s3 cp "$files_uri" "$home/files.zip" --region "$region" --only-show-errors
python3 -m zipfile -e "$home/files.zip" "$home/"

step='installing git'
command -v git >/dev/null || { retry apt-get update && retry apt-get install --yes git; }

step="downloading spinnaker-kustomize of $kustomize_commit"
source=$home/source
rm -rf "$source" "$home/upstream"
git init --quiet "$source"
git -C "$source" remote add origin https://github.com/spinnaker/spinnaker.git
git -C "$source" sparse-checkout set spinnaker-kustomize
# The commit id is a digest of the whole content.
retry git -C "$source" fetch --quiet --depth 1 --filter blob:none origin "$kustomize_commit"
retry git -C "$source" checkout --quiet FETCH_HEAD
mv "$source/spinnaker-kustomize" "$home/upstream"

step='writing the configuration'
sed -i \
  -e "s/@SPINNAKER_VERSION""@/$spinnaker_version/g" \
  -e "s/@ACCOUNT_NAME""@/$account_name/g" \
  -e "s/@ACCOUNT_ID""@/$account_id/g" \
  -e "s|@MANAGED_ROLE""@|$managed_role|g" \
  -e "s/@BASE_PROFILE""@/$base_profile/g" \
  -e "s/@KEY_PAIR""@/$key_pair/g" \
  -e "s/@REGION""@/$region/g" \
  "$home"/*.yml "$home"/*.yaml "$home"/*.js

step="downloading k3s $k3s_version"
release="https://github.com/k3s-io/k3s/releases/download/${k3s_version/+/%2B}"
mkdir -p /opt/k3s
cd /opt/k3s
retry curl -fsSL --output k3s "$release/k3s"
retry curl -fsSL --output sha256sum-amd64.txt "$release/sha256sum-amd64.txt"
grep ' k3s$' sha256sum-amd64.txt | sha256sum --check --quiet
chmod 0755 k3s

step='starting k3s'
cp "$home/k3s.service" "$home/spinnaker-forward@.service" /etc/systemd/system/
systemctl daemon-reload
systemctl enable --now k3s

step='building the manifests'
"${kubectl[@]}" kustomize "$home" >"$home/manifests.yaml"

step='applying the manifests'
retry "${kubectl[@]}" apply --filename "$home/manifests.yaml"

for service in front50 clouddriver orca gate deck; do
  step="waiting for $service"
  "${kubectl[@]}" rollout status "deployment/$service" --timeout 20m
done

step='forwarding Deck and Gate to loopback'
systemctl enable --now spinnaker-forward@deck:9000 spinnaker-forward@gate:8084
step='asking Gate for its health'
retry curl -fsS --max-time 30 --output /dev/null http://localhost:8084/api/v1/health
listed() { # PATH FIELD: whether Gate lists something whose FIELD is the account's name
  curl -fsS --max-time 30 "http://localhost:8084/api/v1/$1" |
    python3 -c 'import json, sys; sys.exit(sys.argv[2] not in [each[sys.argv[1]] for each in json.load(sys.stdin)])' \
      "$2" "$account_name"
}
step="asking Gate for the account $account_name, for which Clouddriver needs the credentials of this instance"
retry listed credentials name
step="asking Gate for the subnets of $account_name, for which Clouddriver has to assume $managed_role"
retry listed subnets/aws account
step='asking for Deck'
retry curl -fsS --max-time 30 --output /dev/null http://localhost:9000/

signal SUCCESS
echo 'spinnaker host: done'
