#!/bin/bash
# Every minute: how many games run, and how many are prepared. Where that cannot be read nothing is published, and
# nobody takes silence for an idle instance.
# shellcheck disable=SC1091,SC2034,SC2154  # the names are those of common.sh and of the settings
set -Eeuo pipefail
source "${ROOT:-}/opt/game-streaming/common.sh"
marked installed || exit 0

count() { # TYPE: instances that are neither stopped nor broken; an older client prints null for none
  amc_ ls --filter "type=$1" --format json |
    python3 -c '
import json, sys
found = json.load(sys.stdin) or []
print(sum(str(one.get("status", "")).lower() not in ("stopped", "error", "deleted") for one in found))
'
}

regular=$(count regular)
base=$(count base)
measure "RegularInstances=$regular" "BaseInstances=$base"
