"""The embedded AWS: ministack with moto behind it, in one process on one loopback port.

ministack keeps CloudFormation, Lambda, EventBridge, S3, SQS, SNS, Logs, CloudWatch, IAM, STS and the SSM parameters;
moto answers EC2, Auto Scaling, SSM commands and documents, and CodePipeline. What neither does and a solution needs
is ours, each behaviour with the AWS page it follows. ``client.EmbeddedAws`` starts it; ``python -m emulator --port
4566`` runs it by hand.
"""
