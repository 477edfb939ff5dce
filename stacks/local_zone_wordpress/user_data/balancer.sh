#!/bin/bash
# User data of a self-managed load balancer, on Amazon Linux 2023: nginx ends TLS and spreads the requests.
#
# A template: the stack replaces the names between two @, and nothing else.
#   COMMON        common.sh
#   CERTIFICATE   secret with the chain and the key in PEM; none: one is made here
#   NAME          name of the site
#   NGINX         balancer.conf
#   TARGETS       targets.sh
#   RENEWAL       certificate.sh
#   RENEWAL_UNIT, RENEWAL_TIMER   wordpress-certificate.service and .timer
#   UNIT          wordpress-targets.service
#
# It may run again on the same machine.
set -Eeuo pipefail
umask 022

@COMMON@

retry dnf -y install nginx openssl
mkdir -p /etc/nginx/conf.d /etc/nginx/tls /opt/wordpress
certificate='@CERTIFICATE@'
umask 077
if [[ $certificate != none ]]; then
  secret "$certificate" >/etc/nginx/tls/site.pem
elif [[ ! -e /etc/nginx/tls/site.pem ]]; then
  # The name in its extension: a common name has at most 64 characters.
  openssl req -x509 -newkey rsa:2048 -nodes -days 825 -subj '/CN=wordpress' -addext 'subjectAltName=DNS:@NAME@' \
    -keyout /etc/nginx/tls/key.pem -out /etc/nginx/tls/certificate.pem 2>&1
  cat /etc/nginx/tls/certificate.pem /etc/nginx/tls/key.pem >/etc/nginx/tls/site.pem
fi
umask 022
cat >/etc/nginx/conf.d/wordpress.conf <<'NGINX'
@NGINX@
NGINX
# Nobody yet; targets.sh fills it.
[[ -e /etc/nginx/targets ]] || echo 'server 127.0.0.1:9 down;' >/etc/nginx/targets
cat >/opt/wordpress/targets.sh <<'TARGETS'
@TARGETS@
TARGETS
cat >/etc/systemd/system/wordpress-targets.service <<'UNIT'
@UNIT@
UNIT
systemctl daemon-reload
systemctl enable --now nginx wordpress-targets
if [[ $certificate != none ]]; then
  cat >/opt/wordpress/certificate.sh <<'RENEWAL'
@RENEWAL@
RENEWAL
  cat >/etc/systemd/system/wordpress-certificate.service <<'UNIT'
@RENEWAL_UNIT@
UNIT
  cat >/etc/systemd/system/wordpress-certificate.timer <<'UNIT'
@RENEWAL_TIMER@
UNIT
  systemctl daemon-reload
  systemctl enable --now wordpress-certificate.timer
fi
signal SUCCESS
echo 'balancer bootstrap: done'
