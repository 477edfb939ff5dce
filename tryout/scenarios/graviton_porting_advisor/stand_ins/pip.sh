#!/bin/sh
# Stand-in for a build's pip without a package index: refuses anything that is not locked.
[ "$1 $2 $3" = "install --quiet --require-hashes" ] || { echo "pip: $*" >&2; exit 2; }
shift 3
[ "$1" = --no-build-isolation ] && shift
[ "$1" = -r ] && [ -f "$2" ] || { echo "pip: $*" >&2; exit 2; }
grep -q "==" "$2" && grep -q -- "--hash=sha256:" "$2"
