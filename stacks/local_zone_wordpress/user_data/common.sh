# shellcheck shell=bash
# Part of every user data here: patience, secrets, and what CloudFormation hears.
region=@REGION@

@RETRY@

@METADATA@

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
