# shellcheck shell=bash
# shellcheck disable=SC2154  # the settings are those of the instance
fetch_package() { # FOLDER: downloads the package from the bucket
  rm -rf "$1"
  mkdir -p "$1"
  aws s3 cp "s3://$bucket/packages/{{ Package }}.zip" "$1.zip" --region "$region" --only-show-errors
  python3 -m zipfile -e "$1.zip" "$1/"
  rm -f "$1.zip"
}
