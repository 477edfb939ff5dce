#!/bin/bash
# User data of a parent of enclaves, on Amazon Linux 2023: tools, allocator, proxy to KMS, and checks of all three.
#
# A template: the stack replaces the names between two @, and nothing else.
#   CPUS, MEMORY_MIB    reserved for enclaves
#   REGION              Region of KMS
#   SUFFIX              suffix of the partition's host names
#   NAMESPACE, STACK    namespace and dimension of the metric that reports the result
#
# The allocator's service reports success even with too little memory (aws/aws-nitro-enclaves-cli#313), and a parent
# without the driver starts no enclave (#394), so both are checked. It may run again on the same machine.
# https://docs.aws.amazon.com/enclaves/latest/user/nitro-enclave-cli-install.html
set -euo pipefail
umask 022

root="${ROOT:-}"

tell() { # NOT_READY
  aws cloudwatch put-metric-data --region '@REGION@' --namespace '@NAMESPACE@' --metric-name EnclaveNotReady \
    --unit Count --value "$1" --dimensions 'Stack=@STACK@' || echo "enclave bootstrap: the metric was not published"
}

fail() { # WHY
  trap - ERR
  echo "enclave bootstrap: $1" >&2
  tell 1
  exit 1
}
trap 'fail "line $LINENO failed"' ERR

dnf install -y aws-nitro-enclaves-cli aws-nitro-enclaves-cli-devel

mkdir -p "$root/etc/nitro_enclaves"
cat >"$root/etc/nitro_enclaves/allocator.yaml" <<'ALLOCATOR'
---
memory_mib: @MEMORY_MIB@
cpu_count: @CPUS@
ALLOCATOR
# Enclaves reach only KMS, through this proxy. The package's unit reads the Region from the metadata and knows only
# the host names of the commercial partition, so it gets another command:
# https://github.com/aws/aws-nitro-enclaves-cli/blob/main/vsock_proxy/service/nitro-enclaves-vsock-proxy.service
cat >"$root/etc/nitro_enclaves/vsock-proxy.yaml" <<'PROXY'
allowlist:
- {address: kms.@REGION@.@SUFFIX@, port: 443}
PROXY
unit="$root/etc/systemd/system/nitro-enclaves-vsock-proxy.service.d"
mkdir -p "$unit"
cat >"$unit/host.conf" <<'UNIT'
[Service]
ExecStart=
ExecStart=/usr/bin/vsock-proxy 8000 kms.@REGION@.@SUFFIX@ 443 --config /etc/nitro_enclaves/vsock-proxy.yaml
UNIT
systemctl daemon-reload

modprobe nitro_enclaves
[ -e "$root/dev/nitro_enclaves" ] || fail "no /dev/nitro_enclaves: the instance was launched without EnclaveOptions"

systemctl enable nitro-enclaves-allocator.service nitro-enclaves-vsock-proxy.service
systemctl restart nitro-enclaves-allocator.service nitro-enclaves-vsock-proxy.service

wanted='@MEMORY_MIB@'
reserved=0
for pool in "$root"/sys/kernel/mm/hugepages/hugepages-*kB; do
  size="${pool##*hugepages-}"
  reserved=$((reserved + $(cat "$pool/nr_hugepages") * ${size%kB} / 1024))
done
[ "$reserved" -ge "$wanted" ] || fail "$reserved MiB of huge pages, not $wanted: choose a larger instance_type"

pool="$(cat "$root/sys/module/nitro_enclaves/parameters/ne_cpus")"
[ -n "$pool" ] || fail "no vCPU is reserved"

sleep 5 # the proxy counts as started before it has read its file
systemctl is-active --quiet nitro-enclaves-vsock-proxy.service || fail "the proxy to KMS does not run"

tell 0
echo "enclave bootstrap: done, $reserved MiB and the vCPUs $pool"
