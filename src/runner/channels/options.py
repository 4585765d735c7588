"""Which channels there are and how they are reached: the section ``notifications`` of a file, and flags."""

from __future__ import annotations

from runner.channels import CHANNELS
from runner.options import RUN, Options, opt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Kinds(list[str]):
    """Kinds of channels: ours, and those of other distributions, which are looked for only if it is none of ours."""

    def __contains__(self, kind: object) -> bool:
        return super().__contains__(kind) or kind in list(CHANNELS)


def _shape() -> dict[str, Any]:
    sections = {name: CHANNELS.load(name).SETTINGS for name in CHANNELS.builtin}
    every: dict[str, Any] = {}
    for section in sections.values():
        every.update(section["properties"])
    return {
        "type": "object",
        "properties": sections,
        # One more of a kind that there is already: a second webhook, the mail of another team; or a plug-in's.
        "additionalProperties": {
            "type": "object",
            "properties": {"kind": {"type": "string", "enum": _Kinds(sections)}, **every},
            "additionalProperties": {},
            "required": ["kind"],
        },
        "examples": [{"slack": {"webhook_url": "${SLACK_WEBHOOK}"}}],
    }


class ChannelOptions(Options):
    """Whom alerts reach."""

    notifications: object = opt("Channels, by name", default=None, yaml="notifications", shape=_shape())
    slack_webhook: str = opt(
        "Send alerts to this incoming webhook of Slack (the variable keeps it out of sight)", default="", metavar="URL",
        env="RUNNER_SLACK_WEBHOOK", role=RUN, spec=True,
    )  # fmt: skip
    email_config: str = opt(
        "Send alerts by mail, as this JSON or YAML file says", default="", metavar="FILE", env="RUNNER_EMAIL_CONFIG",
        role=RUN, spec=True,
    )  # fmt: skip
