#!/bin/bash
# User data of the NAT instance, on Amazon Linux 2023: nftables translates what the private subnets send out.
#
# A template: the stack replaces the names between two @, and nothing else.
#   COMMON     common.sh
#   NFTABLES   nat.nft
#
# It may run again on the same machine.
set -Eeuo pipefail
umask 022

@COMMON@

retry dnf -y install nftables
mkdir -p /etc/sysctl.d /etc/sysconfig
echo 'net.ipv4.ip_forward = 1' >/etc/sysctl.d/90-nat.conf
sysctl -p /etc/sysctl.d/90-nat.conf
# What nftables.service loads at every boot.
cat >/etc/sysconfig/nftables.conf <<'NFTABLES'
@NFTABLES@
NFTABLES
systemctl enable nftables
systemctl restart nftables
signal SUCCESS
echo 'nat bootstrap: done'
