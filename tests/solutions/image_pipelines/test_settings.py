"""What the settings of image_pipelines refuse because the deployment would."""

import pytest

from stacks.image_pipelines.settings import ImagePipelinesSettings


@pytest.mark.parametrize(("files", "fits"), [(1, True), (3, False)])
def test_workloads_and_their_files_must_fit_into_one_stack(files: int, fits: bool) -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html."""
    workloads = [
        {"name": f"w{number:02}", "components": [f"w{number:02}/{file}.yaml" for file in range(files)]}
        for number in range(30)
    ]
    settings = ImagePipelinesSettings.model_validate({"workloads": workloads})
    told = [problem.message for problem in settings.problems() if "resources of a stack" in problem.message]
    assert bool(told) is not fits, told
    assert fits or "30 workloads and 91 component files" in told[0]
