#!/bin/bash
# User data of the database's instance, on Amazon Linux 2023: MariaDB and the uploads, on a volume that outlives it.
#
# A template: the stack replaces the names between two @, and nothing else.
#   COMMON      common.sh
#   VOLUME      the data volume, which the last instance may still hold
#   GIB         size of the volume
#   INTERFACE   the network interface with the address that WordPress knows
#   PASSWORD    secret with the password of the user wordpress
#   CONFIG      database.cnf
#   WATCH       watch.sh
#
# It may run again on the same machine.
# shellcheck disable=SC2154 # region and instance are those of common.sh
set -Eeuo pipefail
umask 022

@COMMON@

@WATCH@

volume=@VOLUME@
interface=@INTERFACE@
data=/opt/wordpress/data
# The serial number of an NVMe device is the volume's id, by which udev names it; AWS's CSI driver finds it so, too:
# https://docs.aws.amazon.com/ebs/latest/userguide/nvme-ebs-volumes.html
device=/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${volume/-/}

# The repository is locked to the release of the image, so that the image decides the versions.
retry dnf -y install mariadb1011-server mariadb1011 nfs-utils e2fsprogs

holder=$(aws ec2 describe-volumes --region "$region" --volume-ids "$volume" \
  --query 'Volumes[0].Attachments[0].InstanceId' --output text)
if [[ $holder != "$instance" ]]; then
  [[ $holder == None ]] || retry aws ec2 wait volume-available --region "$region" --volume-ids "$volume"
  aws ec2 attach-volume --region "$region" --volume-id "$volume" --instance-id "$instance" --device xvdf
fi
holder=$(aws ec2 describe-network-interfaces --region "$region" --network-interface-ids "$interface" \
  --query 'NetworkInterfaces[0].Attachment.InstanceId' --output text)
if [[ $holder != "$instance" ]]; then
  [[ $holder == None ]] ||
    retry aws ec2 wait network-interface-available --region "$region" --network-interface-ids "$interface"
  aws ec2 attach-network-interface --region "$region" --network-interface-id "$interface" \
    --instance-id "$instance" --device-index 1
fi
# amazon-ec2-net-utils gives it its address and the rules by which it answers from there:
# https://docs.aws.amazon.com/linux/al2023/ug/networking-service.html
retry test -e "$device"

# Only a volume without any signature is formatted: blkid ends with 2 for that, and with 0 where something is.
signature=0
blkid -p "$device" || signature=$?
case $signature in
  0) ;;
  2) mkfs.ext4 -q -L wordpress "$device" ;;
  *)
    echo "cannot tell what is on $volume (blkid: $signature); nothing was written to it" >&2
    false
    ;;
esac
mkdir -p "$data"
touch /etc/fstab
grep -q " $data " /etc/fstab || echo "$device $data ext4 defaults,nofail,x-systemd.device-timeout=120 0 2" >>/etc/fstab
mountpoint -q "$data" || mount "$data"
resize2fs "$device" # to @GIB@ GiB: the number is here so that another one replaces the instance, which grows it
mkdir -p "$data/mysql" "$data/uploads"
chown mysql:mysql "$data/mysql"
chown 48:48 "$data/uploads" # apache, as everything that comes in over NFS

mkdir -p /etc/my.cnf.d /etc/systemd/system/{mariadb,nfs-server}.service.d
cat >/etc/my.cnf.d/wordpress.cnf <<'CONFIG'
@CONFIG@
CONFIG
# Half of the memory of whatever type the instance is; connections, NFS and the system have the rest.
free -m | awk '/^Mem:/ { printf "innodb_buffer_pool_size=%dM\n", $2 / 2 }' >>/etc/my.cnf.d/wordpress.cnf
# Never on an empty folder of the root volume, should the data volume be late after a reboot.
printf '[Unit]\nRequiresMountsFor=%s\n' "$data" >/etc/systemd/system/nfs-server.service.d/wordpress.conf
cat >/etc/systemd/system/mariadb.service.d/wordpress.conf <<UNIT
[Unit]
RequiresMountsFor=$data
[Service]
Restart=on-failure
UNIT
systemctl daemon-reload
systemctl enable --now mariadb

password=$(secret '@PASSWORD@')
if ! [[ $password =~ ^[A-Za-z0-9]{32,64}$ ]]; then
  echo "the password must be 32 to 64 letters and digits; correct the secret" >&2
  false
fi
# Over standard input: no password in the list of processes.
mariadb <<SQL
CREATE DATABASE IF NOT EXISTS wordpress CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS 'wordpress'@'%';
ALTER USER 'wordpress'@'%' IDENTIFIED BY '$password';
GRANT ALL PRIVILEGES ON wordpress.* TO 'wordpress'@'%';
DROP USER IF EXISTS ''@'localhost', ''@'$HOSTNAME';
DROP DATABASE IF EXISTS test;
SQL

# Who may come is up to the security group.
echo "$data/uploads *(rw,sync,all_squash,anonuid=48,anongid=48)" >/etc/exports
systemctl enable --now nfs-server
signal SUCCESS
echo 'database bootstrap: done'
