# shellcheck shell=bash
# Part of every user data here: patience, secrets, and what CloudFormation hears.
region=@REGION@

retry() { # COMMAND...: for five minutes; the way to the internet may still be on its way up
  local attempt
  for attempt in {1..30}; do
    if "$@"; then return; fi
    echo "attempt $attempt of: $1" >&2
    sleep 10
  done
  return 1
}

metadata() { # PATH
  local imds=${AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254} token
  token=$(curl -fsS --max-time 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$imds/latest/api/token")
  curl -fsS --max-time 5 -H "X-aws-ec2-metadata-token: $token" "$imds/latest/meta-data/$1"
}

secret() { # ARN
  aws secretsmanager get-secret-value --region "$region" --secret-id "$1" --query SecretString --output text
}

signal() { # SUCCESS or FAILURE
  # Not waiting is no fault of this instance: its group may have made it long after the deployment. By the stack's id,
  # as its role's policy names it: by name, the call is judged on stack/NAME/*.
  local said
  said=$(aws cloudformation signal-resource --region "$region" --stack-name '@STACK@' \
    --logical-resource-id '@LOGICAL_ID@' --unique-id "$instance" --status "$1" 2>&1) && return
  echo "$said" >&2
  [[ $said == *'(ValidationError)'* ]]
}

instance=$(metadata instance-id)
trap 'signal FAILURE' ERR
