"""Makes the channels that a line and a configuration file name."""

from __future__ import annotations

from runner.channels import CHANNELS
from runner.model.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from runner.channels.base import Channel
    from runner.channels.options import ChannelOptions

#: Name of the channel that needs no network: whoever carries the run shows what is told there.
CONSOLE = "console"


def make_channels(options: ChannelOptions, environ: Mapping[str, str]) -> dict[str, Channel]:
    """Return the channels by name; the console is always among them.

    Args:
        options: What is asked for; a flag counts before the file's section of the same name.
        environ: Values for ``${NAME}`` in the file of ``--email-config``.

    Raises:
        UsageError: Something in them can't work.
    """
    sections: dict[str, Any] = {CONSOLE: {}}
    if isinstance(options.notifications, dict):
        sections.update(options.notifications)
    if options.slack_webhook:
        sections["slack"] = {**(sections.get("slack") or {}), "webhook_url": options.slack_webhook}
    if options.email_config:
        sections["email"] = read_email(options.email_config, environ)
    return {name: make_channel(name, section) for name, section in sections.items()}


def make_channel(name: str, section: Mapping[str, Any]) -> Channel:
    """Return one channel.

    Args:
        name: What alerts call it; it says of which kind it is, unless the section does.
        section: Its settings.

    Raises:
        UsageError: The settings can't work; the message says in which file and line they stand, if they do.
    """
    where = getattr(section, "where", "")
    settings = {key: value for key, value in (section or {}).items() if key != "kind"}
    try:
        kind = CHANNELS.load(section.get("kind") or name)
        for key in kind.SETTINGS.get("required", ()):
            if key not in settings:
                raise UsageError(f"notifications.{name} lacks {key!r}")
        for key in settings:
            if key not in kind.SETTINGS["properties"]:
                raise UsageError(f"notifications.{name}: a channel of this kind has no {key!r}")
        channel: Channel = kind(f"notifications.{name}", settings)
    except UsageError as error:
        raise UsageError(f"{where}: {error}" if where else str(error)) from None
    return channel


def read_email(path: str, environ: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the settings of mail that a JSON or YAML file holds.

    Raises:
        ConfigError: It can't be read, or something is wrong with it; all problems at once.
    """
    from runner.engine.config_file import read_section

    section: Mapping[str, Any] = read_section(path, environ, CHANNELS.load("email").SETTINGS, "email")
    return section
