# shellcheck shell=bash
# Part of the user data of groups, before anything that may fail: a boot that does not end well, long after the
# deployment, has its instance replaced too. Nobody else looks at a group without a load balancer.
mkdir -p /opt/wordpress /etc/systemd/system
cat >/opt/wordpress/health.sh <<'HEALTH'
@HEALTH@
HEALTH
cat >/etc/systemd/system/wordpress-health.service <<'UNIT'
@UNIT@
UNIT
systemctl daemon-reload
systemctl enable --now wordpress-health
