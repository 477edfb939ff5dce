# shellcheck shell=bash
# shellcheck disable=SC1091,SC2034,SC2154  # the names are those of common.sh and of the settings
# The stages of the installation, with the commands that Canonical documents; each checks the state first.

find_disk() { # sets disk: the data volume by its id, because NVMe names may change at each boot
  local volume id root_source
  volume=$(retry data_volume)
  id=$root/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${volume/-/}
  until_true 30 test -e "$id" || fail "$volume is attached, but $id is missing"
  disk=$(readlink -f "$id")
  root_source=$(findmnt --noheadings --output SOURCE /)
  [[ $root_source != "$disk"* ]] || fail "$disk is the root volume"
}

data_volume() { # prints the id of the volume attached as $data_device
  aws ec2 describe-volumes --region "$region" --output json \
    --filters "Name=attachment.instance-id,Values=$instance" "Name=attachment.status,Values=attached" |
    field "next((v['VolumeId'] for v in d['Volumes'] if v['Attachments'][0]['Device'] == '$data_device'), None)"
}

pro_says() { # EXPRESSION on d, the status of Ubuntu Pro
  pro status --format json | field "$1"
}

service_says() { # EXPRESSION on s, the service anbox-cloud
  pro_says "[$1 for s in d['services'] if s['name'] == 'anbox-cloud'][0]"
}

attach() { # with a file on tmpfs that only root can read: an argument would show in ps and in cloud-init's logs
  local status=0 token
  if pro_says "d['attached']" >/dev/null; then return; fi
  mkdir -p "$private"
  chmod 0700 "$private"
  token=$(aws secretsmanager get-secret-value --region "$region" --secret-id "$pro_secret" \
    --query SecretString --output text)
  # With a builtin, whose arguments no process list shows.
  (umask 077 && printf 'token: %s\n' "$token" >"$private/attach.yaml")
  token=''
  # Its output must not get into a log.
  pro attach --attach-config "$private/attach.yaml" --no-auto-enable >/dev/null 2>&1 || status=$?
  rm -f "$private/attach.yaml"
  # 2: attached already (https://documentation.ubuntu.com/pro-client/en/latest/explanations/errors_explained/).
  [ "$status" -eq 0 ] || [ "$status" -eq 2 ] || fail "pro attach ended with $status; is the token right?"
}

entitled() { # an infrastructure-only token attaches too, but the installation would then fail for good
  service_says "s['entitled'] == 'yes'" >/dev/null || fail 'this Ubuntu Pro subscription does not entitle to anbox-cloud'
}

enable() { # enabling twice exits with 1
  if service_says "s['status'] == 'enabled'" >/dev/null; then return; fi
  retry pro enable anbox-cloud --access-only --assume-yes
}

snap_at() { # NAME CHANNEL: installed from this channel, and held there
  local tracked
  if tracked=$(snap list "$1" 2>/dev/null | awk -v name="$1" '$1 == name {print $4}') && [ -n "$tracked" ]; then
    [ "$tracked" = "$2" ] || retry snap refresh "--channel=$2" "$1"
  else
    retry snap install "--channel=$2" "$1"
  fi
  # https://snapcraft.io/docs/managing-updates#hold: a refresh restarts every game, and a release may remove commands.
  snap refresh --hold "$1"
}

snaps() {
  snap_at lxd 5.21/stable
  snap_at anbox-cloud-appliance "$channel"
}

apt_rests() { # a oneshot unit is "activating" while it runs
  local each states
  states=$(systemctl show --property=ActiveState --value apt-daily.service apt-daily-upgrade.service) || return 1
  for each in $states; do
    case $each in inactive | failed) ;; *) return 1 ;; esac
  done
}

driver_packages() { # sets packages: NVIDIA's installed packages, held or not
  local found
  # It exits with 1 if one of the patterns matches nothing.
  found=$(dpkg-query --show --showformat='${db:Status-Abbrev} ${Package}\n' \
    'linux-modules-nvidia-*' 'nvidia-*' 'libnvidia-*' 2>/dev/null || true)
  mapfile -t packages < <(awk '$1 ~ /^.i/ {print $2}' <<<"$found")
}

driver_held() { # hold or unhold: an unattended upgrade would change the driver under running games
  # https://documentation.ubuntu.com/anbox-cloud/howto/upgrade/upgrade-anbox/ has the patterns.
  local packages=()
  driver_packages
  [ "${#packages[@]}" -eq 0 ] || retry apt-mark "$1" "${packages[@]}" >/dev/null
}

