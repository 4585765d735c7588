"""Whom to tell: one small file for each kind of channel."""

from __future__ import annotations

from runner.registry import Registry

CHANNELS = Registry(
    "channel",
    {
        "console": "runner.channels.console:Console",
        "email": "runner.channels.email:Email",
        "slack": "runner.channels.slack:Slack",
        "webhook": "runner.channels.webhook:Webhook",
        "discord": "runner.channels.discord:Discord",
        "teams": "runner.channels.teams:Teams",
        "command": "runner.channels.command:Command",
        "apprise": "runner.channels.apprise:Apprise",
    },
    "runner.channels",
)
