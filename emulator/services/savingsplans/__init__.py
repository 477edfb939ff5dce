"""AWS Savings Plans."""

from emulator.core.service import Service
from emulator.services.savingsplans import model

SERVICE = Service(
    "savingsplans",
    operations={
        "DescribeSavingsPlans": model.describe_savings_plans,
        "DescribeSavingsPlansOfferingRates": model.describe_savings_plans_offering_rates,
    },
    controls={"savings-plans": model.put},
    modelled=("rates of EC2 with all terms and licences mixed, the last page's empty token; the plans of an account",),
    not_judged=("buying, SageMaker, databases, what a plan pays",),
)
