#!/bin/bash
# At every boot: the installation until it is done, then a repair of what a newer kernel may have broken.
# shellcheck disable=SC1091,SC2034,SC2154  # the names are those of common.sh and of the settings
set -Eeuo pipefail
source "${ROOT:-}/opt/game-streaming/common.sh"
source "$home/stages.sh"
if marked installed; then
  source "$home/boot.sh"
else
  source "$home/install.sh"
fi
