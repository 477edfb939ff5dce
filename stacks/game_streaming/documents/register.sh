# shellcheck shell=bash disable=SC2154
# Registers a user of Ubuntu SSO: the link, which is as good as a password for an hour, goes into a secret.
email='{{ Email }}'
link() { anbox-cloud-appliance dashboard register "$email" --validity 1h; }
keep link "$registration_secret"
