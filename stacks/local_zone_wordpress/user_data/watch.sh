# shellcheck shell=bash
# Part of the user data of groups, before anything that may fail: an instance whose boot fails long after the deployment
# is replaced too. In a group without a load balancer nothing else would notice.
mkdir -p /opt/wordpress /etc/systemd/system
cat >/opt/wordpress/health.sh <<'HEALTH'
@HEALTH@
HEALTH
cat >/etc/systemd/system/wordpress-health.service <<'UNIT'
@UNIT@
UNIT
systemctl daemon-reload
systemctl enable --now wordpress-health
