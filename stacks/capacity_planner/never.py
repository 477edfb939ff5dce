"""What the function may never do, even if another policy allows it."""

NEVER = (
    "ec2:AcceptCapacityReservationBillingOwnership",
    "ec2:AcceptReservedInstancesExchangeQuote",
    "ec2:AssociateCapacityReservationBillingOwner",
    "ec2:CancelCapacityReservation",
    "ec2:CancelCapacityReservationFleets",
    "ec2:CreateCapacityReservation",
    "ec2:CreateCapacityReservationBySplitting",
    "ec2:CreateCapacityReservationCancellationQuote",
    "ec2:CreateCapacityReservationFleet",
    "ec2:CreateInterruptibleCapacityReservationAllocation",
    "ec2:CreateReservedInstancesListing",
    "ec2:DeleteQueuedReservedInstances",
    "ec2:ModifyCapacityReservation",
    "ec2:ModifyCapacityReservationFleet",
    "ec2:ModifyReservedInstances",
    "ec2:MoveCapacityReservationInstances",
    "ec2:PurchaseCapacityBlock",
    "ec2:PurchaseCapacityBlockExtension",
    "ec2:PurchaseHostReservation",
    "ec2:PurchaseReservedInstancesOffering",
    "ec2:PurchaseScheduledInstances",
    "ec2:RunInstances",
    "ec2:RunScheduledInstances",
    "ec2:UpdateInterruptibleCapacityReservationAllocation",
    "savingsplans:CreateSavingsPlan",
    "savingsplans:DeleteQueuedSavingsPlan",
    "savingsplans:ReturnSavingsPlan",
)
"""Everything that buys, reserves, changes, sells or gives back capacity or a discount; a test finds what AWS adds
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html)."""
