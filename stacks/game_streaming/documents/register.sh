# shellcheck shell=bash disable=SC2154
# Registers an Ubuntu SSO user: the link, which works like a password for an hour, goes into a secret.
email='{{ Email }}'
link() { anbox-cloud-appliance dashboard register "$email" --validity 1h; }
keep link "$registration_secret"
