# shellcheck shell=bash
# Admits a user of the OpenID Connect provider. https://documentation.ubuntu.com/anbox-cloud/howto/setup-custom-idp/configure-oidc/
email='{{ Email }}'
id_of() {
  amc_ auth identity list --filter auth_type=oidc --format json |
    python3 -c '
import json, sys
print(next((one["id"] for one in json.load(sys.stdin) or [] if one["name"] == sys.argv[1]), ""))
' "$email"
}
id=$(id_of)
if [ -z "$id" ]; then
  amc_ auth identity create "oidc/$email" >/dev/null
  id=$(id_of)
fi
amc_ auth identity group add "$id" --groups admin >/dev/null
echo "$email may log in"