prepare_node() { # modules and driver for this kernel; returns the status of the script that prepare-node-script prints
  local attempt status=0
  # apt-get can wait for the package lock (https://github.com/danvk/mapsnap/pull/443), but never for the lock of the
  # lists (https://github.com/docker/docker-install/issues/366). Ubuntu's daily jobs hold them for minutes after a boot:
  # so none is started, running ones may finish, and the script, which can be repeated, is tried again.
  mkdir -p "$root/etc/apt/apt.conf.d"
  echo 'DPkg::Lock::Timeout "900";' >"$root/etc/apt/apt.conf.d/90game-streaming"
  systemctl stop apt-daily.timer apt-daily-upgrade.timer
  until_true 90 apt_rests || say 'the daily work of apt has not ended'
  driver_held unhold || return 1
  # A pipe into bash would hide empty output.
  printed "$state/prepare.sh" anbox-cloud-appliance prepare-node-script || fail 'prepare-node-script printed nothing'
  for ((attempt = 0; attempt < 30; attempt++)); do
    status=0
    bash -ex "$state/prepare.sh" || status=$?
    # 100 is apt-get's error status, also for a lock.
    [ "$status" -eq 100 ] || break
    sleep "$pause"
  done
  # Even after a failure, because the installed driver may be in use.
  driver_held hold || return 1
  [ "$status" -eq 0 ] || return "$status"
  depmod -a
}

restart() { # the next boot continues
  say 'reboots, and goes on after it'
  systemctl reboot
  trap - EXIT
  exit 0
}

prepare() { # then one reboot, which also cures a loaded nouveau (status 6, launchpad 2120677)
  local status=0
  if marked prepared && marked rebooted; then return; fi
  if ! marked prepared; then
    prepare_node || status=$?
    [ "$status" -eq 0 ] || [ "$status" -eq 6 ] || fail "the node could not be prepared: $status"
    if [ "$status" -eq 0 ]; then
      mark prepared
    elif marked rebooted; then
      fail 'the node could not be prepared after the reboot either: 6'
    fi
  fi
  if marked rebooted; then
    systemctl start apt-daily.timer apt-daily-upgrade.timer # no reboot follows, which would start them
    return
  fi
  mark rebooted
  restart
}

driver() { # nvidia-smi's status counts, not its output (launchpad 2123900)
  local seen
  modprobe binder_linux || fail 'the kernel has no module binder_linux'
  seen=$(nvidia-smi -L) || fail "nvidia-smi ended with $?"
  [[ $seen == *T4G* ]] || fail "nvidia-smi sees no T4G: $seen"
  seen=$(nvidia-smi --query-gpu=driver_version --format=csv,noheader | head -n 1)
  [ -z "$driver_series" ] || [[ $seen == "$driver_series".* ]] ||
    fail "the driver is $seen, and channel $channel needs $driver_series"
}

preseed() { # https://documentation.ubuntu.com/anbox-cloud/reference/appliance-preseed/
  printf 'network:\n  listen-address: %s\n  public-address: %s\n' "$(retry metadata local-ipv4)" "$public_address"
  [ -z "$domain" ] || printf '  public-location: %s\n' "$domain"
  printf 'lxd:\n  storage-disk: %s\n  storage-pool: anbox-cloud\n' "$disk"
  printf 'ams:\n  api:\n    allowed-uids: [0]\n'
  [ -n "$oidc_issuer" ] || return 0
  printf 'oidc:\n  issuer: %s\n  client_id: "%s"\n' "$oidc_issuer" "$oidc_client_id"
  [ -z "$oidc_audience" ] || printf '  audience: %s\n' "$oidc_audience"
}

initialize() { # its status proves nothing (canonical/anbox-cloud.io#324), so later stages check the appliance
  if marked initialized; then return; fi
  ! marked initializing || fail 'an initialization did not end, and cannot be repeated: deploy a new instance'
  ! blkid -p "$disk" >/dev/null || fail "$disk is not blank"
  preseed >"$state/preseed.yaml"
  mark initializing
  anbox-cloud-appliance init --preseed < <(cat "$state/preseed.yaml") || say "init ended with $?"
  mark initialized
}

appliance_is_ready() { # unknown keys are ignored
  anbox-cloud-appliance status --format json | field "d['status'] == 'ready'" >/dev/null
}

image_is_active() { # on a new appliance images may be in error for a while (launchpad 2122020)
  local found broken
  found=$(amc_ image list --format json) || return 1
  if field "any(i['status'] == 'active' for i in d or [])" <<<"$found" >/dev/null; then return; fi
  for broken in $(field "' '.join(i['id'] for i in d or [] if i['status'] == 'error')" <<<"$found"); do
    amc_ image sync "$broken" || true
  done
  return 1
}

node_is_online() {
  amc_ node show lxd0 --format json |
    field "d['status'] == 'online' and int((d.get('config') or d)['gpu-slots']) > 0" >/dev/null
}
