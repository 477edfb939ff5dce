#!/bin/bash
# Every minute: reports how many games run and how many are being prepared. If that cannot be read, nothing is published,
# and missing reports do not count as idle.
# shellcheck disable=SC1091,SC2034,SC2154  # the names are those of common.sh and of the settings
set -Eeuo pipefail
source "${ROOT:-}/opt/game-streaming/common.sh"
marked installed || exit 0

regular=$(count regular)
base=$(count base)
measure "RegularInstances=$regular" "BaseInstances=$base"
