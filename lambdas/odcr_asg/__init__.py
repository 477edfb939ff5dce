"""Functions of the solution that reserves capacity for a group in every zone.

Post: https://aws.amazon.com/blogs/compute/reserving-ec2-capacity-across-availability-zones-by-utilizing-on-demand-capacity-reservations-odcrs/
"""
