"""Looks at the images that CodeBuild offers in the Region."""

from config.models import CommonSettings
from stacks.graviton_porting_advisor.settings import GravitonPortingAdvisorSettings
from stacks.shared.confirming import Look, Seen
from stacks.shared.preflight import Clients

IMAGES = ("aws/codebuild/amazonlinux-aarch64-standard:3.0", "aws/codebuild/amazonlinux-x86_64-standard:5.0")


def _images(common: CommonSettings, settings: GravitonPortingAdvisorSettings, clients: Clients) -> Seen:
    platforms = clients("codebuild").list_curated_environment_images()["platforms"]
    listed = {image["name"] for each in platforms for language in each["languages"] for image in language["images"]}
    if missing := [image for image in IMAGES if image not in listed]:
        return Seen("refuted", f"not listed: {', '.join(missing)}")
    return Seen("confirmed", f"listed: {', '.join(IMAGES)}")


LOOKS = (
    Look("That the Region offers Arm builds and both images.", ("codebuild:ListCuratedEnvironmentImages",), _images),
)
