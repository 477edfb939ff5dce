"""An account that answers what a test says, for the commands that only look."""

from typing import Any, Self


class Answering:
    """Stands for boto3's clients of every service: an operation has one answer, which may be an error.

    Attributes:
        answers: by the operation's name in Python; pages, where it is asked for by pages. "default subnets" is what
            describe_subnets answers for those.
        asked: the parameters of every operation that was asked for by pages.
    """

    region = "eu-central-1"

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.asked: list[dict[str, Any]] = []

    def __call__(self, service: str, region: str | None = None, /) -> Self:
        return self

    @property
    def meta(self) -> Any:
        return type("Meta", (), {"region_name": self.region})

    def get_paginator(self, operation: str) -> Any:
        def paginate(**parameters: Any) -> Any:
            self.asked.append(parameters)
            default = "default-for-az" in (item.get("Name") for item in parameters.get("Filters", []))
            return self._answer("default subnets" if default else operation)

        return type("Paginator", (), {"paginate": staticmethod(paginate)})

    def __getattr__(self, operation: str) -> Any:
        return lambda **_: self._answer(operation)

    def _answer(self, operation: str) -> Any:
        answer = self.answers[operation]
        if isinstance(answer, Exception):
            raise answer
        return answer
