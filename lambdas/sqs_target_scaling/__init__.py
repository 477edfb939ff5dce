"""Functions of the solution that scales a group by a queue whose messages take a varying time.

Post: https://aws.amazon.com/blogs/compute/scaling-an-asg-using-target-tracking-with-a-dynamic-sqs-target/
"""
