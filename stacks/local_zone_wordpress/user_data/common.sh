# shellcheck shell=bash
# Part of every user data script here: retries, secrets, and the signal to CloudFormation.
region=@REGION@

@RETRY@

@METADATA@

secret() { # ARN
  aws secretsmanager get-secret-value --region "$region" --secret-id "$1" --query SecretString --output text
}

signal() { # SUCCESS or FAILURE
  # A stack that does not wait for a signal refuses it, which is no fault: the group may have made this instance long
  # after the deployment. The call names the stack by its id, as the role's policy does: by name, it would be judged on
  # stack/NAME/*.
  local said
  said=$(aws cloudformation signal-resource --region "$region" --stack-name '@STACK@' \
    --logical-resource-id '@LOGICAL_ID@' --unique-id "$instance" --status "$1" 2>&1) && return
  echo "$said" >&2
  [[ $said == *'(ValidationError)'* ]]
}

instance=$(metadata instance-id)
trap 'signal FAILURE' ERR
