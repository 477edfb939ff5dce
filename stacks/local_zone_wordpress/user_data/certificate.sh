#!/bin/bash
# Takes a renewed certificate from its secret; nginx goes on with the old one while the new one is no good.
#
#   REGION, SECRET
set -euo pipefail
umask 077

site=/etc/nginx/tls/site.pem
aws secretsmanager get-secret-value --region "$REGION" --secret-id "$SECRET" --query SecretString --output text >"$site.new"
if cmp -s "$site" "$site.new"; then
  rm "$site.new"
  exit
fi
[[ ! -e $site ]] || cp "$site" "$site.old"
mv "$site.new" "$site"
if ! nginx -t; then
  [[ ! -e $site.old ]] || mv "$site.old" "$site"
  exit 1
fi
systemctl reload nginx
echo 'certificate: renewed'
