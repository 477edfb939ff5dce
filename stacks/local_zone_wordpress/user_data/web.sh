#!/bin/bash
# User data of a WordPress instance, on Amazon Linux 2023: nginx, PHP-FPM, and a release of WordPress by its checksum.
#
# A template: the stack replaces the names between two @, and nothing else.
#   COMMON                       common.sh
#   VERSION, SHA256              the release
#   DATABASE                     address of MariaDB and of the uploads
#   VOLUME                       what holds their data: another one has all instances boot anew
#   PASSWORD, ADMIN, KEYS        secrets
#   SITE_URL, TITLE, ADMIN_EMAIL the site
#   WEB_PORT                     where it answers
#   CONFIG, INSTALL, HEALTHZ     wp-config.php, install.php, healthz.php
#   NGINX, POOL                  web.conf, php-pool.conf
#   UPLOADS, UPLOADS_UNIT        uploads.conf, wordpress-uploads.service
#   LOOPBACK                     loopback.php
#   CRON, CRON_TIMER             wordpress-cron.service and .timer
#   WATCH                        watch.sh
#
# It may run again on the same machine.
set -Eeuo pipefail
umask 022

@COMMON@

@WATCH@

home=/opt/wordpress
site=$home/site
release=wordpress-@VERSION@.tar.gz
echo 'database and uploads: those of @VOLUME@'

# The repository is locked to the release of the image, so that the image decides the versions.
retry dnf -y install nginx httpd-filesystem nfs-utils \
  php8.4-fpm php8.4-cli php8.4-opcache php8.4-mysqlnd php8.4-gd php8.4-mbstring php8.4-xml php8.4-intl

mkdir -p "$site"
if [[ ! -e $site/wp-load.php ]]; then
  retry curl -fsSL --max-time 120 -o "$home/$release" "https://wordpress.org/$release"
  if ! echo "@SHA256@  $home/$release" | sha256sum --check --status; then
    echo "$release is not the file that was pinned: $(sha256sum "$home/$release")" >&2
    false
  fi
  tar -xzf "$home/$release" --strip-components=1 -C "$site"
fi

password=$(secret '@PASSWORD@')
keys=$(secret '@KEYS@')
admin=$(secret '@ADMIN@')
# What is in here is for PHP alone.
umask 027
cat >"$home/settings.ini" <<INI
url = "@SITE_URL@"
title = "@TITLE@"
email = "@ADMIN_EMAIL@"
admin = "@ADMIN@"
database = "@DATABASE@"
password = "$password"
keys = "$keys"
INI
umask 022
chown root:apache "$home/settings.ini"
cat >"$site/wp-config.php" <<'CONFIG'
@CONFIG@
CONFIG
cat >"$home/install.php" <<'INSTALL'
@INSTALL@
INSTALL
cat >"$home/healthz.php" <<'HEALTHZ'
@HEALTHZ@
HEALTHZ

mkdir -p "$site/wp-content/mu-plugins"
cat >"$site/wp-content/mu-plugins/loopback.php" <<'LOOPBACK'
@LOOPBACK@
LOOPBACK

uploads=$site/wp-content/uploads
mkdir -p "$uploads"
# Mounted when somebody asks: a boot without the database finds it later.
touch /etc/fstab
grep -q " $uploads " /etc/fstab ||
  echo "@DATABASE@:/opt/wordpress/data/uploads $uploads nfs4 _netdev,nofail,soft,timeo=100,x-systemd.automount,x-systemd.mount-timeout=30 0 0" >>/etc/fstab
mountpoint -q "$uploads" || retry mount "$uploads"

# Tables and administrator, once; over standard input: no password in the list of processes.
install_site() { timeout 180 php -d default_socket_timeout=5 "$home/install.php" <<<"$admin"; }
retry install_site

mkdir -p /etc/nginx/conf.d /etc/php-fpm.d
cat >/etc/php-fpm.d/wordpress.conf <<'POOL'
@POOL@
POOL
cat >/etc/nginx/conf.d/wordpress.conf <<'NGINX'
@NGINX@
NGINX
cat >/etc/nginx/uploads.conf <<'UPLOADS'
@UPLOADS@
UPLOADS
cat >/etc/systemd/system/wordpress-uploads.service <<'UNIT'
@UPLOADS_UNIT@
UNIT
systemctl daemon-reload
systemctl enable php-fpm nginx wordpress-uploads
systemctl restart php-fpm nginx wordpress-uploads
retry test -S "$home/uploads.sock"
retry curl -fsS --max-time 5 -o /dev/null "http://127.0.0.1:@WEB_PORT@/healthz"

cat >/etc/systemd/system/wordpress-cron.service <<'UNIT'
@CRON@
UNIT
cat >/etc/systemd/system/wordpress-cron.timer <<'UNIT'
@CRON_TIMER@
UNIT
systemctl daemon-reload
systemctl enable --now wordpress-cron.timer
signal SUCCESS
echo 'web bootstrap: done'
