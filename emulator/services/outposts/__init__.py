"""AWS Outposts."""

from emulator.core.service import IamRules, Service
from emulator.services.outposts import racks

SERVICE = Service(
    "outposts",
    operations={
        "ListOutposts": racks.list_outposts,
        "GetOutpost": racks.get_outpost,
        "GetOutpostInstanceTypes": racks.get_outpost_instance_types,
    },
    controls={"outposts": racks.put},
    iam=IamRules(resource=racks.judged_on, tags={"s3-outposts": racks.bucket_tags}),
    modelled=("racks, their instance types and buckets, one for all services",),
    not_judged=("orders, sites, servers, capacity",),
)
