#!/bin/bash
# Sends what nvidia-smi says to the CloudWatch agent on this machine, once a minute, under the names of the agent's own
# NVIDIA section. With that section the agent does not start where there is no driver, and it does not know the output
# of every driver; this looks each minute whether there is one. It is run again by the association.
set -eu
umask 022
mkdir -p /opt/gpu-monitoring
cat >/opt/gpu-monitoring/send-gpu-metrics <<'SCRIPT'
#!/bin/bash
# As root: only root is told the memory of a GPU with MIG.
export LC_ALL=C PATH=$PATH:/usr/local/nvidia/bin
command -v nvidia-smi >/dev/null || exit 0

send() {
  echo -n "$1" 2>/dev/null >/dev/udp/127.0.0.1/@STATSD_PORT@ || true
}

# Xid errors of the kernel's log since the last look, before nvidia-smi, which may hang because of one: those that AWS's
# own agent for nodes with GPUs takes for a broken GPU (https://github.com/aws/eks-node-monitoring-agent), and not those
# of programs. https://docs.nvidia.com/deploy/xid-errors/
broken=' 46 48 54 62 63 64 74 79 95 109 110 119 120 136 140 142 143 151 155 156 158 '
seen=/opt/gpu-monitoring/seen # absent: all since the boot
now=$(date +%s)
since=$(cat "$seen" 2>/dev/null || echo 0)
journalctl --dmesg --quiet --output=cat --since="@$since" --until="@$now" 2>/dev/null |
  sed -n 's/.*NVRM: Xid ([^)]*): \([0-9][0-9]*\).*/\1/p' | while read -r xid; do
  [[ $broken != *" $xid "* ]] || send "nvidia_xid_errors:1|c|#xid:$xid"
done
echo "$now" >"$seen"

names=(utilization.gpu utilization.memory power.draw temperature.gpu memory.used memory.total)
query=$(IFS=, && echo "index,${names[*]}")
nvidia-smi --query-gpu="$query" --format=csv,noheader,nounits | while IFS=, read -ra values; do
  for i in "${!names[@]}"; do
    value=${values[i + 1]:-}
    value=${value// /}
    # A GPU may not support a value: nvidia-smi then says [N/A].
    if [[ $value =~ ^[0-9]+(\.[0-9]+)?$ ]]; then
      name=nvidia_smi_${names[i]//./_}
      send "$name:$value|g|#index:${values[0]}"
    fi
  done
done
SCRIPT
cat >/etc/systemd/system/gpu-monitoring.service <<'UNIT'
[Unit]
Description=Sends what nvidia-smi says to the CloudWatch agent

[Service]
Type=oneshot
ExecStart=/bin/bash /opt/gpu-monitoring/send-gpu-metrics
TimeoutStartSec=55
UNIT
cat >/etc/systemd/system/gpu-monitoring.timer <<'UNIT'
[Unit]
Description=Sends what nvidia-smi says once a minute

[Timer]
OnCalendar=minutely
AccuracySec=1s

[Install]
WantedBy=timers.target
UNIT
systemctl daemon-reload
systemctl enable --now gpu-monitoring.timer
