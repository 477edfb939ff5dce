"""The AWS Price List query API."""

from emulator.core.service import Service
from emulator.services.pricing import model

SERVICE = Service(
    "pricing",
    operations={"GetProducts": model.get_products},
    controls={"price-list": model.put},
    modelled=("SKUs of EC2 instances and their reservations, and those beside them; pages, tokens that expire",),
    not_judged=("other services, bulk files; the prices are invented",),
)
